"""Timers that do more than send one message: at intervals, with a function, with an exit signal (OTP: timer).

Use the functions of this module as OTP's `timer` module::

    from runtime import timer

    ref = timer.send_interval(self_(), "tick", 1.0)
    timer.apply_after(60.0, print, "a minute is over")
    timer.cancel(ref)

Each timer is a process, which observers show by the label ``timer``. For one message, `runtime.send_after` is cheaper.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from runtime.kernel.clock import now
from runtime.kernel.mailbox import check_seconds, receive, send
from runtime.kernel.names import whereis
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import exit, monitor, spawn
from runtime.kernel.send_after import cancel_timer
from runtime.kernel.signals import Down
from runtime.terms.errors import NoProcessError
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.ref import TimerRef
from runtime.terms.term import Term

_running: dict[TimerRef, Pid] = {}
"""The processes of the timers that have neither fired for the last time nor been cancelled."""


def send_interval(dest: Destination, message: Term, seconds: float) -> TimerRef:
    """Send `message` to `dest`, a Pid or a name, every `seconds` (OTP: timer:send_interval/3).

    The timer ends when it is cancelled, or when the process dies that `dest` names at the start. Each message to a name
    goes to the process that has it then, if there is one. Raises ValueError unless `seconds` are more than 0, and
    NoProcessError for a name that no process has at the start.
    """
    current_process("send_interval")
    return _start_interval(dest, seconds, _send_if_there, (dest, isolate(message)))


def apply_after(seconds: float, fn: Callable[..., object], *args: Term, **kwargs: Term) -> TimerRef:
    """Run ``fn(*args, **kwargs)`` in a process of its own after `seconds` (OTP: timer:apply_after/4).

    The timer goes on when the caller dies. Raises TypeError for what is not a function.
    """
    _check_function("apply_after", fn)
    current_process("apply_after")
    return _start(_fire_once, seconds, spawn, (fn, *args), kwargs)


def apply_interval(seconds: float, fn: Callable[..., object], *args: Term, **kwargs: Term) -> TimerRef:
    """Run ``fn(*args, **kwargs)`` in a process of its own every `seconds` (OTP: timer:apply_interval/4).

    The timer ends when it is cancelled or the caller dies. A run that takes longer than `seconds` does not delay the
    next, and one that fails ends nothing but itself. Raises ValueError unless `seconds` are more than 0.
    """
    _check_function("apply_interval", fn)
    caller = current_process("apply_interval")
    return _start_interval(caller.pid, seconds, spawn, (fn, *args), kwargs)


def exit_after(pid: Pid, reason: Term, seconds: float) -> TimerRef:
    """Send `pid` the exit signal `reason` after `seconds` (OTP: timer:exit_after/3).

    Nothing happens when it is dead by then. Raises TypeError for what is not a Pid.
    """
    return _exit_after("exit_after", pid, reason, seconds)


def kill_after(pid: Pid, seconds: float) -> TimerRef:
    """Kill `pid` after `seconds` (OTP: timer:kill_after/2)."""
    return _exit_after("kill_after", pid, "kill", seconds)


def cancel(ref: TimerRef) -> bool:
    """Stop a timer of this module or of `send_after` (OTP: timer:cancel/1).

    Returns whether it was still pending. Any process may cancel it. Raises TypeError for what is not a timer.
    """
    pid = _running.pop(ref, None) if isinstance(ref, TimerRef) else None
    if pid is None:
        return cancel_timer(ref) is not None
    exit(pid, "kill")
    return True


def _exit_after(function: str, pid: Pid, reason: Term, seconds: float) -> TimerRef:
    if not isinstance(pid, Pid):
        raise TypeError(f"{function}() takes a Pid, not {pid!r}; whereis(name) finds one by name")
    current_process(function)
    return _start(_fire_once, seconds, exit, (pid, isolate(reason)), {})


def _start_interval(
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
    return _start(_fire_often, seconds, action, args, kwargs or {}, pid)


def _start(body: Callable[..., None], seconds: float, *more: Term) -> TimerRef:
    check_seconds(seconds, "seconds")
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
        raise TypeError(f"{name}() takes seconds and a function, not {fn!r}")
