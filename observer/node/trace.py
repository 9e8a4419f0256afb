"""A trace of a node, for a program that blocks: begun, read until it ends, and ended early when that is wanted."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from observer.node.client import Client
from runtime.introspection import wire

WAIT = 0.25
"""Seconds that a question waits at the node for something new."""


class TraceSession:
    """The trace of one connection. Raises `NodeLostError` when the node is gone, `NodeRefusedError` when it refuses."""

    def __init__(self, client: Client, query: wire.StartTrace) -> None:
        self._client = client
        self.state = client.expect(wire.TraceState, query)

    def events(self) -> Iterator[tuple[wire.TraceEvent, ...]]:
        """Yield what is noted, until the trace has ended and all is read; now and then nothing, for want of events."""
        while True:
            self.state = self._client.expect(wire.TraceState, wire.ReadTrace(after=self.state.last, wait=WAIT))
            if not self.state.events and not self.state.running:
                return
            yield self.state.events

    def stop(self) -> None:
        """End it. What it has noted can still be read."""
        self._client.expect(wire.TraceState, wire.StopTrace(after=self.state.last))

    def end(self, why: str) -> None:
        """Note that it is over, for the reason that is given in a sentence. The node is asked nothing."""
        self.state = msgspec.structs.replace(self.state, running=False, ending=why)
