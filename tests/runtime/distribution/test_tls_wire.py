"""TLS as it comes over a wire that cuts it anywhere, and from who keeps to no rule."""

from __future__ import annotations

import _socket
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator

import pytest

from runtime.distribution.outgoing import OutgoingBytes
from runtime.distribution.transport import TlsTransport
from tests.runtime.distribution.test_net_kernel import TLS, contexts
from tests.runtime.distribution.test_transport import _pair, _received

Ends = tuple[TlsTransport, TlsTransport]


@pytest.fixture
def ends() -> Iterator[Ends]:
    with _pair(TlsTransport) as (left, right):
        assert isinstance(left, TlsTransport)
        assert isinstance(right, TlsTransport)
        yield left, right


def _records(transport: TlsTransport, data: bytes) -> bytes:
    """Return what TLS makes of bytes, in place of sending it."""
    transport._tls.write(data)
    return transport._outgoing.read()


def test_records_that_come_a_byte_at_a_time_are_read(ends: Ends) -> None:
    left, right = ends
    for each in _records(left, b"first") + _records(left, b"x" * 1_000):
        left._sock.send(bytes([each]))
        assert right.read()
    assert _received(right) == b"first" + b"x" * 1_000


@pytest.mark.parametrize("kept", [1, 3, 5, 20])
def test_a_record_that_is_cut_off_ends_the_connection_after_what_came_before(ends: Ends, kept: int) -> None:
    left, right = ends
    left._sock.send(_records(left, b"whole") + _records(left, b"cut")[:kept])
    assert right.read()
    left._sock.shutdown(_socket.SHUT_WR)
    assert not right.read()
    assert _received(right) == b"whole"


@pytest.mark.parametrize(
    "record",
    [
        b"\x15\x03\x03\x00\x02\x02\x28",  # an alert in the clear
        b"\x17\x03\x03\x00\x00",  # of no bytes at all
        b"\x17\x03\x03\xff\xff" + b"x" * 100,
        b"\x16\x03\x03\x00\x04\x01\x00\x00\x00",  # a handshake that begins anew
        b"\x00" * 50,
        b"SEND 1\r\n",
    ],
)
def test_a_record_that_is_none_ends_the_connection_after_what_came_before(ends: Ends, record: bytes) -> None:
    left, right = ends
    left._sock.send(_records(left, b"whole") + record)
    assert not right.read()
    assert _received(right) == b"whole"


def test_one_side_that_says_farewell_ends_the_connection_after_what_it_has_sent(ends: Ends) -> None:
    left, right = ends
    data = _records(left, b"last")
    with pytest.raises(ssl.SSLWantReadError):
        left._tls.unwrap()
    left._sock.send(data + left._outgoing.read())
    out = OutgoingBytes(right)
    out.put(b"still here")
    assert out.write()
    assert not right.read()
    assert _received(right) == b"last"


CHANGES_KEYS = """
application:ensure_all_started(ssl),
{ok, S} = ssl:connect("127.0.0.1", PORT, [{verify, verify_none}, {certfile, "PEM"}, {keyfile, "PEM"}, binary,
                                          {active, false}, {versions, ['tlsv1.3']}]),
Piece = fun(N) -> binary:copy(<<N:16>>, 500) end,
spawn_link(fun() ->
    [ok = case N rem 20 of 0 -> ssl:update_keys(S, read_write), ssl:send(S, Piece(N)); _ -> ssl:send(S, Piece(N)) end
     || N <- lists:seq(1, 300)],
    timer:sleep(infinity)
end),
{ok, D} = ssl:recv(S, 300000, 60000),
io:format("~p", [iolist_to_binary(D) =:= iolist_to_binary([Piece(N) || N <- lists:seq(1, 300)])]),
ssl:close(S),
halt().
"""


@pytest.mark.skipif(shutil.which("erl") is None, reason="erl is not installed")
def test_a_beam_may_change_its_keys_in_the_middle() -> None:
    deadline = time.monotonic() + 60.0
    listener = _socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    code = CHANGES_KEYS.replace("PORT", str(listener.getsockname()[1])).replace("PEM", str(TLS / "node.pem"))
    with subprocess.Popen(["erl", "-noshell", "-eval", code], stdout=subprocess.PIPE, text=True) as beam:
        descriptor, _ = listener._accept()  # type: ignore[attr-defined]
        transport = TlsTransport(_socket.socket(fileno=descriptor), contexts().server, True, None)
        transport.shake_hands(deadline)
        out = OutgoingBytes(transport)
        while transport.read():
            for piece in transport.received:
                out.put(piece)
            transport.received.clear()
            if transport.send(b"") is None or not out.write():
                break
            transport.wait(deadline, for_room=bool(out.size) or transport.wants_to_write)
        assert beam.communicate()[0] == "true"
        transport.close()
        listener.close()


def test_much_goes_both_ways_through_sockets_that_take_little(ends: Ends) -> None:
    for end in ends:
        for option in (_socket.SO_SNDBUF, _socket.SO_RCVBUF):
            end._sock.setsockopt(_socket.SOL_SOCKET, option, 4_096)
    outs, data = [OutgoingBytes(end) for end in ends], bytes(range(256)) * 2_000
    for out in outs:
        out.put(data[:1_000])
        out.put(data[1_000:])
    for turn in range(20_000):
        for out, end in zip(outs, ends, strict=True):
            assert end.send(b"") is not None
            assert out.write()
            if turn % 3:
                assert end.read()
        if all(sum(map(len, end.received)) == len(data) for end in ends):
            break
    assert [_received(end) == data for end in ends] == [True, True]
    assert not any(end.wants_to_write for end in ends)
