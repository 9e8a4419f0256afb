"""Hooks into the life of a node. One that is not overridden costs nothing; one that raises is logged and removed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from runtime.terms.log import Log
from runtime.terms.text import render

logger = Log("runtime.instrument")


class Instrument:
    """Base class of observers inside the node: override the hooks that interest you, then install an instance.

    `install_instrument` does that, and `remove_instrument` takes it out again.

    Hooks run on the hub, in the middle of the runtime's work: they must be short, must not block, and must not call
    back into the runtime. `process` is the runtime's record of it (its `pid`, `name` and the like may be read).
    """

    hears_of_restarts = True
    """Whether `event` is told of ``restarted``; a supervisor may restart a hundred thousand children in a second."""

    def spawned(self, process: Any) -> None:
        """Take note that a process was made."""

    def exited(self, process: Any, reason: Any, cause: Any) -> None:
        """Take note of a death; `cause` is the pid whose signal or link ended it, None when it ended by itself."""

    def sent(self, sender: Any, process: Any, message: Any) -> None:
        """Take note that a message was put into the mailbox of `process`; without a `sender` no process sent it."""

    def received(self, process: Any, message: Any) -> None:
        """Take note that a process took a message out of its mailbox."""

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        """Take note of something rarer: ``restarted``, ``restart_failed``, ``gave_up``, ``stalled``, ``node_up``,
        ``node_down``, ``program_ended``.
        """

    def reported(self, report: Any) -> None:
        """Take a `runtime.kernel.reports.Report` that was made: a crash, supervisor or progress report."""


HOOKS = ("event", "exited", "received", "reported", "sent", "spawned")
"""The hooks, which are methods of an instrument."""


class Hooks:
    """The hooks in force: for each, the functions to call. An empty tuple where no instrument looks."""

    __slots__ = (*HOOKS, "restarted")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Take every hook out."""
        self.spawned: tuple[Callable[..., None], ...] = ()
        self.exited: tuple[Callable[..., None], ...] = ()
        self.sent: tuple[Callable[..., None], ...] = ()
        self.received: tuple[Callable[..., None], ...] = ()
        self.event: tuple[Callable[..., None], ...] = ()
        self.restarted: tuple[Callable[..., None], ...] = ()
        """Those of `event` that are told of ``restarted`` too."""
        self.reported: tuple[Callable[..., None], ...] = ()


hooks = Hooks()
_installed: list[Instrument] = []


def install_instrument(instrument: Instrument) -> None:
    """Switch on the hooks that `instrument` overrides. Raises TypeError for anything but an `Instrument`."""
    if not isinstance(instrument, Instrument):
        raise TypeError(f"{render(instrument)} is not an Instrument; subclass runtime.Instrument")
    _installed.append(instrument)
    _rebuild()


def remove_instrument(instrument: Instrument) -> None:
    """Switch the hooks of `instrument` off; nothing happens when it is not installed."""
    if instrument in _installed:
        _installed.remove(instrument)
        _rebuild()


def _rebuild() -> None:
    hooks.clear()
    for name in HOOKS:
        wanted = [i for i in _installed if getattr(type(i), name) is not getattr(Instrument, name)]
        guarded = [_guard(i, name) for i in wanted]
        setattr(hooks, name, tuple(guarded))
        if name == "event":
            hooks.restarted = tuple(hook for i, hook in zip(wanted, guarded, strict=True) if i.hears_of_restarts)


def _guard(instrument: Instrument, name: str) -> Callable[..., None]:
    hook = getattr(instrument, name)

    def call_hook(*args: Any) -> None:
        try:
            hook(*args)
        except BaseException:  # also SystemExit: it is no process's own
            remove_instrument(instrument)
            with suppress(BaseException):  # of a handler of the log: whoever is spawned or ends goes on
                logger.exception("the hook %s of %r raised; the instrument is removed", name, instrument)

    return call_hook


def emit(kind: str, **fields: Any) -> None:
    """Tell who listens that something rare happened."""
    for hook in hooks.restarted if kind == "restarted" else hooks.event:
        hook(kind, fields)
