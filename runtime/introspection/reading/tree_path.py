"""Where a process stands in the supervision tree, and the key that names its place.

A key is made of the ids of a child and of the supervisors above it, like ``app/pool/worker-3``. A process that is
restarted gets a new pid, and keeps its key. All functions may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeGuard

from runtime.introspection import wire
from runtime.introspection.threads.racy_read import some
from runtime.kernel.plain_greenlet import PlainGreenlet
from runtime.kernel.process import Pid, Process
from runtime.supervision.child import RESTARTING, Child
from runtime.supervision.children import Children
from runtime.supervision.dynamic import DynamicChild
from runtime.supervision.server import SupervisorServer
from runtime.terms.term import Term
from runtime.terms.text import render, short_call, shorten

FREE = "~free"
"""Key of the group of processes that have no supervisor."""


def group_name(key: str) -> str:
    """Return the name of a group at the end of a tree. The key of a thread's greenlets ends with the thread's name."""
    if key == FREE:
        return "no supervisor"
    thread = key.removeprefix(wire.GREENLETS).removeprefix(":")
    return f"greenlets of thread {thread}" if thread else "greenlets"


LINKS = 16
"""How many links are searched for a supervisor that is not the parent. A supervisor is among the first: it links itself
to a child at once.
"""

MAX_DEPTH = 100

LONGEST_NAME = 200
"""Longest name, label or id that is shown, in characters."""


class Position(NamedTuple):
    """The place of a process: its supervisor, and the record that the supervisor keeps of it."""

    supervisor: Process
    child: Child


def children_of(process: Process | None) -> Children | None:
    """Return what a supervisor knows of its children.

    None for a process that is no supervisor, or has only just been started.
    """
    body = process.body if process is not None else None
    if not isinstance(body, SupervisorServer):
        return None
    kept: Children | None = body.__dict__.get("kept")
    return kept


def is_supervisor(process: Process) -> bool:
    """Return whether the process is a supervisor."""
    return isinstance(process.body, SupervisorServer)


def position_of(process: Process) -> Position | None:
    """Return the place of a process, None for one without a supervisor.

    A process has its place while it is being started.
    """
    parent = process.parent
    supervisor = None if parent is None else parent.process
    kept = children_of(supervisor)
    if supervisor is not None and kept is not None:
        starting = kept.starting  # read before the children: a start that ends in between is then found among them
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


def status_without_process(supervisor: Process | None, child: Child) -> wire.Status:
    """Return how a child is that has no process: of one whose `init` is under way, its supervisor has no pid yet."""
    kept = children_of(supervisor)
    if kept is not None and kept.starting is child:
        return "starting"
    at = child.at
    return "stopped" if at is None else "restarting" if at == RESTARTING else "exiting"


def kind_of(process: Process) -> str:
    """Return what a process is: ``supervisor``, ``worker``, or ``greenlet`` for one that is no process."""
    if isinstance(process, PlainGreenlet):
        return "greenlet"
    return "supervisor" if is_supervisor(process) else "worker"


class ChildFinder:
    """Finds the child records of many processes, quickly where children of the same supervisor follow each other."""

    __slots__ = ("_find", "_parent", "_supervisor", "supervisor")

    def __init__(self) -> None:
        self.supervisor: Process | None = None
        """The supervisor of the process that was looked up last, None when it has none."""
        self._parent: Pid | None = None
        self._supervisor: Process | None = None
        self._find: Callable[[Pid], Child | None] | None = None

    def child_of(self, process: Process) -> Child | None:
        """Return the record that the supervisor of a process keeps of it, None when it has no supervisor."""
        child = self.child_of_parent(process)
        if child is None:
            place = position_of(process)
            self.supervisor, child = (None, None) if place is None else place
        return child

    def child_of_parent(self, process: Process) -> Child | None:
        """Return the record that the parent of a process keeps of it, None when the parent is not its supervisor."""
        parent = process.parent
        if parent is not self._parent:
            self._parent = parent
            self._supervisor = None if parent is None else parent.process
            kept = children_of(self._supervisor)
            self._find = None if kept is None else kept.find
        self.supervisor = self._supervisor
        return None if self._find is None else self._find(process.pid)


def is_dynamic(child: Child) -> TypeGuard[DynamicChild]:
    """Return whether the child has no id of its own."""
    return isinstance(child, DynamicChild)


def child_text(child: Child) -> str:
    """Return a child's id as text. For a child without an id it is the pid that the child was first started with."""
    return str(child.first) if is_dynamic(child) else text_of(child.spec.id)


def text_of(name: Term) -> str:
    """Return a name, a label or an id as text of a readable length, which can be sent and be looked for."""
    text = shorten(name, LONGEST_NAME) if type(name) is str else render(name, LONGEST_NAME)
    return text if text.isascii() else wire.printable(text)


def join(parent_key: str, child: Child) -> str:
    """Return the key of a child, given the key of its supervisor."""
    return f"{parent_key}/{_part(child_text(child))}"


def _part(text: str) -> str:
    return text.replace("%", "%25").replace("/", "%2F")


def part_text(part: str) -> str:
    """Return the text of an id or a name that one part of a key stands for."""
    return part.replace("%2F", "/").replace("%25", "%")


def root_path(process: Process) -> str:
    """Return the key of a process without a supervisor: the registered name of a supervisor, else the pid."""
    name = process.name
    if name is None or not is_supervisor(process):
        return str(process.pid)
    return _part(text_of(name))


def path_of(process: Process, root: Callable[[Process], str] = root_path) -> str:
    """Return the key of the place where a process stands. `root` gives the key of the uppermost process above it."""
    chain: list[Child] = []
    place = position_of(process)
    while place is not None and len(chain) < MAX_DEPTH:
        chain.append(place.child)
        process = place.supervisor
        place = position_of(process)
    key = root(process)
    for child in reversed(chain):
        key = join(key, child)
    return key


def supervisors_of(process: Process) -> list[Process]:
    """Return the supervisors above a process, nearest first."""
    above: list[Process] = []
    while (place := position_of(process)) is not None and len(above) < MAX_DEPTH:
        process = place.supervisor
        above.append(process)
    return above


def display_name(process: Process, child: Child | None = None) -> str:
    """Return what to call a process: its registered name, else its label, its child id, or its initial call.

    A number says nothing: to an id that is one belongs what the process runs, as in ``2 Connection``.
    """
    name = process.name
    if name is not None:
        return text_of(name)
    if process.label is not None:
        return text_of(process.label)
    if child is not None and not is_dynamic(child):
        text = text_of(child.spec.id)
        return f"{text} {short_call(initial_call(process)).rpartition('.')[2]}".rstrip() if text.isdecimal() else text
    return short_call(initial_call(process))


def name_of(process: Process) -> str:
    """Return what to call a process, its place included."""
    place = None if process.name is not None or process.label is not None else position_of(process)
    return display_name(process, None if place is None else place.child)


def initial_call(process: Process) -> str:
    """Return the function that a process was started with, or an empty text while the process is being made."""
    body = process.body
    return "" if body is None else text_of(body.initial_call)


def parse_pid(text: str) -> Pid | None:
    """Return the pid that a text stands for, None when it is not the text of a pid."""
    try:
        return Pid.parse(text)
    except ValueError:
        return None
