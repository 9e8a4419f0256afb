"""Code outside any process: in a plain greenlet, and in a thread that is not the node's."""

from collections.abc import Callable
from typing import Any

import gevent

from runtime import sleep
from runtime.kernel.threads import start_thread


def in_greenlet(work: Callable[[], Any]) -> Any:
    """Run a function in a plain greenlet; return what it returns."""
    return gevent.spawn(work).get()


def in_thread(work: Callable[[], Any]) -> Any:
    """Run a function in a native thread while the node goes on; return what it returns."""
    outcome: list[Any] = []

    def keep() -> None:
        try:
            outcome.append((True, work()))
        except BaseException as error:
            outcome.append((False, error))

    start_thread(keep, ())
    while not outcome:
        sleep(0.001)
    succeeded, value = outcome[0]
    if not succeeded:
        raise value
    return value
