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
from typing import Any

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


_OWN = (__name__, "ssl")
"""The modules whose code runs while a socket is asked."""


def _raise_foreign(error: OSError) -> None:
    """Raise an error again that is not of the socket or of TLS, but of a signal's handler that ran meanwhile.

    A deadline of the program's, such as a TimeoutError, is an OSError as well. It comes from code that is not here.
    """
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") not in _OWN:
            raise error
        trace = trace.tb_next


def _is_open_after(error: OSError) -> bool:
    """Return whether a socket that has raised this goes on, as it only had nothing, or no room. Raises a handler's."""
    _raise_foreign(error)
    return isinstance(error, (BlockingIOError, InterruptedError, ssl.SSLWantReadError))


class Transport:
    """One connected socket, whose reads and writes take what there is at once.

    `read`, `recv` and `send` do not wait. `recv_exactly` and `send_all` do, until a deadline: they are for the
    handshake, on a thread of its own.
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
        self.received: list[bytes] = []
        """What was read, until it is taken from here."""
        self._chunk = SMALL_CHUNK

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
    def read(self) -> bool:
        """Put what has come in behind what was `received`, if anything has. Returns False at the end.

        It is there as soon as the socket has given it away: the handler of a signal may raise right after.
        """
        received, chunk = self.received, self._chunk
        before = len(received)
        try:
            received += filter(None, map(self._sock.recv, (chunk,)))
        except OSError as error:
            return _is_open_after(error)
        if len(received) == before:
            return False
        self._chunk = SMALL_CHUNK if len(received[-1]) < chunk else CHUNK
        return True

    def recv(self) -> bytes | None:
        """Return what has come in, b"" when nothing has, None at the end. Not for where handlers of signals run."""
        is_open = bool(self.received) or self.read()
        if self.received:
            return self.received.pop(0)
        return b"" if is_open else None

    def send(self, data: bytes | memoryview) -> int | None:
        """Send the beginning of `data`; return how many bytes, or None at the end."""
        try:
            return self._sock.send(data)
        except OSError as error:
            return 0 if _is_open_after(error) else None

    def send_counted(self, data: bytes | memoryview) -> bool:
        """Send the beginning of `data`, and put how many bytes that was into `taken`. Returns False at the end.

        Nothing is put there where the socket takes none. The number is there as soon as they are sent: the handler of a
        signal may raise right after.
        """
        try:
            self.taken += map(self._sock.send, (data,))
        except OSError as error:
            return _is_open_after(error)
        return True

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes of its own wait to be sent."""
        return False

    def shut_down(self) -> None:
        """Send and take no more; what has come before can still be read."""
        try:
            self._sock.shutdown(_socket.SHUT_RDWR)
        except OSError as error:
            _raise_foreign(error)

    def close(self) -> None:
        """Hang up."""
        self.shut_down()
        try:
            self._sock.close()
        except OSError as error:
            _raise_foreign(error)

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
            if len(data) > missing:
                self.received.insert(0, data[missing:])
            missing -= len(parts[-1])
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
        self._encrypted: list[bytes] = []
        """What is encrypted, until the socket has taken it."""
        self._pushed: list[int] = []
        """How many bytes of the first of these the socket has taken, where they still stand there."""
        self._offered = 0
        """Bytes that TLS is given to encrypt, until they are in `taken`."""
        self._room, self._before = bytearray(), 0
        """Where TLS puts what it decrypts, and how many bytes of a record it had left before.

        A record of one byte that is 0 is all that is lost where a signal's handler raises in the call that reads it.
        """
        self._counts: list[int] = []
        """How many bytes it has put there, where they are still in there."""

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
        return bool(self._encrypted) or self._outgoing.pending > 0

    # A signal's handler may raise after each call of TLS, what it returns is then lost. So its own state is asked for
    # what has happened: where the next call finds that one has been cut short, it first does the rest.

    def _push(self) -> bool:
        """Send what is encrypted, as far as the socket takes it. Returns False at the end."""
        self._settle_offer()
        while True:
            if self._pushed:
                rest = self._encrypted[0][self._pushed[0] :]
                self._encrypted[:1], self._pushed[:] = (rest,) if rest else (), ()  # in one line, as above
            if not self._encrypted:
                self._encrypted += filter(None, map(self._outgoing.read, (CHUNK,)))
            if not self._encrypted:
                return True
            try:
                self._pushed += map(self._sock.send, self._encrypted[:1])
            except OSError as error:
                return _is_open_after(error)

    def _settle_offer(self) -> None:
        """Know whether TLS has encrypted what it was offered, before anything else can have it write."""
        if self._offered:
            taken = (self._offered,) if self._outgoing.pending else ()  # nothing had waited when it was offered
            self.taken[:], self._offered = taken, 0  # in one line: no handler of a signal comes in between

    def _take_in(self) -> bool:
        """Hand what the socket has to TLS. Returns False at the end."""
        sizes: list[int] = []
        try:
            sizes += map(self._incoming.write, map(self._sock.recv, (CHUNK,)))
        except OSError as error:
            if _is_open_after(error):
                return True
        if not any(sizes):
            self._incoming.write_eof()
        return any(sizes)

    def read(self) -> bool:
        """See `Transport.read`."""
        self._settle_offer()
        is_open = self._take_in()
        try:
            while self._decrypt():  # until all is read: what stayed behind would not wake the reader
                pass
        except ssl.SSLWantReadError:
            self._room = bytearray()
            return is_open
        except ssl.SSLError as error:
            _raise_foreign(error)
        return False

    def _decrypt(self) -> bool:
        """Read the next byte of TLS, or what is left of the record that it is in. Returns False at the end."""
        tls: Any = self._tls
        room = self._room
        if room and (self._counts or tls.pending() != self._before or any(room)):
            end, data = len(self.received), bytes(room)
            self.received[end:], self._room, self._counts = (data,), bytearray(), []  # in one line, as above
        left = tls.pending()
        self._room, self._before = bytearray(left or 1), left
        self._counts += filter(None, map(tls.read, (left or 1,), (self._room,)))
        return bool(self._counts)

    def send(self, data: bytes | memoryview) -> int | None:
        """Encrypt and send the beginning of `data`; return how many bytes, or None at the end."""
        if not self._push():
            return None
        if not data or self.wants_to_write:
            return 0
        try:
            taken = self._tls.write(data[:CHUNK])
        except ssl.SSLError as error:
            return 0 if _is_open_after(error) else None
        return taken if self._push() else None

    def send_counted(self, data: bytes | memoryview) -> bool:
        """See `Transport.send_counted`."""
        if not self._push():
            return False
        if self.taken or self.wants_to_write:
            return True
        self._offered = min(len(data), CHUNK)
        try:
            self._tls.write(data[:CHUNK])
        except ssl.SSLError as error:
            is_open = _is_open_after(error)
            self._offered = 0
            return is_open
        return self._push()
