"""How a value that one thread finds is handed to another thread that waits for it."""

from __future__ import annotations

from typing import Any

from runtime.kernel.threads import new_lock


class Handover:
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
