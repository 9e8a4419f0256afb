"""A socket to another program, in the clear or by TLS, which threads and the hub can use in turns.

It is made of the operating system's own sockets, so it works the same in a program that gevent has patched. Each
method says whether it waits.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import ssl
import time

from gevent.monkey import get_original

from runtime.compiled.choice import compiled
from runtime.distribution import tls_refusals
from runtime.distribution.errors import DistributionError

CHUNK = 256 * 1024
"""Bytes that are read at a time, at most."""

SMALL_CHUNK = 16 * 1024
"""Bytes that are read at a time while less has come. Room for more costs system calls: memory is mapped for it."""

_poll = get_original("select", "poll")
_POLLIN, _POLLOUT = 1, 4


class Closed(Exception):
    """The other side has closed the connection, or it is broken."""


class TooSlow(Closed):
    """The other side did not answer in time."""


class Transport:
    """One connected socket, whose reads and writes take what there is at once.

    `recv` and `send` do not wait. `recv_exactly` and `send_all` do, until a deadline: they are for the handshake, on a
    thread of its own.
    """

    LENGTH_BYTES = 2
    """Bytes of a length in the handshake of nodes."""

    def __init__(self, sock: _socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        os.set_inheritable(sock.fileno(), False)
        with contextlib.suppress(OSError):  # of a socket that is none of TCP
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 1)
        self.taken: list[int] = []
        """How many bytes the socket has taken in `send_counted`, where that is not accounted for yet."""
        self._chunk = SMALL_CHUNK
        self._spare = b""
        """What was read and not asked for yet."""

    def fileno(self) -> int:
        """Return the descriptor, -1 after the end."""
        return self._sock.fileno()

    def peer_address(self) -> str:
        """Return where the other side is, for the log."""
        try:
            host, port = self._sock.getpeername()[:2]
        except (OSError, ValueError):
            return "an unknown address"
        return f"{host}:{port}"

    def ends(self) -> tuple[tuple[object, ...], tuple[object, ...]] | None:
        """Return the host and port of this side and of the other one, None after the end."""
        try:
            return tuple(self._sock.getsockname()[:2]), tuple(self._sock.getpeername()[:2])
        except (OSError, ValueError):
            return None

    @compiled("runtime.distribution._exchange")
    def recv(self) -> bytes | None:
        """Return what has come in, b"" when nothing has, None at the end."""
        if self._spare:
            spare, self._spare = self._spare, b""
            return spare
        try:
            data = self._sock.recv(self._chunk)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            return None
        self._chunk = SMALL_CHUNK if len(data) < self._chunk else CHUNK
        return data or None

    def send(self, data: bytes | memoryview) -> int | None:
        """Send the beginning of `data`; return how many bytes, or None at the end."""
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            return None

    def send_counted(self, data: bytes | memoryview) -> bool:
        """Send the beginning of `data`, and put how many bytes that was into `taken`. Returns False at the end.

        Nothing is put there where the socket takes none. The number is there as soon as they are sent: the handler of a
        signal may raise right after.
        """
        try:
            self.taken += map(self._sock.send, (data,))
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return True

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes of its own wait to be sent."""
        return False

    def shut_down(self) -> None:
        """Send and take no more; what has come before can still be read."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(_socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(_socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._sock.close()

    def abandon(self) -> None:
        """Close this process's copy of the socket, in the child of a fork."""
        with contextlib.suppress(OSError):
            self._sock.close()

    # -- On a thread of its own ---------------------------------------------------------------------------------------

    def wait(self, deadline: float, *, for_room: bool) -> None:
        """Wait until something has come in, or something can be sent. Raises TooSlow at the deadline."""
        poller = _poll()
        poller.register(self._sock.fileno(), _POLLOUT if for_room else _POLLIN)
        left = deadline - time.monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise TooSlow("it did not answer in time")

    def recv_exactly(self, size: int, deadline: float) -> bytes:
        """Return the next `size` bytes. Raises Closed, or TooSlow at the deadline."""
        parts: list[bytes] = []
        missing = size
        while missing:
            data = self.recv()
            if data is None:
                raise Closed(tls_refusals.CLOSED)
            if not data:
                self.wait(deadline, for_room=False)
                continue
            parts.append(data[:missing])
            self._spare, missing = data[missing:], missing - len(parts[-1])
        return b"".join(parts)

    def send_all(self, data: bytes, deadline: float) -> None:
        """Send all of `data`. Raises Closed, or TooSlow at the deadline."""
        rest = memoryview(data)
        while rest or self.wants_to_write:
            sent = self.send(rest)
            if sent is None:
                raise Closed(tls_refusals.CLOSED)
            rest = rest[sent:]
            if rest or self.wants_to_write:
                self.wait(deadline, for_room=True)


class TlsTransport(Transport):
    """A socket whose bytes are encrypted."""

    LENGTH_BYTES = 4
    """As OTP has it with TLS."""

    def __init__(self, sock: _socket.socket, context: ssl.SSLContext, server: bool, host: str | None) -> None:
        super().__init__(sock)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server, server_hostname=None if server else host
        )
        self._unsent = b""
        """Encrypted bytes that wait to be sent."""

    def shake_hands(self, deadline: float) -> None:
        """Agree on keys, and check who the other side is. Raises DistributionError when TLS refuses it."""
        while True:
            try:
                self._tls.do_handshake()
                self._flush(deadline)
                return
            except ssl.SSLWantReadError:
                self._flush(deadline)
                self.wait(deadline, for_room=False)
                if not self._take_in():
                    raise Closed(tls_refusals.PERHAPS_NO_TLS) from None
            except ssl.SSLError as error:
                with contextlib.suppress(Closed):
                    self._flush(deadline)  # the other side is to know why
                raise DistributionError(tls_refusals.sentence_of(error)) from None

    def _flush(self, deadline: float) -> None:
        while self.wants_to_write:
            if not self._push():
                raise Closed(tls_refusals.CLOSED)
            if self.wants_to_write:
                self.wait(deadline, for_room=True)

    @property
    def wants_to_write(self) -> bool:
        """Whether encrypted bytes wait to be sent."""
        return bool(self._unsent) or self._outgoing.pending > 0

    def _push(self) -> bool:
        """Send what is encrypted. Returns False at the end."""
        data = self._unsent or self._outgoing.read(CHUNK)
        sent = super().send(data)
        if sent is None:
            return False
        self._unsent = data[sent:]
        return True

    def _take_in(self) -> bool:
        """Take in what the socket has. Returns False at the end."""
        data = super().recv()
        if data is None:
            self._incoming.write_eof()
            return False
        self._incoming.write(data)
        return True

    def recv(self) -> bytes | None:
        """Return what has come in, b"" when nothing has, None at the end."""
        if self._spare:
            spare, self._spare = self._spare, b""
            return spare
        is_open = self._take_in()
        parts: list[bytes] = []
        try:
            while True:  # until the one chunk is read: what stayed behind would not wake the reader
                data = self._tls.read(CHUNK)
                if not data:
                    is_open = False
                    break
                parts.append(data)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            is_open = False
        if parts:
            return b"".join(parts)
        return b"" if is_open else None

    def send(self, data: bytes | memoryview) -> int | None:
        """Encrypt and send the beginning of `data`; return how many bytes, or None at the end."""
        if self.wants_to_write:
            if not self._push():
                return None
            if self.wants_to_write:
                return 0
        if not data:
            return 0
        try:
            taken = self._tls.write(data[:CHUNK])
        except ssl.SSLError:
            return None
        return taken if self._push() else None

    def send_counted(self, data: bytes | memoryview) -> bool:
        """See `Transport.send_counted`. What a signal's handler raises in here may end the connection."""
        sent = self.send(data)
        if sent:
            self.taken.append(sent)
        return sent is not None
