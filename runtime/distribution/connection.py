"""A connection to another node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.distribution.parts import ABSENT


class Connection:
    """A connection to another node that is up, or was. All methods are for the hub's thread."""

    name: str
    """The name of the other node."""
    creation: int
    is_python: bool
    """Whether the other node is one of this package's, so that any object travels, pickled."""
    hidden: bool
    is_up: bool
    up_since: float
    bytes_in: int
    bytes_out: int
    frames_in: int
    frames_out: int
    exit_payload = False
    """Whether reasons travel as payloads: never, as the flag is not offered."""
    on_idle: Callable[[Connection], None] | None = None
    """What is called when a connection that was busy has room again."""

    def is_busy(self) -> bool:
        """Whether so much waits to be sent that senders are to be suspended."""
        raise NotImplementedError

    @property
    def queued(self) -> int:
        """How many bytes wait to be sent."""
        raise NotImplementedError

    def send(self, control: tuple[Any, ...], payload: Any = ABSENT) -> bool:
        """Queue a control message. Returns False when the connection is down.

        Raises TypeError, and sends nothing, when a value has no counterpart at the other node.
        """
        raise NotImplementedError

    def close(self, reason: str = "disconnect") -> None:
        """End the connection; ``on_down`` comes once."""
        raise NotImplementedError
