"""Taps: tell a trace what no hook of an instrument reports, by replacing functions of the kernel while it runs.

Casts, calls, replies, exit signals, links and monitors take ways that have no hook: one would cost every call of a
node something, whether it is traced or not. So while a trace runs, the functions of these ways are replaced, in all
modules of the runtime that use them, by functions that tell the trace first. When the last trace has ended, the
functions are put back. Everything here is for the node's thread.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from inspect import unwrap
from typing import Any

from runtime.compiled import choice
from runtime.kernel import signals
from runtime.kernel.process import Destination, Pid, Process, Timer
from runtime.otp.calls import PENDING, From
from runtime.terms.log import Log
from runtime.terms.ref import Ref
from runtime.terms.term import Term

PACKAGE = "runtime."
"""What the names of the modules begin with in which functions are replaced."""

logger = Log("runtime.introspection")


class Tap(ABC):
    """Gets each thing that happens, just before it does. One whose method raises is logged and removed."""

    @abstractmethod
    def fail(self) -> None:
        """Note that it was removed because it raised an exception."""

    @abstractmethod
    def put(self, process: Process, message: Term) -> None:
        """Note that a message is put into a mailbox, but for those of `send`: the hook `sent` reports them."""

    @abstractmethod
    def settled(self, call: From, outcome: Term) -> None:
        """Note that a call that waits gets its outcome: the reply, or a `Failure` when the server has died."""

    @abstractmethod
    def given_up(self, call: From) -> None:
        """Note that a caller no longer waits for the reply: the time is over, or the caller has ended."""

    @abstractmethod
    def signalled(self, target: Process, sender: Pid, reason: Term, linked: bool) -> None:
        """Note that an exit signal is delivered, through a link or not."""

    @abstractmethod
    def linked(self, one: Process, other: Process) -> None:
        """Two processes are linked."""

    @abstractmethod
    def unlinked(self, one: Process, other: Process) -> None:
        """Note that a link is taken away."""

    @abstractmethod
    def monitored(self, watcher: Process, target: Process) -> None:
        """Note that a monitor is set."""

    @abstractmethod
    def demonitored(self, watcher: Process, target: Process) -> None:
        """Note that a monitor is taken away, before it has delivered anything."""


_taps: tuple[Tap, ...] = ()


def add_tap(tap: Tap) -> None:
    """Tell `tap` of all that happens from now on."""
    global _taps
    _leave_to_sources(True)
    _taps = (*_taps, tap)
    _replace(_REPLACEMENTS)
    From.settle, From.forget = _settle, _forget  # type: ignore[assignment, method-assign]


def remove_tap(tap: Tap) -> None:
    """Send `tap` nothing more. Does nothing when it was sent nothing before."""
    global _taps
    _taps = tuple(each for each in _taps if each is not tap)
    if not _taps:
        _leave_to_sources(False)
        _replace({new: old for old, new in _REPLACEMENTS.items()})
        From.settle, From.forget = _original_settle, _original_forget  # type: ignore[method-assign]


def _leave_to_sources(is_tapped: bool) -> None:
    """Keep the compiled kernel, whose functions cannot be replaced, from doing what is to be told."""
    kernel = choice.part("runtime.kernel._kernel")
    if kernel is not None:
        kernel.leave_to_sources(is_tapped)


def _replace(functions: dict[Callable[..., Any], Callable[..., Any]]) -> None:
    """Replace functions in all modules of the runtime, those included that were loaded since the last time."""
    wanted = {id(old): new for old, new in functions.items()}
    for name, module in [*sys.modules.items()]:
        if name.startswith(PACKAGE) and name != __name__:
            for key, value in [*vars(module).items()]:
                new = wanted.get(id(value))
                if new is not None:
                    setattr(module, key, new)


_original_put = signals.put
_original_put_all = signals.put_all
_original_put_once = signals.put_once
_original_signal = signals.exit_signal
_source_of_signal = unwrap(signals.exit_signal)
_original_link = signals.link_processes
_original_unlink = signals.unlink_processes
_original_watch = signals.watch
_original_drop_watch = signals.drop_watch
_original_settle = From.settle
_original_forget = From.forget


def _tell(what: str, *about: Any) -> None:
    """Tell each tap. An exception of one is not the program's, whose work goes on."""
    for tap in _taps:
        try:
            getattr(tap, what)(*about)
        except Exception:
            logger.exception("%s of %r raised; it gets nothing more", what, tap)
            remove_tap(tap)
            tap.fail()


def _put(process: Process, message: Term) -> None:
    _tell("put", process, message)
    _original_put(process, message)


def _put_all(process: Process, messages: list[Term] | tuple[Term]) -> None:
    for message in messages:
        _tell("put", process, message)
    _original_put_all(process, messages)


def _put_once(process: Process, timer: Timer) -> None:
    _tell("put", process, timer.message)
    _original_put_once(process, timer)


def _exit_signal(target: Process, sender: Pid, reason: Term, linked: bool = False) -> None:
    _tell("signalled", target, sender, reason, linked)
    _original_signal(target, sender, reason, linked)


def _exit_signal_by_source(target: Process, sender: Pid, reason: Term, linked: bool = False) -> None:
    _tell("signalled", target, sender, reason, linked)
    _source_of_signal(target, sender, reason, linked)


def _link_processes(one: Process, other: Process) -> None:
    _tell("linked", one, other)
    _original_link(one, other)


def _unlink_processes(one: Process, other: Process) -> None:
    _tell("unlinked", one, other)
    _original_unlink(one, other)


def _watch(watcher: Process, target: Process, ref: Ref, dest: Destination, tag: Term = None) -> None:
    _tell("monitored", watcher, target)
    _original_watch(watcher, target, ref, dest, tag)


def _drop_watch(watcher: Process, ref: Ref) -> bool:
    target = None if watcher.monitors is None else watcher.monitors.get(ref.id)
    if target is not None:
        _tell("demonitored", watcher, target)
    return _original_drop_watch(watcher, ref)


def _settle(call: From, outcome: Term) -> None:
    if call.outcome is PENDING:
        _tell("settled", call, outcome)
    _original_settle(call, outcome)


def _forget(call: From) -> None:
    if call.outcome is PENDING:
        _tell("given_up", call)
    _original_forget(call)


_REPLACEMENTS: dict[Callable[..., Any], Callable[..., Any]] = {
    _original_put: _put,
    _original_put_all: _put_all,
    _original_put_once: _put_once,
    _source_of_signal: _exit_signal_by_source,
    _original_signal: _exit_signal,
    _original_link: _link_processes,
    _original_unlink: _unlink_processes,
    _original_watch: _watch,
    _original_drop_watch: _drop_watch,
}
