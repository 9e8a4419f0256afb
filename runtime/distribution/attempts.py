"""Connections that are under way: which of two that meet goes on, and who waits for the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.distribution.handshake import Status
from runtime.kernel.threads import new_lock

if TYPE_CHECKING:
    from runtime.distribution.connection import Connection


class Attempt:
    """One handshake with a node: ours with it (`is_ours`), or its with us."""

    def __init__(self, name: str, is_ours: bool) -> None:
        self.name = name
        self.is_ours = is_ours
        self.is_wanted = is_ours
        """Whether this node waits for the connection, so that a failure is to be told."""
        self.is_begun = False
        """Whether a thread works on it."""
        self.is_over = False
        """Whether it has come to its end, and who waits for it is being told."""
        self.connection: Connection | None = None
        """The connection that it has come to."""


class Attempts:
    """The handshakes of one node with others, at most one that counts for each of them. For any thread.

    When two nodes connect to each other at once, the connection of the one with the greater name goes on, as in OTP.
    """

    def __init__(self, own_name: str) -> None:
        self._own_name = own_name
        self._lock = new_lock()
        self._pending: dict[str, Attempt] = {}
        self._up: set[str] = set()

    def dial(self, name: str) -> Attempt | None:
        """Return a new attempt of ours. None where one is under way already, of either side; its end decides then.

        One that has not been begun, as an exception has struck before, is returned again.
        """
        with self._lock:
            found = self._pending.get(name)
            if found is not None:
                found.is_wanted = True
                return found if found.is_ours and not found.is_begun else None
            attempt = self._pending[name] = Attempt(name, True)
            return attempt

    def claim(self, name: str) -> tuple[Status, Attempt | None]:
        """Return what to answer a node that connects, and the attempt if it may go on."""
        with self._lock:
            if name == self._own_name:
                return "not_allowed", None
            found = self._pending.get(name)
            if found is not None and found.is_ours and self._own_name > name:
                return "nok", None
            attempt = Attempt(name, False)
            attempt.is_wanted = found is not None and found.is_wanted
            self._pending[name] = attempt
            if name in self._up:
                return "alive", attempt
            return "ok" if found is None else "ok_simultaneous", attempt

    def begin(self, attempt: Attempt) -> bool:
        """Begin with an attempt, on its thread. Returns False where another thread has."""
        with self._lock:
            is_first, attempt.is_begun = not attempt.is_begun, True
            return is_first

    def is_current(self, attempt: Attempt) -> bool:
        """Return whether no other attempt has taken the place of this one."""
        return self._pending.get(attempt.name) is attempt

    def finish(self, attempt: Attempt) -> bool:
        """Forget an attempt that has come to its end. Returns whether it was the one that counts."""
        with self._lock:
            if self._pending.get(attempt.name) is not attempt:
                return False
            del self._pending[attempt.name]
            return True

    def is_up(self, name: str) -> bool:
        """Return whether there is a connection to a node."""
        return name in self._up

    def note_up(self, name: str) -> None:
        """Know that there is a connection to a node."""
        with self._lock:
            self._up.add(name)

    def note_down(self, name: str) -> None:
        """Know that there is none any more."""
        with self._lock:
            self._up.discard(name)
