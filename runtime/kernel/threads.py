"""Threads, locks and sleeps of the operating system, also in a program that gevent has patched.

The endpoint must answer while the hub is stuck, so nothing it waits for may go through the hub. gevent's
``monkey.patch_all`` replaces the standard library's functions; these are the originals, whenever it was called.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from gevent.monkey import get_original

start_thread = cast(Callable[..., int], get_original("_thread", "start_new_thread"))
"""Start a thread that runs ``function(*args)``; the program does not wait for its end."""

new_lock = cast(Callable[[], Any], get_original("_thread", "allocate_lock"))
"""Make a lock that blocks the calling thread."""

sleep = cast(Callable[[float], None], get_original("time", "sleep"))
"""Block the calling thread for some seconds; the others run."""

get_ident = cast(Callable[[], int], get_original("_thread", "get_ident"))
"""Name the calling thread by a number; gevent's own function names the greenlet."""


def in_main_thread() -> bool:
    """Whether the caller is the thread that signals reach."""
    return threading.get_native_id() == threading.main_thread().native_id


def take_turns(seconds: float) -> Callable[[], None]:
    """Have a thread that waits for the interpreter get it after so many seconds, if it would have to wait longer.

    Gives a function that takes it back.
    """
    before = sys.getswitchinterval()
    if before <= seconds:
        return lambda: None
    sys.setswitchinterval(seconds)
    ours = sys.getswitchinterval()

    def take_back() -> None:
        if sys.getswitchinterval() == ours:
            sys.setswitchinterval(before)

    return take_back


STRETCH = 0.0015
"""Seconds of work after which a thread that is not the hub's lets go of the interpreter."""

REST = 0.001
"""Seconds that it then waits: a shorter pause may end before the hub's thread has woken up."""


class Pace:
    """Breaks a long piece of work on a native thread into stretches, so that the hub is never kept waiting for long.

    Call `breathe` every few hundred steps.
    """

    __slots__ = ("_begun", "_since")

    def __init__(self) -> None:
        self._begun = time.thread_time()
        self._since = time.perf_counter()

    def breathe(self) -> None:
        """Let other threads run when this one has worked for a stretch."""
        if time.perf_counter() - self._since >= STRETCH:
            sleep(REST)
            self._since = time.perf_counter()

    def spent(self) -> float:
        """Give the seconds of processor time that this thread has used since; what others took does not count."""
        return time.thread_time() - self._begun


class Outcome:
    """What another thread is asked to find out: one sets it, one waits for it.

    A request that was given up before it was begun is not carried out at all.
    """

    __slots__ = ("_done", "_guard", "begun", "given_up", "value")

    def __init__(self) -> None:
        self._done = new_lock()
        self._done.acquire()
        self._guard = new_lock()
        self.begun = False
        self.given_up = False
        self.value: Any = None

    def begin(self) -> bool:
        """Whether to carry the request out, asked by the one who is about to."""
        with self._guard:
            self.begun = not self.given_up
            return self.begun

    def settle(self, value: Any) -> None:
        """Set the value, once."""
        self.value = value
        self._done.release()

    def wait_on(self, seconds: float) -> bool:
        """Wait at most that long; whether there is a value."""
        if self._done.acquire(timeout=seconds):
            self._done.release()
            return True
        return False

    def give_up(self) -> bool:
        """Have the request dropped unless it was begun; whether there is a value after all."""
        with self._guard:
            self.given_up = not self.begun
        return self.wait_on(0)
