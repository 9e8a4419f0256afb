"""How a thread beside the hub works: in short stretches, with rests in which the hub gets the interpreter."""

from __future__ import annotations

import time

from runtime.kernel import threads

STRETCH = 0.0015
"""Seconds of work after which the thread releases the interpreter."""

REST = 0.001
"""Seconds of rest. A shorter rest may be over before the hub's thread has woken up."""


class Pace:
    """Cuts a long piece of work on a native thread into stretches, so that the hub never waits for long.

    Call `breathe` every hundred steps or so.
    """

    __slots__ = ("_begun", "_since")

    def __init__(self) -> None:
        self._begun = time.thread_time()
        self._since = time.perf_counter()

    def breathe(self) -> None:
        """Let other threads run when this one has worked for a stretch."""
        if time.perf_counter() - self._since >= STRETCH:
            threads.sleep(REST)
            self._since = time.perf_counter()

    def spent(self) -> float:
        """Return the processor time that this thread has used since the work began, without that of other threads."""
        return time.thread_time() - self._begun
