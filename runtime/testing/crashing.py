"""Ending a process on purpose, and seeing that its supervisor brings it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime import (
    Down,
    Pid,
    SupervisorError,
    exit,
    monitor,
    now,
    process_info,
    receive,
    sleep,
    whereis,
    which_children,
)
from runtime.terms.term import Term

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
    pid = whereis(process) if isinstance(process, str) else process
    if pid is None or (info := process_info(pid, "registered_name", "parent")) is None:
        raise LookupError(f"there is no process {process}")
    supervisor, id, siblings = _place(pid, info["parent"])
    ref = monitor(pid)
    exit(pid, reason)
    down = receive(Down(ref, object, object), timeout=timeout, default=None)
    if down is None:
        raise AssertionError(f"{pid} still lives {timeout} s after exit({pid}, {reason!r}): it traps exits")
    return Crashed(pid, down.reason, info["registered_name"], supervisor, id, siblings)


def assert_restarted(process: Crashed | str, timeout: float = 1.0) -> Pid:
    """Wait until a process is back under its supervisor, and return its new pid.

    `process` is what `crash` returned, or the name of a process, which need only be registered then. Raises
    NotRestarted after `timeout` seconds.
    """
    deadline = now() + timeout
    while True:
        pid = whereis(process) if isinstance(process, str) else _successor(process)
        if pid is not None:
            return pid
        if now() >= deadline:
            raise NotRestarted(_what_is_there(process, timeout))
        sleep(LOOK)


def _place(pid: Pid, parent: Pid | None) -> tuple[Pid | None, Term, frozenset[Pid]]:
    """Return the supervisor of a process, its child id there, and the pids of the other children."""
    if parent is None:
        return None, None, frozenset()
    try:
        children = which_children(parent)
    except Exception:  # the parent is no supervisor, or does not answer
        return None, None, frozenset()
    id = next((child.id for child in children if child.pid == pid), None)
    siblings = frozenset(child.pid for child in children if isinstance(child.pid, Pid) and child.pid != pid)
    return parent, id, siblings


def _successor(crashed: Crashed) -> Pid | None:
    """Return the process that stands in the place of one that was ended, None while there is none."""
    if crashed.name is not None:
        pid = whereis(crashed.name)
        return None if pid == crashed.pid else pid
    if crashed.supervisor is None or crashed.supervisor.process is None:
        return None
    for child in which_children(crashed.supervisor):
        if isinstance(child.pid, Pid) and child.pid != crashed.pid:
            if crashed.id is not None and child.id == crashed.id:
                return child.pid
            if crashed.id is None and child.pid not in crashed.siblings:
                return child.pid
    return None


def _what_is_there(process: Crashed | str, timeout: float) -> str:
    if isinstance(process, str):
        return f"no process is called {process!r} after {timeout} s"
    text = f"{process.name or process.id or process.pid} was not restarted within {timeout} s; "
    if process.supervisor is None:
        return text + "it has no supervisor"
    try:
        children = which_children(process.supervisor)
    except (SupervisorError, Exception) as error:
        return text + f"its supervisor {process.supervisor} does not answer: {error}"
    return text + "its supervisor's children are " + (", ".join(f"{c.id}: {c.pid}" for c in children) or "none")
