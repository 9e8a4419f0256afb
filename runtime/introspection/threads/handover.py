"""How a value that one thread works out is handed to another thread that waits for it."""

from __future__ import annotations

from typing import Any

from runtime.kernel.threads import new_lock


class Handover:
    """A value that one thread asks for and another thread sets.

    A request that is given up before it was begun is never carried out.
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
        """Return whether to carry the request out, once. Asked by the thread that is about to."""
        with self._guard:
            is_first = not self.begun and not self.given_up
            self.begun = self.begun or is_first
            return is_first

    def settle(self, value: Any) -> None:
        """Set the value, once."""
        self.value = value
        self._done.release()

    def wait_on(self, seconds: float) -> bool:
        """Wait for at most so many seconds. Return whether there is a value."""
        if self._done.acquire(timeout=seconds):
            self._done.release()
            return True
        return False

    def give_up(self) -> bool:
        """Drop the request unless it was begun. Return whether a value has come all the same."""
        with self._guard:
            self.given_up = not self.begun
        return self.wait_on(0)
