"""What a worker of a stream does on a peer: it runs batches of items, and sends their outcomes to the caller."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import length_hint
from time import perf_counter, thread_time
from typing import Any, TypeVar

from runtime.distribution.unreadable import CONTENT, Unreadable
from runtime.kernel.caught import caught_reason
from runtime.kernel.mailbox import receive, send, sleep
from runtime.kernel.process import Pid
from runtime.kernel.processes import monitor
from runtime.kernel.signals import Down
from runtime.terms.ref import Ref
from runtime.terms.term import Term

T = TypeVar("T")

BATCH_TIME = 0.04
"""Seconds of work that `async_stream` sends to a worker at a time, at most.

Each batch costs the peer and the caller up to a millisecond: what they do for it has left the processor's caches.
"""

AHEAD = 2
"""Batches that a worker has at a time, so that it need not wait for the next one."""

OVER = "over"
"""What the caller sends to a worker that has nothing to run, once there is nothing more."""

BUSY_SHARE = 1 / 4
"""Of the time by the clock, what counts as work at least, where a batch gets little of the processor, or waits.

Were it all, batches would be shortest on a busy machine, where each costs most.
"""


def run_batches(
    caller: Pid, ref: Ref, number: int, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    """Run the batches of a stream on a peer, as the worker of that number; it ends with the caller."""
    over, sender = monitor(caller), (ref, number)
    kept: deque[tuple[int, list[Any], dict[int, Term]]] = deque(maxlen=AHEAD)
    while True:
        match receive():
            case Down(ref=gone) if gone == over:
                return
            case str():  # `OVER`
                return
            case (position, _, Unreadable(why)):
                send(ref, (*sender, position, CONTENT, ("items", why)))
            case (position, _, items):
                began, used = perf_counter(), thread_time()
                results, failures = run_batch(items, fn, args, kwargs)
                seconds = max(thread_time() - used, BUSY_SHARE * (perf_counter() - began))
                kept.append((position, results, failures))
                _report(sender, position, results, failures, seconds)
                sleep(0)  # so that it leaves now, and another batch comes while the next one runs
            case (position, _):
                for position, results, failures in [batch for batch in kept if batch[0] == position]:
                    for number, result in enumerate(results):
                        failure = {0: failures[number]} if number in failures else {}
                        _report(sender, position + number, [result], failure, BATCH_TIME)


def _report(
    sender: tuple[Ref, int], position: int, results: list[Any], failures: dict[int, Term], seconds: float
) -> None:
    """Send the outcomes of a batch. Where they do not travel together, they are asked for one by one."""
    try:
        send(sender[0], (*sender, position, CONTENT, (results, failures, seconds)))
    except BaseException as error:  # whatever the program's __reduce__ raises, RecursionError for what is nested deeply
        reason = caught_reason(error)
        problem = Unreadable(str(error)) if len(results) > 1 else ([None], {0: reason}, seconds)
        send(sender[0], (*sender, position, CONTENT, problem))


def run_batch(
    items: list[Any], fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[list[T | None], dict[int, Term]]:
    """Return what `fn` returns for each item, and by the numbers of the others what it ended with."""
    results: list[T | None] = []
    failures: dict[int, Term] = {}
    rest = iter(items)
    append = results.append
    while True:
        try:  # one for many items, and two loops, as each item of a short job counts
            if args or kwargs:
                for item in rest:
                    append(fn(item, *args, **kwargs))
            else:
                for item in rest:
                    append(fn(item))
            return results, failures
        except BaseException as error:
            number = len(results)
            if number + length_hint(rest) == len(items):
                raise  # of a signal's handler, between two items
            failures[number] = caught_reason(error)
            append(None)
