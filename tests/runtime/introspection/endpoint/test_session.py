"""One observer's connection: who may have it, and the limits on what comes in and goes out."""

from __future__ import annotations

import _socket
import itertools
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from runtime.introspection import wire
from runtime.introspection.endpoint import session
from runtime.introspection.endpoint.session import ClientDroppedError, Session

Pair = tuple[Session, _socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Yield a session and the client's end of it."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX)
    theirs.settimeout(60)
    yield Session(ours), theirs
    ours.close()
    theirs.close()


def test_a_client_of_the_same_user_is_served(pair: Pair) -> None:
    assert pair[0].foreign() is None


def test_a_client_of_another_user_is_not_served(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_peer_user", lambda connection: os.geteuid() + 1)
    assert f"serves the user {os.geteuid()} alone" in str(pair[0].foreign())
    monkeypatch.setattr(session, "_peer_user", lambda connection: 0)
    assert pair[0].foreign() is None  # root may do anything anyway


def test_the_user_at_the_other_end_is_told_by_the_system(pair: Pair) -> None:
    assert session._peer_user(pair[1]) == os.geteuid()


def test_frames_come_in_whole_however_they_are_cut(pair: Pair) -> None:
    for byte in wire.frame(wire.Hello(client="test")):
        pair[1].send(bytes([byte]))
    assert pair[0].read_hello() == wire.Hello(client="test")


def test_a_frame_of_the_longest_length_is_read_and_one_byte_more_is_not(pair: Pair) -> None:
    body = b"\xa1x" + bytes(98)
    limit = wire.MAX_REQUEST
    pair[1].sendall(wire.HEADER.pack(limit + 1) + body)
    with pytest.raises(ClientDroppedError, match=f"announced a frame of {limit + 1:,} bytes; {limit:,} are allowed"):
        pair[0].read_request()
    assert limit == 1 << 20


def test_a_hello_that_does_not_come_is_not_waited_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HELLO_TIMEOUT", 0.05)
    with pytest.raises(ClientDroppedError, match="too slow in sending"):
        pair[0].read_hello()


def test_a_frame_that_does_not_come_to_its_end_is_not_waited_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FRAME_TIMEOUT", 0.05)
    pair[1].sendall(wire.HEADER.pack(100) + b"half")
    with pytest.raises(ClientDroppedError, match="too slow in sending"):
        pair[0].read_request()


def test_a_frame_that_trickles_in_is_not_waited_for_either(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FRAME_TIMEOUT", 0.2)
    ours, theirs = pair
    from runtime.kernel.threads import sleep, start_thread

    sent = []

    def trickle() -> None:
        try:
            for byte in wire.HEADER.pack(1_000) + bytes(1_000):
                sent.append(theirs.send(bytes([byte])))
                sleep(0.02)
        except OSError:
            return

    start_thread(trickle, ())
    with pytest.raises(ClientDroppedError, match="too slow in sending"):
        ours.read_request()
    assert len(sent) < 1_000
    ours.hang_up()


def test_an_answer_that_is_not_read_is_given_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FRAME_TIMEOUT", 0.05)
    with pytest.raises(ClientDroppedError, match="did not read its answer"):
        pair[0].send(wire.Refused(why="x" * 4_000_000))


def test_an_answer_that_is_too_long_is_not_sent(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_REPLY", 100)
    with pytest.raises(ClientDroppedError, match=r"its answer has 1,\d\d\d bytes; 100 are allowed"):
        pair[0].send(wire.Refused(why="x" * 1_000))


@pytest.mark.parametrize(
    "body",
    [
        b"\xc1",
        msgspec.msgpack.encode({"id": "x"}),
        msgspec.msgpack.encode({"id": 1, "query": {"query": "no such"}}),
        msgspec.msgpack.encode({"id": 1, "query": {"query": "process", "pid": "abc"}}).replace(b"abc", b"\xed\xb3\xa9"),
        b"\x91" * 100_000 + b"\x01",
    ],
)
def test_what_is_no_request_drops_the_client_and_says_why(pair: Pair, body: bytes) -> None:
    pair[1].sendall(wire.HEADER.pack(len(body)) + body)
    with pytest.raises(ClientDroppedError, match="its request is malformed"):
        pair[0].read_request()


def test_a_client_that_hangs_up_by_itself_is_dropped_without_a_word(pair: Pair) -> None:
    pair[1].close()
    with pytest.raises(ClientDroppedError) as dropped:
        pair[0].read_request()
    assert str(dropped.value) == ""


class Dripping:
    """A connection over which a frame comes byte by byte, each within its time."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def settimeout(self, seconds: float | None) -> None:
        """Take it as set."""

    def recv(self, size: int) -> bytes:
        chunk, self.left = self.left[:1], self.left[1:]
        return chunk


def test_a_frame_that_comes_byte_by_byte_has_no_more_time_than_another(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    dripping: Any = Dripping(wire.HEADER.pack(1_000) + bytes(1_000))
    with pytest.raises(ClientDroppedError, match="too slow"):
        Session(dripping).read_request()
    assert len(dripping.left) > 900


def test_the_administrator_is_served_by_every_node_and_no_other_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    connection: Any = None
    for user, is_served in ((0, True), (1_000, True), (1_001, False), (None, True)):
        monkeypatch.setattr(session, "_peer_user", lambda connection, user=user: user)
        assert (Session(connection).foreign() is None) == is_served, user
