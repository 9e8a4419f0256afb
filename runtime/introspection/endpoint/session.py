"""One observer's connection, as the node sees it: frames in, frames out, each with a limit in time and size."""

from __future__ import annotations

import _socket
import contextlib
import os
import struct
import sys
import time

import msgspec

from runtime.introspection import wire

HELLO_TIMEOUT = 5.0
"""Seconds in which a client must say hello."""

FRAME_TIMEOUT = 5.0
"""Seconds in which a frame that has begun must have arrived, and in which an answer must have been read."""

READ_SIZE = 65_536
"""Bytes that are read in one step."""


class ClientDroppedError(Exception):
    """The client is not served any longer. The message says why, and is empty when the client hung up by itself."""


class Session:
    """A connected observer."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection

    def hang_up(self) -> None:
        """Close the connection, also under a thread that reads from it."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(_socket.SHUT_RDWR)
        self._connection.close()

    def leave_behind(self) -> None:
        """Close this process's copy of the connection, which is another's."""
        self._connection.close()

    def foreign(self) -> str | None:
        """Say in a few words why the client may not be served: it is another user's. None when it may."""
        user = _peer_user(self._connection)
        if user is None or user in (os.geteuid(), 0):
            return None
        return f"it belongs to the user {user}, and this node serves the user {os.geteuid()} alone"

    def read_hello(self) -> wire.Hello:
        """Return the client's first frame. Raises ClientDroppedError."""
        try:
            return wire.decode_hello(self._read_frame(HELLO_TIMEOUT))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ClientDroppedError(f"its hello is malformed: {error}") from None

    def read_request(self) -> wire.Request:
        """Wait as long as it takes for the next request, and return it. Raises ClientDroppedError."""
        try:
            return wire.decode_request(self._read_frame(None))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ClientDroppedError(f"its request is malformed: {error}") from None

    def send(self, value: wire.Frozen) -> None:
        """Send one frame. Raises ClientDroppedError when the client does not read it."""
        data = wire.frame(value)
        if len(data) > wire.MAX_REPLY:
            raise ClientDroppedError(f"its answer has {len(data):,} bytes; {wire.MAX_REPLY:,} are allowed")
        self._connection.settimeout(FRAME_TIMEOUT)  # for all of it: sendall counts the whole time
        try:
            self._connection.sendall(data)
        except TimeoutError:
            raise ClientDroppedError(f"it did not read its answer within {FRAME_TIMEOUT:g} seconds") from None
        except OSError:
            raise ClientDroppedError from None

    def refuse(self, why: str) -> None:
        """Say why the client is not served, as far as that is possible without waiting; it is served no more."""
        self._connection.setblocking(False)
        with contextlib.suppress(OSError):
            self._connection.sendall(wire.frame(wire.Refused(why=why)))
            self._connection.shutdown(_socket.SHUT_WR)

    def has_hung_up(self) -> bool:
        """Read what a refused client has sent, without waiting, and tell whether it has closed its end."""
        try:
            return not self._connection.recv(READ_SIZE)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _read_frame(self, first_timeout: float | None) -> bytes:
        header = self._read(wire.HEADER.size, first_timeout)
        (length,) = wire.HEADER.unpack(header)
        if length > wire.MAX_REQUEST:
            raise ClientDroppedError(f"it announced a frame of {length:,} bytes; {wire.MAX_REQUEST:,} are allowed")
        return self._read(length, FRAME_TIMEOUT)

    def _read(self, length: int, timeout: float | None) -> bytes:
        """Read exactly `length` bytes; once the first have come, the rest must come in time."""
        received = bytearray()
        deadline = None if timeout is None else time.monotonic() + timeout
        while len(received) < length:
            try:
                self._connection.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
                chunk = self._connection.recv(min(READ_SIZE, length - len(received)))
            except TimeoutError:
                raise ClientDroppedError("it was too slow in sending a frame") from None
            except OSError:
                raise ClientDroppedError from None
            if not chunk:
                raise ClientDroppedError("it hung up within a frame" if received else "")
            received += chunk
            if deadline is None:
                deadline = time.monotonic() + FRAME_TIMEOUT
            elif time.monotonic() > deadline:
                raise ClientDroppedError("it was too slow in sending a frame")
        return bytes(received)


def _peer_user(connection: _socket.socket) -> int | None:
    """Return the user at the other end, None where the system does not tell."""
    try:
        if hasattr(_socket, "SO_PEERCRED"):
            credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
            return int(struct.unpack("3i", credentials)[1])
        if sys.platform == "darwin":
            level, option = 0, 1  # SOL_LOCAL, LOCAL_PEERCRED: struct xucred begins with version and user
            return int(struct.unpack("2I", connection.getsockopt(level, option, 76)[:8])[1])
    except (OSError, struct.error):
        return None
    return None
