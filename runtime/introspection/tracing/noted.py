"""What a trace notes, and how that is shown to an observer."""

from __future__ import annotations

import linecache
import time
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from runtime.introspection import wire
from runtime.introspection.reading.own_line import OwnLine
from runtime.introspection.reading.tree_path import name_of
from runtime.kernel.process import Pid, Process
from runtime.otp.unexpected import kind_of_message
from runtime.terms.static_lookup import class_name
from runtime.terms.term import Term
from runtime.terms.text import render, shorten

Party: TypeAlias = "Process | Pid | None"
"""Who takes part in an event: a process, the pid of a dead one, or None for code outside any process."""

LONGEST = 300
"""Longest text of a message, in characters."""

BUDGET = 0.03
"""Seconds in each second that may go into texts of messages. What comes later is called by its type alone."""

REMEMBERED = 10_000
"""Dead processes whose names are kept."""


class Noted(Struct, frozen=True, gc=False):
    """One event, as it is noted on the hub: what costs time is done when it is read.

    Many are made, and none refers to itself: the garbage collector need not look at them.
    """

    number: int
    time: float
    kind: wire.TraceKind
    source: Party
    target: Party
    what: str
    request: str
    of: int | None
    seconds: float | None
    line: OwnLine


class Shown:
    """Says what of the events an observer is shown: `state` for messages, `exception_texts` for reasons."""

    def __init__(self, state: bool, exception_texts: bool) -> None:
        self.state = state
        self.exception_texts = exception_texts
        self._left = BUDGET
        self._names: dict[Pid, str] = {}
        self._shown: dict[int, wire.Related] = {}

    # -- On the hub -----------------------------------------------------------------------------------------------

    def new_second(self) -> None:
        """Allow the time of another second."""
        self._left = BUDGET

    def text(self, value: Term) -> str:
        """Return a message as text of a bounded length, made in a bounded time."""
        if not self.state:
            return wire.NOT_SHOWN
        if self._left <= 0:
            return f"<{class_name(type(value))}>"
        begun = time.perf_counter()
        text = render(value, LONGEST)
        self._left -= time.perf_counter() - begun
        return text

    def kind_of(self, value: Term) -> str:
        """Return what messages of this kind have in common, empty where messages are not shown."""
        return kind_of_message(value) if self.state else ""

    def remember(self, process: Process) -> None:
        """Keep the name of a process that is about to lose its place."""
        if len(self._names) < REMEMBERED:
            self._names[process.pid] = name_of(process)

    # -- On an observer's thread ----------------------------------------------------------------------------------

    def look_again(self) -> None:
        """Forget what processes are called: they may have got a name since."""
        self._shown.clear()

    def event(self, noted: Noted) -> wire.TraceEvent:
        """Return an event as the wire has it."""
        return wire.TraceEvent(
            id=noted.number,
            time=noted.time,
            kind=noted.kind,
            source=self._related(noted.source),
            target=self._related(noted.target),
            what=noted.what,
            request=noted.request,
            of=noted.of,
            seconds=noted.seconds,
            at=_frame(noted.line),
        )

    def _related(self, party: Party) -> wire.Related | None:
        if party is None:
            return None
        pid = party if isinstance(party, Pid) else party.pid
        shown = self._shown.get(id(pid))
        if shown is not None:
            return shown
        name = self._names.get(pid)
        if name is None:
            process = party if isinstance(party, Process) else party.process
            name = "" if process is None or process.body is None else name_of(process)
        shown = self._shown[id(pid)] = wire.Related(pid=str(pid), name=name)
        return shown


@lru_cache(1_000)
def _frame(line: OwnLine) -> wire.Frame | None:
    code = line.code
    if code is None:
        return None
    return wire.Frame(
        file=shorten(code.co_filename),
        line=max(0, line.line),
        function=shorten(code.co_name),
        source=shorten(linecache.getline(code.co_filename, line.line).strip()),
    )
