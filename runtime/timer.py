"""Timers that do more than send one message: at intervals, with a function, with an exit signal (OTP: timer).

Use the functions of this module as OTP's `timer` module::

    from runtime import timer

    ref = timer.send_interval(self_(), "tick", 1.0)
    timer.apply_after(60.0, print, "a minute is over")
    timer.cancel(ref)

Each timer is a process, which observers show by the label ``timer``. For one message, `runtime.send_after` is cheaper.
From outside any process, and from another thread, all work but `apply_interval`, whose timer ends with its caller.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from runtime.kernel.clock import now
from runtime.kernel.mailbox import check_seconds, receive, send
from runtime.kernel.names import whereis
from runtime.kernel.node import current_process, living_caller
from runtime.kernel.outside import from_outside
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import exit, monitor, spawn
from runtime.kernel.send_after import cancel_timer
from runtime.kernel.signals import Down
from runtime.terms.errors import NoProcessError
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.ref import Ref, TimerRef
from runtime.terms.term import Term
from runtime.terms.text import render

_running: dict[TimerRef, Pid] = {}
"""The processes of the timers that have neither fired for the last time nor been cancelled."""


def send_interval(dest: Destination, message: Term, seconds: float) -> TimerRef:
    """Send `message` to `dest`, a Pid or a name, every `seconds` (OTP: timer:send_interval/3). Returns the timer.

    The timer ends when it is cancelled, or when the process dies that `dest` names at the start. Each message to a name
    goes to the process that has it then, if there is one. Raises ValueError unless `seconds` are more than 0, and
    NoProcessError for a name that no process has at the start.
    """
    return _start_interval("send_interval", dest, seconds, _send_if_there, (dest, isolate(message)))


def apply_after(seconds: float, fn: Callable[..., object], *args: Term, **kwargs: Term) -> TimerRef:
    """Run ``fn(*args, **kwargs)`` in a process of its own after `seconds` (OTP: timer:apply_after/4).

    Returns the timer, which goes on when the caller dies. Raises TypeError for what is not a function.
    """
    _check_function("apply_after", fn)
    return _start("apply_after", _fire_once, seconds, spawn, (fn, *args), kwargs)


def apply_interval(seconds: float, fn: Callable[..., object], *args: Term, **kwargs: Term) -> TimerRef:
    """Run ``fn(*args, **kwargs)`` in a process of its own every `seconds` (OTP: timer:apply_interval/4).

    Returns the timer.

    The timer ends when it is cancelled or the caller dies. A run that takes longer than `seconds` does not delay the
    next, and one that fails ends nothing but itself. Raises ValueError unless `seconds` are more than 0.
    """
    _check_function("apply_interval", fn)
    caller = current_process("apply_interval")
    return _start_interval("apply_interval", caller.pid, seconds, spawn, (fn, *args), kwargs)


def exit_after(pid: Pid, reason: Term, seconds: float) -> TimerRef:
    """Send `pid` the exit signal `reason` after `seconds` (OTP: timer:exit_after/3). Returns the timer.

    Nothing happens when it is dead by then. Raises TypeError for what is not a Pid.
    """
    return _exit_after("exit_after", pid, reason, seconds)


def kill_after(pid: Pid, seconds: float) -> TimerRef:
    """Kill `pid` after `seconds` (OTP: timer:kill_after/2). Returns the timer."""
    return _exit_after("kill_after", pid, "kill", seconds)


def cancel(ref: TimerRef) -> bool:
    """Stop a timer of this module or of `send_after` (OTP: timer:cancel/1).

    Returns whether it was still pending. Any process may cancel it. Raises TypeError for what is not a timer.
    """
    if not isinstance(ref, Ref):
        raise TypeError(f"cancel() takes the reference of a timer, not {render(ref)}")
    pid = _running.pop(ref, None) if isinstance(ref, TimerRef) else None
    if pid is None:
        return cancel_timer(ref) is not None
    exit(pid, "kill")
    return True


def _exit_after(function: str, pid: Pid, reason: Term, seconds: float) -> TimerRef:
    if not isinstance(pid, Pid):
        raise TypeError(f"{function}() takes a Pid, not {render(pid)}; whereis(name) finds one by name")
    return _start(function, _fire_once, seconds, exit, (pid, isolate(reason)), {})


def _start_interval(
    function: str,
    owner: Destination,
    seconds: float,
    action: Callable[..., object],
    args: tuple[Term, ...],
    kwargs: dict[str, Term] | None = None,
) -> TimerRef:
    check_seconds(seconds, "seconds")
    if seconds == 0:
        raise ValueError("seconds is 0; allowed: more than 0, or the timer would leave time for nothing else")
    pid = owner if isinstance(owner, Pid) else whereis(owner)
    if pid is None:
        raise NoProcessError(owner)
    return _start(function, _fire_often, seconds, action, args, kwargs or {}, pid)


def _start(function: str, body: Callable[..., None], seconds: float, *more: Term) -> TimerRef:
    """Start the process of a timer. From outside any process it is one of those that requests are made by."""
    check_seconds(seconds, "seconds")
    if living_caller() is None:
        return from_outside(function, lambda: _start(function, body, seconds, *more))
    ref = TimerRef()
    _running[ref] = spawn(body, ref, now(), seconds, *more, label="timer")
    return ref


def _fire_once(
    ref: TimerRef,
    started_at: float,
    seconds: float,
    action: Callable[..., object],
    args: tuple[Term, ...],
    kwargs: dict[str, Term],
) -> None:
    try:
        receive("$never", timeout=max(0.0, started_at + seconds - now()), default=None)
    finally:
        _running.pop(ref, None)
    action(*args, **kwargs)


def _fire_often(
    ref: TimerRef,
    started_at: float,
    seconds: float,
    action: Callable[..., object],
    args: tuple[Term, ...],
    kwargs: dict[str, Term],
    owner: Pid,
) -> None:
    """Act at each multiple of `seconds` after the start, so that delays do not add up; end with the owner."""
    watch = monitor(owner)
    fires_at = started_at + seconds
    try:
        while receive(Down(watch, ANY, ANY), timeout=max(0.0, fires_at - now()), default=None) is None:
            action(*args, **kwargs)
            fires_at += seconds
    finally:
        _running.pop(ref, None)


def _send_if_there(dest: Destination, message: Term) -> None:
    with suppress(NoProcessError):
        send(dest, message)


def _check_function(name: str, fn: object) -> None:
    if not callable(fn):
        raise TypeError(f"{name}() takes seconds and a function, not {render(fn)}")
