"""What comes in is handled once, in its order, wherever the handler of a signal raises."""

import _socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.distribution.attempts import Attempts
from runtime.distribution.connection import Connection
from runtime.distribution.external_term import Codec
from runtime.distribution.frames import FrameBuffer
from runtime.distribution.greeting import Greeting, Terms
from runtime.distribution.handshake import Own, Peer
from runtime.distribution.net_kernel import NetKernel
from runtime.distribution.outgoing import OutgoingBytes, OutgoingFrames
from runtime.distribution.parts import PidParts
from runtime.distribution.pickled import SHORT_CAST, SHORT_REPLY
from runtime.distribution.remote_node import RemoteNode
from runtime.distribution.transport import Transport
from runtime.terms.atom import Atom
from tests.support.interrupted import Interrupted
from tests.support.kernels import SEND, Diary, PlainConversion


class Struck(Exception):
    """What the handler of a signal raises that has a deadline, for one."""


class _Watcher:
    def __init__(self) -> None:
        self.active = False

    def start(self, callback: Callable[[], object]) -> None:
        self.active = True

    def stop(self) -> None:
        self.active = False

    close = stop


class _Callback:
    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function
        self.pending = True


class _Hub:
    """Calls when it is told to. As gevent's, it stops a watcher whose callback has raised, and forgets a callback."""

    def __init__(self) -> None:
        self.loop = self
        self.calls: list[_Callback] = []
        self.marked: set[Connection] = set()

    def io(self, *_: object, **__: object) -> _Watcher:
        return _Watcher()

    def later(self, function: Callable[..., object], *args: object) -> _Callback:
        self.calls.append(_Callback(lambda: function(*args)))
        return self.calls[-1]

    from_thread = later

    def marking(self, connection: Connection, step: Callable[[], object]) -> Callable[[], object]:
        """Return a step: `read` has marked the connection."""
        return step

    def read(self, connection: Connection) -> None:
        """Call the connection's reader if that is watching, then what was asked for."""
        reader: Any = connection._reader
        if reader.active:
            self.marked.add(connection)  # which the hub does, before it calls Python
            try:
                connection._readable()
            except (KeyboardInterrupt, Struck):
                reader.active = False
        for call in self.calls[:]:
            self.calls.remove(call)
            call.pending = False
            with suppress(KeyboardInterrupt, Struck):
                call.function()
        for connection in [*self.marked]:  # as before it waits
            if connection.is_settled():
                self.marked.discard(connection)
            elif connection.is_stuck():
                with suppress(KeyboardInterrupt, Struck):
                    connection.mend()


HERE = PidParts("here", 1, 0, 4)
CODEC = Codec(PlainConversion())


@contextmanager
def _connection(pickles: bool) -> Iterator[tuple[Connection, _Hub, Diary, _socket.socket]]:
    """A connection that is up, and the other end of its socket."""
    left, right = _socket.socketpair()
    hub, diary = _Hub(), Diary()
    terms, own = Terms(CODEC, PlainConversion(), "pickle"), Own("here", 4, "cookie", True, {})
    peer = Peer("there", 5, 0)
    made: Any = Connection
    connection = made(Transport(left), own, peer, terms, hub, diary, lambda *_: None, lambda *_: None)
    connection.is_up, connection.pickles, connection._probes = True, pickles, False
    connection._reader.start(connection._readable)
    yield connection, hub, diary, right
    connection.end("disconnect")
    right.close()


def _stream(pickles: bool) -> bytes:
    """Return frames of all kinds, as another node sends them."""
    frames, out = OutgoingFrames(PlainConversion()), OutgoingBytes(Transport(_socket.socket()))
    for number in range(3):
        frames.put(CODEC.encode_control((SEND, Atom(""), HERE)), CODEC.encode((Atom("add"), number)))
        if pickles:
            frames.batches.add_short((SHORT_REPLY, number, "reply"))
            frames.end_batch()
            frames.batches.add_to_run(SHORT_CAST, "name", number)
            frames.batches.add((SEND, Atom(""), HERE), [number])
            frames.batches.add_short((SHORT_REPLY, -number, "reply"))
            frames.end_batch()
    frames.put(CODEC.encode_control((SEND, Atom(""), HERE)), CODEC.encode("last"))
    frames.move(out)
    out._transport.close()
    return b"\0\0\0\0".join((b"", b"".join(out.waiting), b""))


STEPS = (
    Connection._readable,
    Connection._go_on,
    Connection._handle_frames,
    Connection._handle,
    Connection._deliver,
    Transport.read,
    FrameBuffer.next,
    FrameBuffer._join,
)


def _expected(pickles: bool) -> tuple[list[object], list[object]]:
    """Return the messages of that stream, and its short entries."""
    messages: list[object] = []
    entries: list[object] = []
    for number in range(3):
        messages.append(("add", number))
        if pickles:
            messages.append([number])
            entries += [(SHORT_REPLY, number, "reply"), (SHORT_CAST, "name", [number]), (SHORT_REPLY, -number, "reply")]
    return [*messages, "last"], [("short", entry) for entry in entries]


def _settle(connection: Connection, hub: _Hub) -> None:
    """Let the hub go on after an exception."""
    for _ in range(6):
        hub.read(connection)


@pytest.mark.parametrize("error", [KeyboardInterrupt, Struck])
@pytest.mark.parametrize("size", [150, 10_000])
@pytest.mark.parametrize("pickles", [False, True])
def test_each_message_is_handled_once_wherever_a_signal_handler_raises(
    pickles: bool, size: int, error: type[BaseException]
) -> None:
    stream, (messages, entries) = _stream(pickles), _expected(pickles)
    for step in range(2000):
        with _connection(pickles) as (connection, hub, diary, other):
            with Interrupted(step, *STEPS, error=error) as interrupted:
                for at in range(0, len(stream), size):
                    other.send(stream[at : at + size])
                    hub.read(connection)
            _settle(connection, hub)
            assert connection._reader.active
            assert connection.bytes_in == len(stream)
            assert (diary.messages, diary.entries) == (messages, entries)
            assert connection.frames_in == len(messages) + len(entries)
        if not interrupted.has_raised:
            break
    assert step > 10


class _Kernel(NetKernel):
    """What a node knows of its connections, with one other node that signals wait for."""

    def __init__(self, connection: Connection) -> None:
        local: Any = SimpleNamespace(node=None, number_of=lambda *_: 1)
        self.remote = RemoteNode(local, "there")
        self.remote.is_connecting = True
        self.remote.settled.clear()
        self.remote.waiting += [((SEND, Atom(""), HERE), number) for number in range(3)]
        self.connections, self._failures = {}, {}
        self._attempts = Attempts("here")
        attempt = self._attempts.dial("there")
        assert attempt is not None
        self._opening = {connection: attempt}
        handler: Any = SimpleNamespace(on_up=self.remote.up)
        self._handler = handler


def _greeting(is_python: bool) -> bytes:
    """Return what another node of this package begins with, or what one of the BEAM does."""
    messages = Greeting(Own("there", 5, "cookie", True, {}), "pickle").messages()
    frames, out = OutgoingFrames(PlainConversion()), OutgoingBytes(Transport(_socket.socket()))
    for message in messages if is_python else ():
        frames.put(*message)
    frames.put(CODEC.encode_control((SEND, Atom(""), HERE)), CODEC.encode("first"))
    frames.move(out)
    out._transport.close()
    return b"".join(out.waiting)


@pytest.mark.parametrize("is_python", [True, False])
def test_a_connection_comes_up_once_wherever_a_signal_handler_raises(
    is_python: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (Connection._take_greeting, NetKernel._came_up, RemoteNode.up)
    for step in range(200):
        with _connection(False) as (connection, hub, diary, other):
            kernel = _Kernel(connection)
            connection.is_up, connection._probes, connection._came_up = False, True, kernel._came_up
            sent: list[object] = []
            monkeypatch.setattr(connection, "send", lambda _, payload, sent=sent: sent.append(payload))
            with Interrupted(step, *steps) as interrupted:
                other.send(_greeting(is_python))
                hub.read(connection)
            _settle(connection, hub)
            assert (connection.is_up, connection.is_python, connection.pickles) == (True, is_python, is_python)
            assert (kernel.connections, kernel._opening) == ({"there": connection}, {})
            assert kernel._attempts.is_up("there")
            assert kernel._attempts.dial("there") is not None
            remote = kernel.remote
            assert remote.connection is connection
            assert (remote.is_connecting, remote.settled.is_set(), [*remote.waiting]) == (False, True, [])
            assert diary.messages == ["first"]
            assert sent == [0, 1, 2]
        if not interrupted.has_raised:
            break
    assert step > 10


def test_the_end_is_seen_wherever_a_signal_handler_raises() -> None:
    for step in range(2000):
        with _connection(False) as (connection, hub, diary, other):
            with Interrupted(step, *STEPS) as interrupted:
                other.send(_stream(False))
                other.close()
                for _ in range(3):
                    hub.read(connection)
            _settle(connection, hub)
            assert diary.entries == [("down", "there", "connection_closed")]
            assert diary.messages == _expected(False)[0]
        if not interrupted.has_raised:
            break
    assert step > 10


def test_a_writer_that_was_stopped_while_bytes_wait_is_started_before_the_hub_waits() -> None:
    with _connection(False) as (connection, hub, _, _other):
        connection._out.put(bytes(50_000_000))  # more than the socket takes
        connection._flush()
        assert connection._writer.active
        connection._writer.stop()  # as gevent does where its callback has raised
        hub.read(connection)
        assert connection._writer.active


def test_a_frame_whose_reading_always_raises_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    with _connection(False) as (connection, hub, diary, other):
        monkeypatch.setattr(connection, "_handle", refuse)
        other.send(_stream(False))
        for _ in range(20):
            hub.read(connection)
        assert diary.entries == [("down", "there", "connection_closed")]
        assert not hub.calls


def test_a_writer_that_was_stopped_writes_again() -> None:
    with _connection(True) as (connection, hub, _, other):
        connection._out.put(b"x" * 1_000_000)
        connection._flush()
        writer: Any = connection._writer
        assert writer.active
        with Interrupted(0, Connection._after_write), pytest.raises(KeyboardInterrupt):
            connection._writable()
        writer.active = False
        hub.read(connection)
        assert writer.active
        received = 0
        while received < 1_000_000:
            received += len(other.recv(100_000))
            connection._writable()
        assert not writer.active


def test_a_connection_goes_on_by_itself_after_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    with _connection(False) as (connection, hub, diary, other):
        struck: list[bool] = []
        read = connection._transport.read

        def read_and_raise() -> bool:
            is_open = read()
            if not struck:
                struck.append(True)
                raise KeyboardInterrupt
            return is_open

        monkeypatch.setattr(connection._transport, "read", read_and_raise)
        other.send(_stream(False))
        hub.read(connection)
        assert struck
        reader: Any = connection._reader
        assert reader.active
        assert diary.messages == _expected(False)[0]


def test_the_guard_has_the_hub_read_again() -> None:
    with _connection(False) as (connection, hub, _, _):
        reader: Any = connection._reader
        reader.active = False
        connection.look_after()
        hub.read(connection)
        assert reader.active
