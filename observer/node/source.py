"""Where the dashboard gets its answers from: a node, however it is reached.

The dashboard codes against `Source`; a connection to a socket implements it for the command, and an in-memory node
for tests.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Protocol

from runtime.introspection import wire


class NodeLostError(Exception):
    """The node cannot be reached, or went away while it was asked.

    Its text is a sentence for a person. It is *not* raised when the node answers that it will not or cannot do
    something: that is a `wire.Failed`.
    """


@dataclass(frozen=True)
class ChildStatus:
    """How the child process that ``observer demo`` and ``observer run`` started is doing."""

    command: str
    """The command line it was started with."""
    returncode: int | None = None
    """Its exit status (negative: the signal that ended it), None while it runs."""
    stderr: tuple[str, ...] = ()
    """The last lines it wrote to standard error, oldest first."""
    output: tuple[str, ...] = ()
    """The last lines it wrote to standard output and standard error, oldest first."""
    cause: str = ""
    """What it died of, in a line: ``KeyError: 'port' (app.py:12 in init)``; empty while it runs, or if unknown."""
    bridge_to: str = ""
    """The Erlang or Elixir node that it is the bridge to; empty for a program of one's own."""

    @property
    def known_as(self) -> str:
        """What to call it at the beginning of a sentence."""
        return f"The bridge to {self.bridge_to}" if self.bridge_to else "The program"

    @property
    def ending(self) -> str:
        """How it ended, as the end of a sentence: ``ended with exit status 3``, ``was ended by SIGKILL``."""
        code = self.returncode or 0
        if code >= 0:
            return f"ended with exit status {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"


class Source(Protocol):
    """A node that can be asked. Questions may be asked while others are pending."""

    @property
    def name(self) -> str:
        """The node's name, for the title."""

    async def connect(self) -> wire.Welcome:
        """Connect, or connect again after a loss. Raises `NodeLostError`."""

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer. Raises `NodeLostError` when the connection is gone."""

    async def close(self) -> None:
        """Let the connection go. Never raises, and may be called twice."""

    def child(self) -> ChildStatus | None:
        """Return how the child process is doing; None when the node was not started from here."""
