"""Tasks on the peers of a pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from runtime.cores.pool import directory_of
from runtime.distribution.nodes import connect_node
from runtime.distribution.unreadable import CONTENT, Unreadable
from runtime.kernel.caught import caught_reason
from runtime.kernel.mailbox import receive, send, sleep
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import exit as exit_process
from runtime.kernel.processes import flag, self_, spawn_link, unlink
from runtime.kernel.signals import Exit
from runtime.otp.calls import call, cast
from runtime.tasks.task import Task, check_function, spawn_task
from runtime.terms.errors import ProcessExit
from runtime.terms.pattern import ANY
from runtime.terms.reason import is_atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.text import render

T = TypeVar("T")

RETRIES = 10
"""How often ``retry=True`` runs again what a peer died with: what kills each peer must come to an end."""

MOST_UNREACHED, UNREACHED_PAUSE = 1_000, 0.01
"""How often a task tries another peer when the one it was lent is gone already, and the seconds in between."""


def retries_of(retry: object) -> int:
    """Return how often a `retry` runs again what a peer died with. Raises ValueError for a wrong one."""
    if isinstance(retry, bool):
        return RETRIES if retry else 0
    if isinstance(retry, int) and retry >= 0:
        return retry
    raise ValueError(f"retry is True, False or a number of times, at least 0, not {render(retry)}")


def async_(
    pool: Destination, fn: Callable[..., T], *args: object, retry: bool | int = False, **kwargs: object
) -> Task[T]:
    """Run ``fn(*args, **kwargs)`` on a free peer of a pool, in a linked task; `await_` returns its result.

    The task waits until a peer is free. When that dies, the task ends with ``"noconnection"``, or with `retry` goes on
    with another peer: as often as that says, ten times for True. Killing the task kills what it runs there. See
    `spawn_task`.
    """
    return spawn_task(_run_on_peer, directory_of(pool), check_function(fn), args, kwargs, retries_of(retry))


def _run_on_peer(
    directory: Pid, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object], retries: int
) -> Any:
    parent: Any = current_process("async_").parent
    flag(trap_exit=True)
    unreached = 0
    while True:
        name, lent = call(directory, "lend", timeout=None)
        if unreached < MOST_UNREACHED and not connect_node(name):  # it is dead, which the directory does not know yet
            unreached += 1
            cast(directory, ("back", lent))
            sleep(UNREACHED_PAUSE)
            continue
        ref = Ref()
        job = spawn_link(_run_job, self_(), ref, fn, args, kwargs, node=name)
        message = receive((ref, CONTENT, ANY), Exit(job, ANY), Exit(parent, ANY))
        cast(directory, ("back", lent))
        if not isinstance(message, Exit):
            unlink(job)
            match message[2]:
                case Unreadable(why):
                    raise ProcessExit(("unreadable_reply", why))
                case "ok", value:
                    return value
                case _, reason:
                    raise ProcessExit(reason)
        if message.pid == job and retries and is_atom(message.reason, "noconnection"):
            retries -= 1
            continue
        exit_process(job, "kill")
        raise ProcessExit(message.reason)


def _run_job(
    caller: Pid, ref: Ref, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    send(caller, (ref, CONTENT, outcome_of(fn, args, kwargs)))


def outcome_of(fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[str, Term]:
    """Return what a function returns or ends with, as ``("ok", result)`` or ``("exit", reason)``."""
    try:
        return "ok", fn(*args, **kwargs)
    except BaseException as error:
        return "exit", caught_reason(error)
