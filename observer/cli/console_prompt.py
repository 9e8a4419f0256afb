"""The prompt of a console in a terminal: history, completion, several lines, and output that does not tear it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from prompt_toolkit import PromptSession, print_formatted_text
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from observer.node.client import NodeRefusedError
from observer.node.source import NodeLostError
from observer.text import python_input
from observer.text.console_lines import ConsoleLines
from observer.text.safe_text import safe

if TYPE_CHECKING:
    from observer.node.child import Child
    from observer.node.console import ConsoleSession
    from runtime.introspection.wire import ConsoleText

LOOK_EVERY = 0.1
"""Seconds between two looks for what processes print while a person types."""

STYLES = {"error": "ansired", "value": "", "output": "ansibrightblack"}
"""How each kind of text is drawn."""


class ConsolePrompt:
    """Reads, evaluates, prints, until the person leaves or the node is gone (then raises `NodeLostError`)."""

    def __init__(self, session: ConsoleSession, node: str, child: Child | None = None) -> None:
        self._session = session
        self._node = node
        self._child = child
        self._child_line = -1
        self._lines = ConsoleLines()
        self._error: BaseException | None = None
        self._interrupted = threading.Event()
        self._prompt: PromptSession[str] = PromptSession(
            history=_history(),
            completer=NodeCompleter(session),
            complete_while_typing=False,
            complete_in_thread=True,
            multiline=True,
            prompt_continuation=lambda width, number, wraps: "." * (width - 1) + " ",
            key_bindings=_keys(),
        )

    def run(self) -> None:
        """Go on until ctrl-d."""
        with _interrupts() as self._interrupted:
            self._read_and_evaluate()

    def _read_and_evaluate(self) -> None:
        while True:
            try:
                source = self._read()
            except KeyboardInterrupt:  # what was being typed is dropped
                continue
            except EOFError:
                if self._error is not None:
                    raise self._error from None
                return
            if source.strip():
                self._evaluate(source)

    def _read(self) -> str:
        """Read what is to be evaluated; meanwhile print what processes print, above the prompt."""
        stop = threading.Event()
        watching = threading.Thread(target=self._watch, args=(stop,), name="console output", daemon=True)
        with patch_stdout():
            watching.start()
            try:
                return self._prompt.prompt(f"{self._node}({self._session.evaluations + 1})> ")
            finally:
                stop.set()
                watching.join()

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_EVERY):
            try:
                self._show(self._session.news())
            except (NodeLostError, NodeRefusedError) as error:
                self._error = error
                loop = self._prompt.app.loop
                if loop is not None:
                    with contextlib.suppress(Exception):  # it may have ended in this moment
                        loop.call_soon_threadsafe(lambda: self._prompt.app.exit(exception=EOFError))
                return

    def _evaluate(self, source: str) -> None:
        self._interrupted.clear()
        try:
            for texts in self._session.evaluate(source):
                self._show(texts)
                if self._interrupted.is_set():
                    self._interrupted.clear()
                    self._session.interrupt()
        except NodeRefusedError as refusal:  # the hub was held, say; the names are still there
            self._draw([("error", str(refusal))])
        self._draw(self._lines.flush())

    def _show(self, texts: Iterable[ConsoleText]) -> None:
        self._draw(self._lines.feed((each.kind, each.text) for each in texts))
        if self._child is not None:
            self._child_line, printed = self._child.output_after(self._child_line)
            self._draw(("output", safe(line)) for line in printed)

    def _draw(self, lines: Iterable[tuple[str, str]]) -> None:
        for kind, line in lines:
            print_formatted_text(FormattedText([(STYLES[kind], line)]))


class NodeCompleter(Completer):
    """Completes names by asking the node."""

    def __init__(self, session: ConsoleSession) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Yield the names that go on as the one before the cursor."""
        name = python_input.name_at_end(document.text_before_cursor)
        if not name:
            return
        try:
            words = self._session.complete(name)
        except (NodeLostError, NodeRefusedError):
            return  # a key that completes is no place to complain
        for word in words:
            yield Completion(safe(word), start_position=-len(name))


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Have ctrl-c set an event: as an exception it could strike while an answer is half read."""
    pressed = threading.Event()
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.set())
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if python_input.is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + python_input.indentation(buffer.document.text_before_cursor))

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text(" " * python_input.INDENT)
        elif buffer.complete_state:
            buffer.complete_next()
        else:
            buffer.start_completion(select_first=False, insert_common_part=True)

    @keys.add("backspace")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        buffer.delete_before_cursor(python_input.step_back(buffer.document.current_line_before_cursor))

    return keys


def _history() -> History:
    """Return the history in the user's folder for such things; one that is forgotten where that cannot be written."""
    try:
        path = Path(platformdirs.user_state_dir("process-observer")) / "console_history"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
