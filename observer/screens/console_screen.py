"""The console: Python typed here is evaluated in the node, by a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence

import msgspec
from rich.text import Text
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label, RichLog

from observer.model.observed_node import ObservedNode
from observer.node.source import NodeLostError
from observer.screens.view_screen import ViewScreen
from observer.text import python_input
from observer.text.console_lines import ConsoleLines
from observer.text.safe_text import safe
from runtime.introspection import wire

KEPT_LINES = 5_000
"""How many lines can be scrolled back."""

WAIT = 0.2
"""Seconds that a question waits at the node for something new."""

PAUSE = 0.02
"""Seconds between two questions, also to a node that answers at once: the dashboard has other things to do."""

STYLES = {"typed": "bold", "value": "", "output": "dim", "error": "red"}
"""How each kind of line is drawn."""


class ConsoleInput(Input):
    """The line to type in. Of a paste every line but the last is entered as if it had been typed."""

    class Pasted(Message):
        """Lines were pasted, and are to be entered."""

        def __init__(self, lines: list[str]) -> None:
            super().__init__()
            self.lines = lines

    def on_paste(self, event: events.Paste) -> None:
        """Enter the lines of a paste one after another."""
        event.prevent_default()
        event.stop()
        first, *others = event.text.replace("\r\n", "\n").split("\n")
        self.insert_text_at_cursor(first)
        if others:
            *whole, last = others
            self.post_message(self.Pasted([self.value, *whole]))
            self.value = last
            self.cursor_position = len(last)

    def action_delete_left(self) -> None:
        """Delete the character before the cursor; of an indentation, a whole step."""
        before = self.value[: self.cursor_position]
        for _ in range(python_input.step_back(before) if self.selection.is_empty else 1):
            super().action_delete_left()


class ConsoleScreen(ViewScreen):
    """What was evaluated and what came of it, and a line for what comes next. Leaving it ends nothing."""

    CSS_PATH = ["view_screen.tcss", "console_screen.tcss"]
    VIEW = "Console"
    AMONG_ALL = "This console is in {home}. That of another node: 7, enter, 8."
    BINDINGS = [
        Binding("escape", "back", "Back", id="back-from-console", key_display="esc"),
        Binding("tab", "complete", "Complete", id="complete-console", key_display="tab", priority=True),
        Binding(
            "ctrl+c",
            "interrupt",
            "Interrupt",
            id="interrupt-console",
            key_display="^c",
            priority=True,
            tooltip="End what is being evaluated; names stay",
        ),
        Binding("up", "recall(-1)", "Before", id="recall-before", show=False),
        Binding("down", "recall(1)", "After", id="recall-after", show=False),
    ]

    def __init__(self, observed: ObservedNode) -> None:
        super().__init__(observed)
        self.shown = RichLog(max_lines=KEPT_LINES, wrap=True, markup=False, highlight=False, auto_scroll=True)
        self.line = ConsoleInput(id="line", classes="line")
        self.prompt = Label("", id="prompt", markup=False)
        self._lines = ConsoleLines()
        self._state: wire.ConsoleState | None = None
        self._source = ""
        self._history: list[str] = []
        self._recalled = 0

    def compose_body(self) -> ComposeResult:
        """Lay out the log, and the line below it."""
        yield self.shown.add_class("framed")
        with Horizontal(id="entry"):
            yield self.prompt
            yield self.line

    def on_mount(self) -> None:
        """Open the console of this connection."""
        super().on_mount()
        self.shown.border_title = "Console"
        self.shown.can_focus = False
        self.line.focus()
        self.open_console()

    def focus_home(self) -> None:
        """Focus the line."""
        self.line.focus()

    # -- The node -------------------------------------------------------------------------------------------------

    def questions(self) -> Sequence[wire.Query]:
        """Ask for the figures for the header, and what was printed meanwhile."""
        if self._state is None or self._state.evaluating:
            return [wire.GetStats()]
        return [wire.GetStats(), wire.ReadConsole(after=self._state.last)]

    def take(self, query: wire.Query, answer: wire.Answer) -> None:
        """Show what was printed. A node that was started anew has a new console."""
        if isinstance(query, wire.ReadConsole):
            if isinstance(answer, wire.Failed):
                self.open_console()
            else:
                self._take(answer)

    @work(exclusive=True, group="open")
    async def open_console(self) -> None:
        """Ask the node for the console of this connection."""
        if self.observed.settings.read_only:
            self._refuse("This observer is read-only: it has no console.")
            return
        match await self._ask(wire.OpenConsole()):
            case wire.ConsoleState() as state:
                if self._state is None or state.pid != self._state.pid:
                    self._write([("output", f"Python in {safe(self.one_node)}, in {state.pid}.")])
                self._state = state
                self._draw_prompt()
            case wire.Failed(why=why):
                self._refuse(why)

    @work(exclusive=True, group="evaluate")
    async def evaluate(self, source: str) -> None:
        """Have the node evaluate Python, and show what comes of it until that is over."""
        query: wire.Query = wire.Evaluate(source=source)
        while (answer := await self._ask(query)) is not None:
            self._take(answer)
            if self._state is None or not self._state.evaluating or isinstance(answer, wire.Failed):
                break
            query = wire.ReadConsole(after=self._state.last, wait=WAIT)
            await asyncio.sleep(PAUSE)
        if self._state is not None and not isinstance(answer, wire.ConsoleState):  # the next look tells how it is
            self._state = msgspec.structs.replace(self._state, evaluating=False)
        self._write(self._lines.flush())
        self._draw_prompt()

    @work(exclusive=True, group="complete")
    async def complete(self, name: str) -> None:
        """Complete the name before the cursor as far as all that begin so agree; show them when there are several."""
        answer = await self._ask(wire.CompleteConsole(text=name))
        if not isinstance(answer, wire.Completions) or not answer.words:
            return
        common = os.path.commonprefix(answer.words)  # noqa: RUF071 these are names, not paths
        before = self.line.value[: self.line.cursor_position]
        if len(common) > len(name) and before.endswith(name):
            self.line.insert_text_at_cursor(safe(common[len(name) :]))
        elif len(answer.words) > 1:
            self._write([("output", "  ".join(map(safe, answer.words)))])

    @work(group="interrupt")
    async def interrupt(self) -> None:
        """End what is being evaluated."""
        await self._ask(wire.InterruptConsole())

    async def _ask(self, query: wire.Query) -> wire.Answer | None:
        try:
            return await self.observed.source.ask(query)
        except NodeLostError:
            return None  # the poller tells

    def _take(self, answer: wire.Answer) -> None:
        match answer:
            case wire.ConsoleState() as state:
                if self._state is None or state.last >= self._state.last:
                    self._state = state
                    if state.dropped:
                        self._write([("error", f"({state.dropped} texts were lost)")])
                    self._write(self._lines.feed((each.kind, each.text) for each in state.texts))
            case wire.Failed(why=why):
                self._write([("error", safe(why))])
            case _:
                pass

    def _refuse(self, why: str) -> None:
        self._write([("error", safe(why))])
        self.line.disabled = True

    # -- What is typed --------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._enter(event.value):
            self.line.value = python_input.indentation(self._source) if self._source else ""
            self.line.cursor_position = len(self.line.value)

    @on(ConsoleInput.Pasted)
    def _pasted(self, event: ConsoleInput.Pasted) -> None:
        self._enter("\n".join(event.lines))

    def _enter(self, typed: str) -> bool:
        """Take a line that was typed, and evaluate when it completes what came before. Return whether it was taken."""
        if self._state is None:
            return False
        if self._state.evaluating:
            self.notify("It is still at work: ^c ends it.", timeout=3)
            return False
        self._write(("typed", f"{self.prompt.content}{safe(line)}") for line in typed.split("\n"))
        self._source = f"{self._source}\n{typed}" if self._source else typed
        if typed.strip():
            self._history.append(typed)
        self._recalled = len(self._history)
        if python_input.is_complete(self._source):
            source, self._source = self._source, ""
            if source.strip():
                self._state = _at_work(self._state)
                self.evaluate(source)
        self._draw_prompt()
        return True

    def action_complete(self) -> None:
        """Complete the name before the cursor; where none stands, indent."""
        name = python_input.name_at_end(self.line.value[: self.line.cursor_position])
        if name:
            self.complete(name)
        else:
            self.line.insert_text_at_cursor(" " * python_input.INDENT)

    def action_interrupt(self) -> None:
        """End what is being evaluated; else drop what was being typed."""
        if self._state is not None and self._state.evaluating:
            self.interrupt()
        else:
            self._source = self.line.value = ""
            self._draw_prompt()

    def action_recall(self, step: int) -> None:
        """Bring back what was typed before."""
        self._recalled = max(0, min(len(self._history), self._recalled + step))
        self.line.value = self._history[self._recalled] if self._recalled < len(self._history) else ""
        self.line.cursor_position = len(self.line.value)

    # -- Drawing --------------------------------------------------------------------------------------------------

    def _draw_prompt(self) -> None:
        number = 0 if self._state is None else self._state.evaluations
        prompt = f"{safe(self.one_node)}({number + 1})> "
        self.prompt.update("." * (len(prompt) - 1) + " " if self._source else prompt)

    def _write(self, lines: Iterable[tuple[str, str]]) -> None:
        for kind, line in lines:
            self.shown.write(Text(line, style=STYLES[kind]))


def _at_work(state: wire.ConsoleState) -> wire.ConsoleState:
    return msgspec.structs.replace(state, evaluating=True, texts=(), dropped=0)
