"""Places: where in the supervision tree a process stands, and the keys that name places for good.

A key is the ids of a child and of the supervisors above it, ``app/pool/worker-3``. It survives a restart, which the
pid does not. All functions may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeGuard

from runtime.introspection import wire
from runtime.introspection.threads.racy_read import some
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import Pid, Process
from runtime.supervision.child import Child
from runtime.supervision.children import Children
from runtime.supervision.dynamic import DynamicChild
from runtime.supervision.server import SupervisorServer
from runtime.terms.term import Term
from runtime.terms.text import render, shorten

FREE = "~free"
"""Key of the group of processes under no supervisor."""

GROUPS = {FREE: "no supervisor", wire.GREENLETS: "greenlets"}
"""What the groups at the end of a tree are called."""

LINKS = 16
"""How many links are searched for a supervisor that is not the parent: it links itself first."""

MAX_DEPTH = 100

LONGEST_NAME = 200
"""Longest name, label or id that is shown, in characters."""


class Position(NamedTuple):
    """A child's record in its supervisor."""

    supervisor: Process
    child: Child


def children_of(process: Process | None) -> Children | None:
    """Give what a supervisor keeps, None for a process that is no supervisor, or not yet."""
    body = process.body if process is not None else None
    if not isinstance(body, SupervisorServer):
        return None
    kept: Children | None = body.__dict__.get("kept")
    return kept


def is_supervisor(process: Process) -> bool:
    """Whether the process is a supervisor."""
    return isinstance(process.body, SupervisorServer)


def position_of(process: Process) -> Position | None:
    """Give the place of a process, which it has already while it is started; None for one under no supervisor."""
    parent = process.parent
    supervisor = None if parent is None else parent.process
    kept = children_of(supervisor)
    if supervisor is not None and kept is not None:
        starting = kept.starting  # read first: a start that ends meanwhile is then found in the other way
        child = kept.find(process.pid)
        if child is None and supervisor in (process.links or ()):
            child = starting
        if child is not None:
            return Position(supervisor, child)
    for linked in some(process.links, LINKS):
        kept = children_of(linked)
        if kept is not None and (child := kept.find(process.pid)) is not None:
            return Position(linked, child)
    return None


def kind_of(process: Process) -> str:
    """Return what a process is: a supervisor, a worker, or a greenlet that is no process."""
    if isinstance(process, PlainGreenlet):
        return "greenlet"
    return "supervisor" if is_supervisor(process) else "worker"


class ChildFinder:
    """Finds the records of many processes, quickly where children of the same supervisor follow each other."""

    __slots__ = ("_find", "_parent", "_supervisor", "supervisor")

    def __init__(self) -> None:
        self.supervisor: Process | None = None
        """The supervisor of the process that was looked for last, None when it has none."""
        self._parent: Pid | None = None
        self._supervisor: Process | None = None
        self._find: Callable[[Pid], Child | None] | None = None

    def child_of(self, process: Process) -> Child | None:
        """Give the record of a process in its supervisor, None for one under no supervisor."""
        child = self.child_of_parent(process)
        if child is None:
            place = position_of(process)
            self.supervisor, child = (None, None) if place is None else place
        return child

    def child_of_parent(self, process: Process) -> Child | None:
        """Give the record of a process in its parent, None when that is no supervisor of it."""
        parent = process.parent
        if parent is not self._parent:
            self._parent = parent
            self._supervisor = None if parent is None else parent.process
            kept = children_of(self._supervisor)
            self._find = None if kept is None else kept.find
        self.supervisor = self._supervisor
        return None if self._find is None else self._find(process.pid)


def is_dynamic(child: Child) -> TypeGuard[DynamicChild]:
    """Whether the child has no id of its own."""
    return isinstance(child, DynamicChild)


def child_text(child: Child) -> str:
    """Give a child's id as text; for one without an id, the pid it was first started with."""
    return str(child.first) if is_dynamic(child) else text_of(child.spec.id)


def text_of(name: Term) -> str:
    """Return a name, a label or an id as text of a readable length, which can be sent and be looked for."""
    text = shorten(name, LONGEST_NAME) if type(name) is str else render(name, LONGEST_NAME)
    return text if text.isascii() else wire.printable(text)


def join(parent_key: str, child: Child) -> str:
    """Give the key of a child's place below that of its supervisor."""
    return f"{parent_key}/{_part(child_text(child))}"


def _part(text: str) -> str:
    return text.replace("%", "%25").replace("/", "%2F")


def part_text(part: str) -> str:
    """Give the text, of a child's id or a name, that a part of a key stands for."""
    return part.replace("%2F", "/").replace("%25", "%")


def root_path(process: Process) -> str:
    """Give the key of a process under no supervisor: its registered name if it is a supervisor, else its pid."""
    name = process.name
    if name is None or not is_supervisor(process):
        return str(process.pid)
    return _part(text_of(name))


def path_of(process: Process) -> str:
    """Give the key of the place where a process stands."""
    chain: list[Child] = []
    place = position_of(process)
    while place is not None and len(chain) < MAX_DEPTH:
        chain.append(place.child)
        process = place.supervisor
        place = position_of(process)
    key = root_path(process)
    for child in reversed(chain):
        key = join(key, child)
    return key


def supervisors_of(process: Process) -> list[Process]:
    """Give the supervisors above a process, nearest first."""
    above: list[Process] = []
    while (place := position_of(process)) is not None and len(above) < MAX_DEPTH:
        process = place.supervisor
        above.append(process)
    return above


def display_name(process: Process, child: Child | None = None) -> str:
    """Give what to call a process: its registered name, else its label, its child id, its initial call."""
    name = process.name
    if name is not None:
        return text_of(name)
    if process.label is not None:
        return text_of(process.label)
    if child is not None and not is_dynamic(child):
        return text_of(child.spec.id)
    return short_call(initial_call(process))


def name_of(process: Process) -> str:
    """Give what to call a process in the place where it stands."""
    place = None if process.name is not None or process.label is not None else position_of(process)
    return display_name(process, None if place is None else place.child)


def initial_call(process: Process) -> str:
    """Give what a process was started with; empty for one that is only being made."""
    body = process.body
    return "" if body is None else str(body.initial_call)


@lru_cache(1_000)  # there are few, and a list of processes names each of them again and again
def short_call(call: str) -> str:
    """Give an initial call without its package: ``demos.chat.Client.init`` is ``chat.Client``.

    Of the program's own script, ``__main__``, only the last part stays.
    """
    parts = call.removesuffix(".init").removeprefix("__main__.").split(".")
    return ".".join(parts[-2:])


def parse_pid(text: str) -> Pid | None:
    """Read a pid; None for anything else."""
    try:
        return Pid.parse(text)
    except ValueError:
        return None
