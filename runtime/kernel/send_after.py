"""Messages in the future: timers that programs set."""

from __future__ import annotations

from typing import Any

from greenlet import getcurrent

from runtime.compiled.choice import compiled
from runtime.kernel.headroom import ensure_little_headroom
from runtime.kernel.mailbox import check_seconds
from runtime.kernel.node import Node, this_node
from runtime.kernel.process import DEAD, Destination, Pid, Worker
from runtime.terms.immutable import ATOMIC
from runtime.terms.isolation import isolate
from runtime.terms.ref import Ref, TimerRef
from runtime.terms.term import Term
from runtime.terms.text import render


@compiled("runtime.kernel._kernel")
def send_after(dest: Destination, message: Term, seconds: float) -> TimerRef:
    """Send `message` to `dest`, a Pid or a name, after `seconds` (OTP: send_after/3). Returns the timer.

    A name is looked up when the time has come; a dead pid or an unknown name takes the message silently. The timer
    outlives the process that set it and dies with the pid it is for. Raises TypeError for what is no destination.
    """
    if not (type(seconds) is float and seconds >= 0):
        check_seconds(seconds, "seconds")
    node = _node_of_caller()
    if type(dest) is not Pid:
        node.resolve(dest)  # for what it raises
    ref = TimerRef()
    node.timers.start(dest, message if type(message) in ATOMIC else isolate(message), seconds, ref)
    return ref


def start_timer(dest: Destination, message: Term, seconds: float) -> TimerRef:
    """Send ``("timeout", ref, message)`` after `seconds`, like `send_after` (OTP: start_timer/3). Returns `ref`."""
    check_seconds(seconds, "seconds")
    node = _node_of_caller()
    node.resolve(dest)  # for what it raises
    ref = TimerRef()
    node.timers.start(dest, ("timeout", ref, isolate(message)), seconds, ref)
    return ref


@compiled("runtime.kernel._kernel")
def cancel_timer(ref: Ref) -> float | None:
    """Stop a timer; gives the seconds that were left, None when it had fired, was cancelled, or never was.

    The message of a timer that has fired is in the mailbox already (OTP: cancel_timer/1).
    """
    if type(ref) is not TimerRef:
        _check(ref, "cancel_timer")
    ensure_little_headroom()
    return _node_of_caller().timers.cancel(ref)


def read_timer(ref: Ref) -> float | None:
    """Return the seconds that are left of a timer, None when it is not pending (OTP: read_timer/1)."""
    _check(ref, "read_timer")
    return this_node().timers.read(ref)


def _node_of_caller() -> Node:
    """Return the caller's node. Raises ProcessKilled in a process that is dead.

    To set a timer, room on the stack need not be ensured: what `Timers.start` does counts with its last line.
    """
    greenlet = getcurrent()
    process = greenlet.process if type(greenlet) is Worker else None
    if process is None:
        return this_node()
    if process.state is DEAD:
        process.node.scheduler.refuse(process)
    return process.node


def _check(ref: Any, function: str) -> None:
    if not isinstance(ref, Ref):
        raise TypeError(f"{function}() takes what send_after() gave, not {render(ref)}")
