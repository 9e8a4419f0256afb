"""A trace, drawn live as a sequence diagram: who says what to whom, and how long the answer takes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from observer.clock import of_day
from observer.drawing.event_story import plain
from observer.drawing.sequence import Diagram
from observer.drawing.trace_story import story
from observer.model.observed_node import ObservedNode
from observer.model.targets import Target, called
from observer.node.source import NodeLostError
from observer.output import private_file, sequence_files, strict_json
from observer.output.slow_calls import SlowCalls
from observer.output.trace_records import of_trace
from observer.screens.choose_trace_file import ChooseTraceFile, Ending
from observer.screens.dialog import QUESTION
from observer.screens.process_screen import ProcessScreen
from observer.screens.view_screen import ViewScreen
from observer.text.safe_text import safe
from observer.widgets.event_story import EventStory
from observer.widgets.line_list import MOST, LineList
from observer.widgets.scroll import Scroll
from observer.widgets.sequence_view import SequenceView
from runtime.introspection import wire

SECONDS, EVENTS, RATE = 600.0, 20_000, 1_000
"""The limits of a trace that is watched. Leaving the view ends it earlier."""

WAIT = 0.2
"""Seconds that a question waits at the node for something new."""

PAUSE = 0.1
"""Seconds between two questions: the dashboard has other things to do."""

REPLACED = "Another trace was begun."
"""Why a trace has ended that stands in another view: a node keeps one for each observer."""


class TraceScreen(ViewScreen):
    """The diagram, and the selected step in full. Leaving it ends the trace."""

    CSS_PATH = ["view_screen.tcss", "trace_screen.tcss"]
    VIEW = "Trace"
    BINDINGS = [
        Binding("escape", "back", "Back", id="back-from-trace", key_display="esc"),
        Binding("s", "save", "Save", id="save-trace", tooltip="Save it as Mermaid, SVG, HTML or JSON"),
        Binding("T", "begin", "Trace anew", id="trace-anew", tooltip="Begin again, with an empty diagram"),
    ]

    def __init__(self, observed: ObservedNode, targets: Sequence[Target]) -> None:
        super().__init__(observed)
        self._targets = targets
        self.diagram = SequenceView()
        self.lifelines = Static("", id="lifelines", markup=False)
        self.frame = Container(id="diagram", classes="framed")
        self.step = EventStory()
        self._events: deque[wire.TraceEvent] = deque(maxlen=MOST)
        self._slow = SlowCalls()
        self._state = wire.TraceState(running=False)

    def compose_body(self) -> ComposeResult:
        """Lay out the names of the lifelines, the steps, and the selected one."""
        with self.frame:
            yield self.lifelines
            yield self.diagram
        with Scroll(id="step", classes="framed"):
            yield self.step

    def on_mount(self) -> None:
        """Begin the trace."""
        super().on_mount()
        self.query_one("#step").border_title = "Step"
        self.focus_home()
        self.action_begin()

    def on_unmount(self) -> None:
        """End the trace, since no screen shows it any more. Its beginning may not be answered yet."""
        if self.observed.tracer is self:
            self.observed.tracer = None
            self.app.run_worker(self.observed.ask(wire.StopTrace(after=self._state.last)), group="trace")

    def focus_home(self) -> None:
        """Focus the steps."""
        self.diagram.focus()

    # -- The node -------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="trace")
    async def action_begin(self) -> None:
        """Begin the trace, and show what comes until it ends."""
        # who stands in a place may have been restarted since the row was drawn
        places = tuple(target.key for target in self._targets if target.key != target.pid)
        pids = tuple(target.pid for target in self._targets if target.key == target.pid)
        query: wire.Query = wire.StartTrace(pids=pids, places=places, seconds=SECONDS, limit=EVENTS, rate=RATE)
        self._events.clear()
        self._slow = SlowCalls()
        self.diagram.clear()
        self._state = wire.TraceState(running=False)
        self.observed.tracer = self
        while await self._ask(query):
            query = wire.ReadTrace(after=self._state.last, wait=WAIT)
            await asyncio.sleep(PAUSE)
            if self.observed.tracer is not self:
                self._show_ending(REPLACED)
                return
        if self.observed.tracer is self and self.is_attached:
            self.observed.tracer = None
            if self._state.running:  # no screen reads it any more
                await self.observed.ask(wire.StopTrace(after=self._state.last))

    async def _ask(self, query: wire.Query) -> bool:
        """Ask, and show the answer. Return whether there is more to come."""
        try:
            answer = await self.observed.source.ask(query)
        except NodeLostError:
            self._show_ending("The node is lost.")
            return False
        if not self.is_attached:
            return False  # left, while the answer was on its way
        if self.observed.tracer is not self:
            self._show_ending(REPLACED)
            return False
        match answer:
            case wire.TraceState():
                self._state = answer
                self._take(answer.events)
                return answer.running or bool(answer.events)
            case wire.Failed(why=why):
                self._show_ending(safe(why))
        return False

    def _take(self, events: Sequence[wire.TraceEvent]) -> None:
        self._events.extend(events)
        self._slow.add(events)
        self.diagram.add(events)
        self._selected()
        self._show_names()
        self._show_ending(safe(self._state.ending))

    def _show_names(self) -> None:
        self.lifelines.update(self.diagram.names(self.diagram.scrollable_content_region.width))

    def _show_ending(self, ending: str) -> None:
        state = self._state
        lost = state.dropped + state.unread
        parts = [f"{state.noted:,} events"]
        parts += [f"{lost:,} dropped"] if lost else []
        counts = ", ".join(parts)
        told = f"{counts}. {ending}" if ending else counts
        # in a title alone: where there is little room, no line below has another
        self.frame.border_title = Content(f"Trace of {safe(called(self._targets))}: {told}")

    # -- What is selected -----------------------------------------------------------------------------------------

    @on(LineList.Selected)
    def _selected(self) -> None:
        if self.diagram.selected is not None:
            self.step.tell(story(self.diagram.selected.event))

    @on(LineList.Opened)
    def _opened(self) -> None:
        self.open_process()

    def open_process(self) -> bool:
        """Open the process that the selected step leads to, or the one that it comes from."""
        event = None if self.diagram.selected is None else self.diagram.selected.event
        process = None if event is None else event.target or event.source
        if process is None:
            return False
        self.app.push_screen(ProcessScreen(self.observed, process.pid))
        return True

    @on(SequenceView.LifelinesMoved)
    def _lifelines_moved(self) -> None:
        self._show_names()

    def on_resize(self) -> None:
        """Set the names above their lifelines."""
        self.call_after_refresh(self._show_names)

    def to_copy(self) -> tuple[str, str] | None:
        """Return the selected step as text."""
        chosen = self.diagram.selected
        return None if chosen is None else ("the step", plain(story(chosen.event)))

    # -- Saving ---------------------------------------------------------------------------------------------------

    @work(group=QUESTION)
    async def action_save(self) -> None:
        """Ask in which form, and save the trace in the current folder."""
        folder = Path.cwd()
        ending = await self.app.push_screen_wait(ChooseTraceFile(str(folder)))
        if ending is None:
            return
        stamp = of_day(self.observed.clock.now()).replace(":", "")
        path = folder / f"trace-{self.observed.source.name}-{stamp}.{ending}"
        text = await asyncio.to_thread(self._written, ending, [*self._events])
        try:
            private_file.write(path, text)
        except OSError as error:
            self.notify(f"{path} cannot be written: {error.strerror}.", severity="error", markup=False)
        else:
            self.notify(f"Written to {path}", markup=False)

    def _written(self, ending: Ending, events: list[wire.TraceEvent]) -> str:
        node, slowest = self.observed.source.name, self._slow.records()
        diagram = Diagram(events)
        match ending:
            case "json":
                return strict_json.encode(of_trace(node, events, self._state, slowest)) + "\n"
            case "mmd":
                return sequence_files.mermaid(diagram)
            case "svg":
                return sequence_files.svg(diagram)
        return sequence_files.html(diagram, node, f"{len(events):,} events.", slowest)
