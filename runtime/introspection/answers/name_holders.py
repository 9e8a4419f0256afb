"""Finds who may still have a name when that name is wanted again: why a restart that a plan counts on may fail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from runtime.introspection.reading.tree_path import is_supervisor, name_of, position_of
from runtime.introspection.threads.chunked import dict_chunks
from runtime.introspection.threads.pace import Pace
from runtime.introspection.threads.racy_read import some
from runtime.kernel.process import Process

MAX_LOOKED_AT = 20_000
"""How many links and names are looked at."""

MAX_RETURNING = 500
"""How many of the processes that come back are looked at."""


@dataclass(frozen=True)
class NameHolder:
    """A process with a name that lives on, at least for a while, after its starter has ended."""

    process: Process
    starter: Process | None
    """Who started it and will be started again, and may start it again; None when its supervisor does."""
    gives_up: Process
    """The supervisor that gives up when the name stays taken."""

    def sentence(self) -> str:
        """Say why the restart may fail."""
        name, above = name_of(self.process), name_of(self.gives_up)
        if self.starter is None:
            return (
                f"{name} traps exits and may take its time to end: if it still has its name when it is started again, "
                f"that start fails, until {above} gives up."
            )
        starter = name_of(self.starter)
        how = "traps exits" if self.starter in self.process.links else f"is not linked to {starter}"
        return (
            f"{name} {self.process.pid}, which {starter} has started, {how} and may outlive it: if it still has its "
            f"name when {starter} starts it again, that start fails, until {above} gives up."
        )


def lingering(
    returning: Mapping[Process, None], kills: Mapping[Process, None], shut_down: set[Process]
) -> Iterator[NameHolder]:
    """Yield processes with a name that outlive their supervisor for a while.

    A supervisor that is killed stops no children: they end by their links, and those that trap exits when they see
    fit. Meanwhile it is started anew, and starts them again.
    """
    for process in islice(returning, MAX_RETURNING):
        place = position_of(process)
        if place is None or process.name is None or not process.trap_exit or is_supervisor(process):
            continue
        supervisor = place.supervisor
        above = position_of(supervisor)
        if supervisor in kills and supervisor not in shut_down and above is not None:
            yield NameHolder(process, None, above.supervisor)


def surviving(returning: Mapping[Process, None], kills: Mapping[Process, None], pace: Pace) -> Iterator[NameHolder]:
    """Yield processes with a name that were started by one that ends and comes back, and do not end with it.

    They are linked to it and trap exits, or are not linked. A child of a supervisor is not among them: its supervisor
    starts it, and ends it.
    """
    starters = {process.pid: process for process in islice(returning, MAX_RETURNING) if not is_supervisor(process)}
    for process in _named(starters.values(), pace):
        starter = None if process.parent is None else starters.get(process.parent)
        place = None if starter is None else position_of(starter)
        if place is not None and process not in kills and position_of(process) is None:
            yield NameHolder(process, starter, place.supervisor)


def _named(starters: Collection[Process], pace: Pace) -> Iterable[Process]:
    """Return the processes with a name that these may have started: linked ones, and all with a registered name."""
    found: dict[Process, None] = {}
    node = None
    for starter in starters:
        node = starter.node
        linked = some(starter.links, MAX_LOOKED_AT)
        found.update((other, None) for other in linked if other.name is not None or other.via is not None)
        pace.breathe()
    for chunk in () if node is None else dict_chunks(node.names.values()):
        found.update(dict.fromkeys(chunk))
        pace.breathe()
        if len(found) > MAX_LOOKED_AT:
            break
    return found
