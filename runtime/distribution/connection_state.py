"""What a connection to another node knows of itself, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.distribution.frames import FrameBuffer
from runtime.distribution.greeting import Greeting, Terms
from runtime.distribution.handshake import Own, Peer
from runtime.distribution.hub_calls import HubCalls
from runtime.distribution.outgoing import BUSY, KEPT, OutgoingBytes, OutgoingFrames
from runtime.distribution.parts import Handler
from runtime.distribution.transport import Transport
from runtime.kernel.threads import new_lock

if TYPE_CHECKING:
    from runtime.distribution.connection import Connection

READ, WRITE = 1, 2


class ConnectionState:
    """The state of a `Connection`."""

    exit_payload = False
    """Whether reasons travel as payloads: never, as the flag is not offered."""
    on_idle: Callable[[Connection], None] | None = None
    """What is called when a connection that was busy has room again."""

    def __init__(
        self,
        transport: Transport,
        own: Own,
        peer: Peer,
        terms: Terms,
        hub: HubCalls,
        handler: Handler,
        over: Callable[[Connection, str], object],
        came_up: Callable[[Connection], object],
    ) -> None:
        self.name = peer.name
        self.creation = peer.creation
        self.flags = peer.flags
        self.hidden = peer.hidden
        self.is_python = False
        """Whether the other node is one of this package's."""
        self.pickles = False
        """Whether any object travels, since both nodes are of this package and trust pickles."""
        self.is_up = False
        self.is_over = False
        self.up_since = 0.0
        self.frames_in = 0
        self._greeting = Greeting(own, terms.trust)
        self._terms = terms
        self._hub = hub
        self._handler = handler
        self._over = over
        self._came_up = came_up
        self._transport = transport
        self._lock = new_lock()
        self._frames = OutgoingFrames(terms.conversion)
        self.batches = self._frames.batches
        """What collects the messages to a node of this package."""
        self._out = OutgoingBytes(transport)
        self.was_busy = False
        """Whether senders are suspended."""
        self.flushes = False
        """Whether what waits is sent when the hub comes round."""
        self._is_writing = False
        """Whether the hub holds the lock to write."""
        self._received = FrameBuffer(transport.received)
        self._entries: list[tuple[Any, ...]] = []
        """The rest of the batch that is being delivered, the last entry first."""
        self._ends: str | None = None
        """Why the connection ends once all that has come is handled."""
        self._turn: Any = None
        """The hub's callback that goes on handling it."""
        self._is_behind = False
        """Whether something has come in that is not handled yet."""
        self._attempts: tuple[Any, int] = (None, 0)
        """The frame or the entry that an exception was raised for last, and how often."""
        self._leaves: str | None = None
        """Why it ends, until all have been told."""
        self._was_up = False
        """Whether it was up before it ended."""
        self._probes = True
        """Whether the answer to the first monitor is still to come, which stays in here."""
        self._heard = self._said = 0
        """What `bytes_in` and `bytes_out` were when the guard last looked."""
        self._silent = 0
        self._reader: Any = hub.loop.io(transport.fileno(), READ, ref=False)
        self._writer: Any = hub.loop.io(transport.fileno(), WRITE, ref=False)
        self._waits_for_room = False

    def __repr__(self) -> str:
        return f"<Connection to {self.name}, {'up' if self.is_up else 'down'}>"

    def ends(self) -> tuple[tuple[object, ...], tuple[object, ...]] | None:
        """Return the addresses of this side and of the other one, None when it is over. From any thread."""
        return self._transport.ends()

    @property
    def queued(self) -> int:
        """Return how many bytes wait to be sent, about."""
        return self._out.size + self._frames.size + self.batches.size

    @property
    def bytes_out(self) -> int:
        """Return how many bytes were sent."""
        return self._out.sent

    @property
    def bytes_in(self) -> int:
        """Return how many bytes have come."""
        return self._received.bytes_in

    @property
    def frames_out(self) -> int:
        """Return how many messages were sent."""
        return self._frames.messages

    def is_busy(self) -> bool:
        """Return whether so much waits to be sent that all senders are to be suspended until `on_idle`."""
        if not self.was_busy and self._out.size + self._frames.size + self.batches.size > BUSY:
            self.was_busy = True
        return self.was_busy

    def keeps_much(self) -> bool:
        """Return what `is_busy` does, and True already when more than `KEPT` bytes wait for a turn of the hub."""
        self.was_busy = self._frames.size > KEPT or self.is_busy()
        return self.was_busy
