"""What one turn of the hub has to send to another node: frames, and the batch that becomes the next one; then bytes."""

from __future__ import annotations

from collections import deque

from runtime.distribution.frames import LONGEST, PASS_THROUGH
from runtime.distribution.parts import Conversion
from runtime.distribution.pickled import Batches
from runtime.distribution.transport import Transport


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
            raise TypeError(f"a message of {size} bytes is too long; at most {LONGEST} travel at once")
        head = b"%b%c%b" % (size.to_bytes(4, "big"), PASS_THROUGH, control)
        self._parts += (head, payload)  # in one step: half a frame would break all that follows
        self.size += size + 4
        self.messages += 1

    def end_batch(self) -> None:
        """Make a frame of the batch, and begin another batch. What it raises leaves the batch as it is."""
        count = self.batches.count
        kind, data = self.batches.take()
        self._parts += (b"%b%c" % ((len(data) + 1).to_bytes(4, "big"), kind), data)
        self.size += len(data) + 5
        self.messages += count

    def take(self) -> bytes:
        """Return all frames, the batch's among them, and begin anew. What it raises leaves them as they are."""
        batches = self.batches
        if not self._parts and batches.count == 1:  # one call or reply: as below, in fewer steps
            kind, data = batches.take()
            self.messages += 1
            return b"%b%c%b" % ((len(data) + 1).to_bytes(4, "big"), kind, data)
        if batches.count:
            self.end_batch()
        data = b"".join(self._parts)
        self._parts, self.size = [], 0
        return data


class OutgoingBytes:
    """Bytes that wait until the socket takes them."""

    def __init__(self, transport: Transport) -> None:
        self.size = 0
        """How many wait."""
        self.sent = 0
        """How many the socket has taken so far."""
        self._transport = transport
        self._waiting: deque[bytes | memoryview] = deque()

    def put(self, data: bytes) -> None:
        """Let bytes wait behind the others."""
        self._waiting.append(data)
        self.size += len(data)

    def write(self) -> bool:
        """Send what the socket takes. Returns False at its end."""
        waiting = self._waiting
        while waiting:
            sent = self._transport.send(waiting[0])
            if sent is None:
                return False
            self.size -= sent
            self.sent += sent
            if sent < len(waiting[0]):
                if not sent:
                    break
                waiting[0] = memoryview(waiting[0])[sent:]
            else:
                waiting.popleft()
        return True

    def clear(self) -> None:
        """Send nothing of it."""
        self._waiting.clear()
        self.size = 0
