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

from runtime.kernel.clock import now
from runtime.kernel.mailbox import check_seconds, receive, send
from runtime.kernel.names import whereis
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import exit, monitor, self_, spawn
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
    """Send `message` to `dest`, a Pid or a name, every `seconds` until it is cancelled or `dest` is dead.

    The process is looked up once: a name that passes to another process takes no timer along. Raises ValueError unless
    `seconds` are more than 0.
    """
    return _start_interval(dest, seconds, send, (dest, isolate(message)))


def apply_after(seconds: float, fn: Callable[..., object], *args: Term, **kwargs: Term) -> TimerRef:
    """Run ``fn(*args, **kwargs)`` in a process of its own after `seconds`, whatever becomes of the caller."""
    _check_function("apply_after", fn)
    return _start(_fire_once, seconds, spawn, (fn, *args), kwargs)


def apply_interval(seconds: float, fn: Callable[..., object], *args: Term, **kwargs: Term) -> TimerRef:
    """Run ``fn(*args, **kwargs)`` in a process of its own every `seconds`, until it is cancelled or the caller dies.

    A run that takes longer than `seconds` does not delay the next. Raises ValueError unless `seconds` are more than 0.
    """
    _check_function("apply_interval", fn)
    return _start_interval(self_(), seconds, spawn, (fn, *args), kwargs)


def exit_after(pid: Pid, reason: Term, seconds: float) -> TimerRef:
    """Send `pid` the exit signal `reason` after `seconds`."""
    if not isinstance(pid, Pid):
        raise TypeError(f"exit_after() takes a Pid, not {pid!r}; whereis(name) finds one by name")
    return _start(_fire_once, seconds, exit, (pid, isolate(reason)), {})


def kill_after(pid: Pid, seconds: float) -> TimerRef:
    """Kill `pid` after `seconds`."""
    return exit_after(pid, "kill", seconds)


def cancel(ref: TimerRef) -> bool:
    """Stop a timer of this module or of `send_after`; return whether it was still pending."""
    pid = _running.pop(ref, None) if isinstance(ref, TimerRef) else None
    if pid is None:
        return cancel_timer(ref) is not None
    exit(pid, "kill")
    return True


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
    current_process("a timer")
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


def _check_function(name: str, fn: object) -> None:
    if not callable(fn):
        raise TypeError(f"{name}() takes seconds and a function, not {fn!r}")
