"""A gevent program without a single process: greenlets, and nothing that would start one again.

The observer watches such a program too. Alone, ``python -m demos.plain`` has two waiters serve a few orders, one of
which is spoiled: the waiter who takes it is gone for good. In the observer there are three waiters and a cook:

- The greenlets stand in a group of their own. ``enter`` on one of them shows the line of the program it waits in.
- Every ten seconds or so a waiter takes a spoiled order and dies of it. The events (``4``) tell which one and why, and
  ``enter`` there shows the stack. ``x`` on a waiter does the same to it. When the last of them is gone, orders pile up.
- What cures it: waiters that are processes, under a supervisor. ``observer demo crash_loop`` is such a kitchen.
"""

from __future__ import annotations

import os
import sys
from itertools import count

import gevent
from gevent.queue import Queue

EVERY = 0.5
"""Seconds between two orders."""

SPOILED = 20
"""One order in so many is spoiled."""


class SpoiledOrder(Exception):
    """Ends a waiter."""


def waiter(orders: Queue[int], served: list[int]) -> None:
    """Serve orders, one after another."""
    for order in orders:
        if order % SPOILED == 0:
            raise SpoiledOrder(f"order {order} is spoiled")
        served.append(order)
        gevent.sleep(EVERY)


def cook(orders: Queue[int]) -> None:
    """Put order after order on the counter."""
    for order in count(1):
        orders.put(order)
        gevent.sleep(EVERY)


def kitchen() -> None:
    """Open the kitchen, and open another one when no waiter is left in it."""
    while True:
        orders: Queue[int] = Queue()
        waiters = [gevent.spawn(waiter, orders, []) for _ in range(3)]
        cooking = gevent.spawn(cook, orders)
        gevent.joinall(waiters)
        gevent.sleep(30 * EVERY)
        cooking.kill()


def session() -> None:
    """Have two waiters serve a few orders, one of which is spoiled."""
    gevent.get_hub().NOT_ERROR += (SpoiledOrder,)  # gevent would print the whole traceback
    orders: Queue[int] = Queue()
    served: list[int] = []
    waiters = [gevent.spawn(waiter, orders, served) for _ in range(2)]
    for order in (1, SPOILED, 3):
        orders.put(order)
    gevent.sleep(3 * EVERY)
    gone = [each for each in waiters if each.dead]
    print(f"served: {served}")
    print(f"gone: {len(gone)} of {len(waiters)} waiters, because {gone[0].exception}")
    gevent.killall(waiters)


if __name__ == "__main__":
    try:
        if os.environ.get("OBSERVER") == "1":
            kitchen()
        else:
            session()
    except KeyboardInterrupt:
        sys.exit(130)
