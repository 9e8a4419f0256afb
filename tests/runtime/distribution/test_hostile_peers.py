"""What comes from a port that anyone may connect to: it ends no node, grows none, and keeps no one else out."""

import _socket
import errno
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from runtime.distribution import net_kernel
from runtime.distribution.handshake import Own, connect
from runtime.distribution.net_kernel import NetKernel
from runtime.distribution.transport import Transport
from runtime.terms.atom import Atom
from tests.runtime.distribution.conftest import StartKernel
from tests.support.kernels import COOKIE, SEND, Diary, pid_at, wait_until

GROWTH = 100_000_000


@pytest.fixture
def target(kernels: StartKernel) -> Iterator[tuple[NetKernel, Diary]]:
    """A node that must be as well after the test as before it."""
    diary = Diary()
    kernel = kernels("b@127.0.0.1", diary, net_ticktime=600.0)
    before = psutil.Process().memory_info().rss
    yield kernel, diary
    friend = Diary()
    other = kernels("friend@127.0.0.1", friend)
    other.connect(kernel.name)
    wait_until(lambda: other.name in kernel.connections and kernel.name in other.connections)
    diary.messages.clear()
    other.connections[kernel.name].send((SEND, Atom(""), pid_at(kernel)), "still there?")
    wait_until(lambda: diary.messages == ["still there?"])
    assert psutil.Process().memory_info().rss - before < GROWTH


def beside(work: Callable[[], object]) -> None:
    """Do what waits on a thread, while the hub runs here."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: not thread.is_alive())
    thread.join()
    if errors:
        raise errors[0]


def say(port: int, data: bytes) -> None:
    """Send bytes to a port, and wait until it hangs up."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(60)
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass
        except ConnectionError:
            pass
        except OSError as error:  # by `shutdown`, where the node has hung up before
            if error.errno != errno.ENOTCONN:
                raise


def hello(flags: int, name: bytes) -> bytes:
    body = b"N" + struct.pack(">QIH", flags, 1, len(name)) + name
    return struct.pack(">H", len(body)) + body


ALL = (1 << 36) - 1


def test_garbage_before_the_handshake_ends_only_its_own_connection(target: tuple[NetKernel, Diary]) -> None:
    kernel, diary = target
    draw = random.Random(7)
    cases = [
        b"",
        b"\0",
        b"\0\0",
        b"\xff\xff" + b"x" * 100_000,
        b"GET / HTTP/1.1\r\n\r\n",
        hello(ALL, b"no host"),
        hello(ALL, b"@h"),
        hello(ALL, b"a@" + b"h" * 400),
        hello(ALL, b"\xff\xfe@h"),
        hello(ALL, b"b@127.0.0.1"),
        hello(0, b"a@h"),
        hello(ALL, b"a@h"),
        hello(ALL, b"a@h") + b"\0\x15r" + b"x" * 20,
        hello(ALL, b"a@h") + b"\0\2r1",
        hello(ALL, b"a@h")[:-2],
        b"\0\x0an\0\5\1\0\0\0a@h",
        *[draw.randbytes(draw.randint(1, 60)) for _ in range(60)],
        *[struct.pack(">H", 30) + b"N" + draw.randbytes(29) for _ in range(30)],
    ]

    def attack() -> None:
        for case in cases:
            say(kernel.port, case)

    beside(attack)
    assert diary.entries == []


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_a_flood_of_connections_that_say_nothing_is_bounded(target: tuple[NetKernel, Diary]) -> None:
    kernel, diary = target
    before = len(os.listdir("/proc/self/task"))
    held = [socket.create_connection(("127.0.0.1", kernel.port)) for _ in range(300)]
    wait_until(lambda: len(kernel._handshakes) == net_kernel.MOST_HANDSHAKES)
    # Those of the connections that had to give way end a moment later.
    wait_until(lambda: len(os.listdir("/proc/self/task")) < before + net_kernel.MOST_HANDSHAKES + 20)
    beside(lambda: shaken(kernel).close())  # and keeps no node out
    for each in held:
        each.close()
    wait_until(lambda: not kernel._handshakes)
    assert all(entry[0] != "failed" for entry in diary.entries)


def shaken(kernel: NetKernel, name: str = "evil@127.0.0.1") -> Transport:
    """Return a connection that knows the cookie. What is said over it is up to the test."""
    transport = Transport(_connected(kernel.port))
    connect(transport, Own(name, 1, COOKIE, True, {}), kernel.name, lambda: False)
    return transport


def _connected(port: int) -> _socket.socket:
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.connect(("127.0.0.1", port))
    return sock


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def test_garbage_after_the_handshake_ends_only_its_own_connection(
    target: tuple[NetKernel, Diary], caplog: pytest.LogCaptureFixture
) -> None:
    kernel, diary = target
    draw = random.Random(11)
    cases = [
        b"\xff\xff\xff\xff",
        frame(b"x"),
        frame(b"\x70"),
        frame(b"\x70\x83a\1"),
        frame(b"\x70\x83h\0"),
        frame(b"\x70\x83h\1a\2\x83"),
        frame(b"\x70\x83h\1a\2\x83a\1a\1"),
        frame(b"\x70\x83l\xff\xff\xff\xff"),
        frame(b"\x70\x83h\1a\2\x83P\0\0\0\1nonsense"),
        frame(b"\xd0\x80\5."),
        *[frame(b"\x70\x83" + draw.randbytes(draw.randint(1, 50))) for _ in range(40)],
    ]

    def attack() -> None:
        for case in cases:
            transport = shaken(kernel)
            transport.send_all(case, time.monotonic() + 60)
            transport.shut_down()
            while transport.recv() is not None:
                transport.wait(time.monotonic() + 60, for_room=False)
            transport.close()

    beside(attack)
    wait_until(lambda: not kernel._all)
    assert all(entry[0] != "failed" for entry in diary.entries)
    assert [entry[0] for entry in diary.entries[::2]] == ["up"] * (len(diary.entries) // 2)
    assert "is disconnected" in caplog.text


def test_a_frame_that_is_never_finished_holds_what_came_and_no_more(target: tuple[NetKernel, Diary]) -> None:
    kernel, _ = target
    transports: list[Transport] = []

    def attack() -> None:
        for number in range(20):
            transport = shaken(kernel, f"evil{number}@127.0.0.1")
            transport.send_all((200_000_000).to_bytes(4, "big") + b"\x70\x83", time.monotonic() + 60)
            transports.append(transport)

    beside(attack)
    wait_until(lambda: len(kernel._all) == 20)
    for transport in transports:
        transport.close()
    wait_until(lambda: not kernel._all)


def test_a_node_that_never_greets_is_given_up(target: tuple[NetKernel, Diary], monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, diary = target
    transports: list[Transport] = []
    with monkeypatch.context() as patch:  # the nodes that come after it have their time
        patch.setattr(net_kernel, "SETUP_TIME", 0.2)
        beside(lambda: transports.append(shaken(kernel)))
        wait_until(lambda: kernel._all)
    wait_until(lambda: not kernel._all)
    assert diary.entries == []
    transports[0].close()


def test_a_node_that_falls_silent_is_down_by_net_tick_timeout(kernels: StartKernel) -> None:
    mine, theirs = Diary(), Diary()
    left = kernels("a@127.0.0.1", mine, net_ticktime=600.0)
    right = kernels("b@127.0.0.1", theirs, net_ticktime=0.4)
    left.connect(right.name)
    wait_until(lambda: len(theirs.entries) == 2)
    assert theirs.entries == [("up", "a@127.0.0.1"), ("down", "a@127.0.0.1", "net_tick_timeout")]


def stay_connected(kernels: StartKernel, number: int, net_ticktime: float) -> bool:
    """Return whether two nodes that say nothing stay connected for a while."""
    mine, theirs = Diary(), Diary()
    left = kernels(f"a{number}@127.0.0.1", mine, net_ticktime=net_ticktime)
    right = kernels(f"b{number}@127.0.0.1", theirs, net_ticktime=net_ticktime)
    left.connect(right.name)
    wait_until(lambda: mine.entries and theirs.entries)
    ends = time.monotonic() + 3 * net_ticktime
    wait_until(lambda: time.monotonic() > ends)
    return (mine.entries, theirs.entries) == ([("up", right.name)], [("up", left.name)])


def test_two_nodes_that_say_nothing_stay_connected_by_ticks(kernels: StartKernel) -> None:
    """A machine that does not run this process for a tick's time parts them, too: then there is more of it."""
    assert any(stay_connected(kernels, number, 0.4 * 2**number) for number in range(5))


def test_what_the_guard_takes_in_for_a_busy_hub_is_bounded_and_keeps_its_place(kernels: StartKernel) -> None:
    mine, theirs = Diary(), Diary()
    left = kernels("a@127.0.0.1", mine)
    right = kernels("b@127.0.0.1", theirs)
    left.connect(right.name)
    wait_until(lambda: right.name in left.connections and left.name in right.connections)
    there, here = left.connections[right.name], right.connections[left.name]
    control = (SEND, Atom(""), pid_at(right))
    sent = 0
    for _ in range(60):
        for _ in range(5):
            there.send(control, (sent, b"x" * 10_000))
            sent += 1
        there._flush()
        here.look_after()  # as the guard's thread does while the hub does nothing
        assert here._received.waiting < 2_000_000
    wait_until(lambda: len(theirs.messages) == sent)
    assert [number for number, _ in theirs.messages] == [*range(sent)]
