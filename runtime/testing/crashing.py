"""Ending a process on purpose, and seeing that its supervisor brings it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime import CallError, ChildInfo, Down, Pid, call, exit, monitor, now, process_info, receive, sleep, whereis
from runtime.supervision.server import SupervisorServer
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.testing.arguments import check_process, check_seconds

LOOK = 0.001
"""Seconds between two looks at a supervisor's children."""


class NotRestarted(AssertionError):
    """A process was not restarted in time; the text says what stands in its place."""


@dataclass(frozen=True)
class Crashed:
    """A process that `crash` has ended: its pid, what it died of, and the place where its successor will stand."""

    pid: Pid
    reason: Term
    name: Term = None
    supervisor: Pid | None = None
    id: Term = None
    siblings: frozenset[Pid] = field(default_factory=frozenset)
    """The supervisor's other children at that time, which tell a dynamic supervisor's new child from the old ones."""


def crash(process: Pid | str, reason: Term = "kill", timeout: float = 1.0) -> Crashed:
    """End a process, given by pid or name, with an exit signal, and return once it is dead.

    Raises LookupError when there is no such process, and AssertionError when it still lives after `timeout` seconds: it
    traps exits, and `reason` is not ``"kill"``.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    check_process(process, "process")
    check_seconds(timeout, "timeout")
    pid = whereis(process) if isinstance(process, str) else process
    if pid is None or process_info(pid, "status") is None:
        raise LookupError(f"there is no process {process}")
    place = place_of(pid, timeout)
    ref = monitor(pid)
    exit(pid, reason)
    down = receive(Down(ref, object, object), timeout=timeout, default=None)
    if down is None:
        raise AssertionError(f"{pid} still lives {timeout} s after exit({pid}, {render(reason)}): it traps exits")
    return Crashed(pid, down.reason, *place)


def place_of(pid: Pid, timeout: float) -> tuple[Term, Pid | None, Term, frozenset[Pid]]:
    """Return what a `Crashed` keeps of a process: its name, its supervisor, its id there, and its siblings."""
    info = process_info(pid, "registered_name", "parent")
    if info is None:
        return None, None, None, frozenset()
    return info["registered_name"], *_place(pid, info["parent"], timeout)


def assert_restarted(process: Crashed | str, timeout: float = 1.0) -> Pid:
    """Wait until a process is back under its supervisor, and return its new pid. Its start is then complete.

    `process` is what `crash` returned, or the name of a process. Raises NotRestarted after `timeout` seconds.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    if not isinstance(process, (Crashed, str)):
        raise TypeError(f"assert_restarted() takes what crash() returned, or a registered name, not {render(process)}")
    check_seconds(timeout, "timeout")
    deadline = now() + timeout
    while True:
        left = max(0.0, deadline - now())
        try:
            pid = _named(process, left) if isinstance(process, str) else _successor(process, left)
        except CallError:  # the supervisor has ended, or is still busy with the start
            pid = None
        if pid is not None:
            return pid
        if now() >= deadline:
            raise NotRestarted(_what_is_there(process, timeout))
        sleep(LOOK)


def children_of(process: Pid | None, timeout: float | None = None) -> list[ChildInfo] | None:
    """Return the children of a supervisor, None of any other process: a server would crash of the question.

    Raises CallError when the supervisor does not answer within `timeout` seconds.
    """
    record = None if process is None else process.process
    if record is None or not isinstance(record.body, SupervisorServer):
        return None
    children: list[ChildInfo] = call(process, "which_children", timeout=timeout)
    return children


def _place(pid: Pid, parent: Pid | None, timeout: float) -> tuple[Pid | None, Term, frozenset[Pid]]:
    """Return the supervisor of a process, its child id there, and the pids of the other children."""
    try:
        children = children_of(parent, timeout)
    except CallError:  # it does not answer
        children = None
    if children is None:
        return None, None, frozenset()
    id = next((child.id for child in children if child.pid == pid), None)
    siblings = frozenset(child.pid for child in children if isinstance(child.pid, Pid) and child.pid != pid)
    return parent, id, siblings


def _named(name: str, timeout: float) -> Pid | None:
    """Return the process of that name, or None while its supervisor has not started it yet."""
    pid = whereis(name)
    info = None if pid is None else process_info(pid, "parent")
    if info is None:
        return None
    children = children_of(info["parent"], timeout)
    return pid if children is None or any(child.pid == pid for child in children) else None


def _successor(crashed: Crashed, timeout: float) -> Pid | None:
    """Return the process that has taken the place of one that was ended, or None while there is not one yet."""
    if isinstance(crashed.name, str):
        pid = _named(crashed.name, timeout)
        return None if pid == crashed.pid else pid
    for child in children_of(crashed.supervisor, timeout) or ():
        if isinstance(child.pid, Pid) and child.pid != crashed.pid:
            if crashed.id is not None and child.id == crashed.id:
                return child.pid
            if crashed.id is None and child.pid not in crashed.siblings:
                return child.pid
    return None


def _what_is_there(process: Crashed | str, timeout: float) -> str:
    if isinstance(process, str):
        return f"no process is called {render(process)} after {timeout} s"
    text = f"{process.name or process.id or process.pid} was not restarted within {timeout} s; "
    if process.supervisor is None:
        return text + "it has no supervisor"
    try:
        children = children_of(process.supervisor, LOOK)
    except CallError as error:
        return text + f"its supervisor {process.supervisor} does not answer: {error}"
    if children is None:
        return text + f"its supervisor {process.supervisor} has ended"
    return text + "its supervisor's children are " + (", ".join(f"{c.id}: {c.pid}" for c in children) or "none")
