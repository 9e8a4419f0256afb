"""What one turn of the hub has to send to another node: frames, and the batch that becomes the next one; then bytes."""

from __future__ import annotations

from typing import Any

from runtime.compiled.choice import compiled
from runtime.distribution.frames import LONGEST, PASS_THROUGH, too_long
from runtime.distribution.parts import Conversion
from runtime.distribution.pickled import SHORT_CAST, SHORT_SEND, Batches
from runtime.distribution.transport import Transport
from runtime.terms.log import Log

logger = Log("runtime.distribution")

BUSY = 1024 * 1024
"""Bytes that wait above which senders are to be suspended, as in OTP (``+zdbbl``)."""

IDLE = BUSY // 2
"""Bytes that wait below which they go on."""

KEPT = 64 * 1024
"""Bytes in frames above which a process that casts without a pause gives the hub a turn to send them."""


class OutgoingFrames:
    """Collects the frames of a turn in the order in which they were made."""

    def __init__(self, conversion: Conversion) -> None:
        self.batches = Batches(conversion)
        self.size = 0
        """Bytes of the frames, without the batch."""
        self.messages = 0
        """Messages in all frames so far."""
        self._parts: list[bytes] = []

    def put(self, control: bytes, payload: bytes) -> None:
        """Add a frame of terms. Raises TypeError for one that is too long."""
        size = 1 + len(control) + len(payload)
        if size > LONGEST:
            raise too_long(size, LONGEST)
        head = b"%b%c%b" % (size.to_bytes(4, "big"), PASS_THROUGH, control)
        self._parts += (head, payload)  # in one step: half a frame would break all that follows
        self.size += size + 4
        self.messages += 1

    def end_batch(self) -> None:
        """Make a frame of the batch, and begin another batch. What it raises leaves the batch as it is."""
        batches = self.batches
        batches.put_back()
        count = batches.count
        taken = batches.take()
        frames = [taken] if len(taken[1]) < LONGEST else _divided(batches)
        pieces = [
            piece for kind, data in frames for piece in (b"%b%c" % ((len(data) + 1).to_bytes(4, "big"), kind), data)
        ]
        parts, size = [*self._parts, *pieces], self.size + sum(map(len, pieces))
        messages = self.messages + count
        # The batch is there or here, whatever strikes: no handler of a signal runs between the parts of this line.
        self._parts, self.size, self.messages, batches.taken = parts, size, messages, None

    def end_last_batch(self) -> None:
        """Make a frame of the batch, if there is one."""
        if self.batches.count or self.batches.taken is not None:
            self.end_batch()

    def move(self, out: OutgoingBytes) -> None:
        """Hand all frames over, and begin anew.

        What is raised, by a signal's handler for one, leaves them here, or finds them there: none is lost or doubled.
        """
        data = b"".join(self._parts)
        if data:
            waiting, size = (*out.waiting, data), out.size + len(data)
            out.waiting, out.size, self._parts, self.size = waiting, size, [], 0  # in one line, as above


class OutgoingBytes:
    """Bytes that wait until the socket takes them."""

    def __init__(self, transport: Transport) -> None:
        self.size = 0
        """How many wait."""
        self.sent = 0
        """How many the socket has taken so far."""
        self.waiting: tuple[bytes | memoryview, ...] = ()
        self._transport = transport

    def put(self, data: bytes) -> None:
        """Let bytes wait behind the others."""
        self.waiting, self.size = (*self.waiting, data), self.size + len(data)

    @compiled("runtime.distribution._exchange")
    def write(self) -> bool:
        """Send what the socket takes. Returns False at its end."""
        transport = self._transport
        taken = transport.taken
        while True:
            if taken:  # by this call, or by one that a signal's handler has cut short
                self._drop(taken)
            if not self.waiting:
                return True
            if not transport.send_counted(self.waiting[0]):
                return False
            if not taken:
                return True

    def _drop(self, taken: list[int]) -> None:
        """Let what the socket has taken wait no more."""
        first, *rest = self.waiting
        (count,) = taken
        if count < len(first):
            rest.insert(0, memoryview(first)[count:])
        waiting, size, sent = tuple(rest), self.size - count, self.sent + count
        self.waiting, self.size, self.sent, taken[:] = waiting, size, sent, ()  # in one line, as above

    def clear(self) -> None:
        """Send nothing of it."""
        self.waiting, self.size = (), 0
        self._transport.taken.clear()


def _divided(batches: Batches) -> list[tuple[int, bytes]]:
    """Return a batch that is too long for one frame as several: the length of its messages was estimated."""
    assert batches.taken is not None
    entries, _, _, *how = batches.taken
    found, waiting = [], [entries]
    while waiting:
        entries = waiting.pop()
        batch = batches.bytes_of(entries, *how)
        if len(batch[1]) < LONGEST:
            found.append(batch)
        elif halves := _halves(entries):
            waiting += reversed(halves)
        else:
            logger.error("a message to another node is longer than %d bytes, and was dropped", LONGEST)
    return found


def _halves(entries: list[Any]) -> list[list[Any]]:
    """Return entries as two lists, and those of one message as none."""
    if middle := len(entries) // 2:
        return [entries[:middle], entries[middle:]]
    kind, *receiver, messages = entries[0]
    middle = len(messages) // 2 if kind in (SHORT_CAST, SHORT_SEND) else 0
    return [[(kind, *receiver, half)] for half in (messages[:middle], messages[middle:])] if middle else []
