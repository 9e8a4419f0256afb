"""Which processes a trace follows: those that were named, those below them, and those that take their places."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.introspection.reading.filter import Test
from runtime.introspection.reading.filter_fields import Subject
from runtime.introspection.reading.tree_path import (
    Position,
    children_of,
    is_supervisor,
    join,
    path_of,
    position_of,
    root_path,
)
from runtime.introspection.threads.chunked import AllProcesses
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import Node
from runtime.kernel.process import Pid, Process

REMEMBERED = 10_000
"""Dead processes that are remembered."""


class Targets:
    """The processes of a trace: those that are named, those that stand in `places`, and those that pass the test.

    Without any of these, it is every process of the node. A supervisor that is named stands for all below it. A process
    that is restarted takes the place of the one that was followed, and is followed too; so is a new one that the filter
    lets through when it first does something.
    """

    def __init__(self, named: Iterable[Process], test: Test | None, places: Iterable[str] = ()) -> None:
        self._test = test
        self._members: set[Process] = set(named)
        self._keys = {path_of(process) for process in self._members} | {*places}
        self._roots = (
            *(f"{path_of(process)}/" for process in self._members if is_supervisor(process)),
            *(f"{place}/" for place in places),
        )
        self._fresh: set[Process] = set()
        """Processes that were started since, and have not been looked at."""
        self._gone: set[int] = set()
        """Numbers of processes that were followed and are dead: others learn of their deaths a moment later."""
        self.is_everything = not self._keys and test is None

    def __len__(self) -> int:
        return len(self._members)

    def find(self, node: Node, pace: Pace) -> None:
        """Look among the processes that live. From any thread; long lists are looked at with pauses."""
        if self.is_everything or not (self._test or self._roots):
            return
        for chunk in AllProcesses(node):
            for process in chunk:
                if process.body is not None and self._belongs(process, position_of(process)):
                    self._members.add(process)
            pace.breathe()

    def add(self, process: Process) -> None:
        """Follow a process."""
        self._members.add(process)

    def began(self, process: Process) -> None:
        """Take a process that has just been started: where it stands is known a moment later."""
        if not self.is_everything:
            self._fresh.add(process)

    def ended(self, process: Process) -> None:
        """Drop a process that is dead."""
        if process in self._members:
            self._members.discard(process)
            self._gone.add(process.pid.id)
            if len(self._gone) > REMEMBERED:
                self._gone.clear()
        self._fresh.discard(process)

    def has(self, party: Process | Pid | None) -> bool:
        """Return whether the trace follows a process, or has followed one that is dead. Called for all that happens."""
        if self.is_everything or party in self._members:
            return True
        if isinstance(party, Pid):
            return party.id in self._gone
        return party is not None and party in self._fresh and self._decide(party)

    def _decide(self, process: Process) -> bool:
        """Return whether a new process belongs to it: for good once it has had a turn, and has its name and place."""
        belongs = self._belongs(process, position_of(process) or _place_at_birth(process))
        if process.reductions:
            self._fresh.discard(process)
            if belongs:
                self._members.add(process)
        return belongs

    def _belongs(self, process: Process, position: Position | None) -> bool:
        if self._test is not None and self._test(Subject(process, position)):
            return True
        if not self._keys:
            return False
        key = _key_at_birth(process) if position is None else join(path_of(position.supervisor), position.child)
        return key in self._keys or key.startswith(self._roots)


def _place_at_birth(process: Process) -> Position | None:
    """Return the place that the supervisor of a process is about to fill, most likely with it."""
    parent = None if process.parent is None else process.parent.process
    kept = children_of(parent)
    child = None if kept is None else kept.starting
    return None if parent is None or child is None else Position(parent, child)


def _key_at_birth(process: Process) -> str:
    """Return the key of a process without a place: a child that is just made has one below its supervisor's."""
    parent = None if process.parent is None else process.parent.process
    if parent is None or process.reductions or children_of(parent) is None:
        return root_path(process)
    return f"{path_of(parent)}/"
