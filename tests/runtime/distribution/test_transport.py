"""Transports: what is read and sent is there once, wherever the handler of a signal raises."""

import _socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from runtime.distribution.outgoing import OutgoingBytes
from runtime.distribution.transport import TlsTransport, Transport
from tests.runtime.distribution.test_net_kernel import contexts
from tests.support.interrupted import Interrupted


@contextmanager
def _pair(kind: type[Transport]) -> Iterator[tuple[Transport, Transport]]:
    """Two transports that talk to one another."""
    left, right = _socket.socketpair()
    if kind is TlsTransport:
        tls = contexts()
        ends: list[Any] = [
            TlsTransport(left, tls.client, False, "localhost"),
            TlsTransport(right, tls.server, True, None),
        ]
        _shake_hands(*ends)
    else:
        ends = [Transport(left), Transport(right)]
    yield ends[0], ends[1]
    for end in ends:
        end.close()


def _shake_hands(*ends: TlsTransport) -> None:
    """Do the handshake of both ends, in one thread."""
    for _ in range(4):
        for end in ends:
            end._take_in()
            with suppress(ssl.SSLWantReadError):
                end._tls.do_handshake()
            end._push()
    for end in ends:
        end.read()


ENDS = pytest.mark.parametrize(
    ("kind", "error"),
    [
        *((Transport, error) for error in (KeyboardInterrupt, TimeoutError, BlockingIOError)),
        *((TlsTransport, error) for error in (KeyboardInterrupt, ssl.SSLError)),
    ],
)
"""Transports, and what a handler raises, errors among them that a socket raises as well."""
PIECES = [b"one", b"x" * 40_000, b"y", b"last" * 100]


def _received(transport: Transport) -> bytes:
    return b"".join(transport.received)


def _is_open_or_raises(action: Callable[[], bool], interrupted: Interrupted) -> bool:
    """Read or write; return whether the socket is still open, and what a handler raised has come through."""
    try:
        return action() and not interrupted.has_raised
    except interrupted.error:
        return interrupted.has_raised


@ENDS
def test_what_is_read_is_there_once_wherever_a_signal_handler_raises(
    kind: type[Transport], error: type[BaseException]
) -> None:
    steps, has_raised, step = (kind.read, TlsTransport._decrypt, TlsTransport._take_in), True, 0
    while has_raised:
        with _pair(kind) as (left, right):
            out, has_raised = OutgoingBytes(left), False
            for piece in PIECES:
                out.put(piece)
                assert out.write()
                for _ in range(2):
                    with Interrupted(1_000 if has_raised else step, *steps, error=error) as interrupted:
                        assert _is_open_or_raises(right.read, interrupted)
                    has_raised |= interrupted.has_raised
            for _ in range(4):
                assert right.read()
            assert _received(right) == b"".join(PIECES)
        step += 1
    assert step > 20 or kind is Transport


@ENDS
def test_what_is_sent_arrives_once_wherever_a_signal_handler_raises(
    kind: type[Transport], error: type[BaseException]
) -> None:
    steps: tuple[Callable[..., object], ...]
    steps = (OutgoingBytes.write, OutgoingBytes._drop, kind.send_counted, TlsTransport._push)
    has_raised, step = True, 0
    while has_raised:
        with _pair(kind) as (left, right):
            out, has_raised = OutgoingBytes(left), False
            for piece in PIECES:
                out.put(piece)
                with Interrupted(1_000 if has_raised else step, *steps, error=error) as interrupted:
                    assert _is_open_or_raises(out.write, interrupted)
                has_raised |= interrupted.has_raised
            for _ in range(4):
                left.send(b"")
                assert out.write()
                right.read()
            assert _received(right) == b"".join(PIECES)
            assert (out.size, out.sent) == (0, len(_received(right)))
        step += 1
    assert step > 20 or kind is Transport


class _Struck:
    """Stands for TLS; raises after its calls number `at`, as one does in which the handler of a signal has raised."""

    def __init__(self, tls: Any, at: int) -> None:
        self.tls = tls
        self.at = at

    def _call(self, function: Callable[..., Any], *args: object) -> Any:
        result = function(*args)
        self.at -= 1
        if self.at == -1:
            raise KeyboardInterrupt
        return result

    def read(self, *args: object) -> Any:
        return self._call(self.tls.read, *args)

    def write(self, *args: object) -> Any:
        return self._call(self.tls.write, *args)

    def pending(self) -> Any:
        return self.tls.pending()


def test_what_tls_does_is_not_lost_where_its_call_raises() -> None:
    for at in range(12):
        with _pair(TlsTransport) as ends:
            for end in ends:
                end._tls = _Struck(end._tls, at)  # type: ignore[attr-defined]
            left, right = ends
            out = OutgoingBytes(left)
            struck = 0
            for piece in PIECES:
                out.put(piece)
                for step in (out.write, right.read, out.write, right.read):
                    try:
                        step()
                    except KeyboardInterrupt:
                        struck += 1
            for _ in range(4):
                assert out.write()
                assert right.read()
            assert _received(right) == b"".join(PIECES)
            assert struck or at > 4
