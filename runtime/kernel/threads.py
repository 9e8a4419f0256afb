"""Threads, locks and sleeps of the operating system, also in a program that gevent has patched.

The endpoint must answer while the hub is stuck, so nothing it waits for may go through the hub. gevent's
``monkey.patch_all`` replaces the standard library's functions; these are the originals, whenever it was called.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, cast

from gevent.monkey import get_original

start_thread = cast(Callable[..., int], get_original("_thread", "start_new_thread"))
"""Start a thread that runs ``function(*args)``; the program does not wait for its end."""

new_lock = cast(Callable[[], Any], get_original("_thread", "allocate_lock"))
"""Make a lock that blocks the calling thread."""

sleep = cast(Callable[[float], None], get_original("time", "sleep"))
"""Block the calling thread for some seconds; the others run."""

close = cast(Callable[[int], None], get_original("os", "close"))
"""Close a file descriptor at once. gevent's own function puts it off until its loop has run, and a fork has it open."""

get_ident = cast(Callable[[], int], get_original("_thread", "get_ident"))
"""Name the calling thread by a number; gevent's own function names the greenlet."""


_forked_in: int | None = None
"""The thread that has forked this process, which is its main thread; None in a process that was not forked."""


def _note_main_thread() -> None:
    global _forked_in
    _forked_in = get_ident()


os.register_at_fork(after_in_child=_note_main_thread)


def in_main_thread() -> bool:
    """Return whether the caller is the thread that signals reach."""
    if _forked_in is not None:  # there `threading` goes on with the native id that the thread had in the parent
        return get_ident() == _forked_in
    return threading.get_native_id() == threading.main_thread().native_id


def take_turns(seconds: float) -> Callable[[], None]:
    """Have a thread that waits for the interpreter get it after so many seconds, if it would have to wait longer.

    Returns a function that takes it back.
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
