from __future__ import annotations

import errno
import fcntl
import gc
import os
import socket
import sys
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runtime.introspection.measuring import open_sockets
from runtime.introspection.measuring.open_sockets import OpenSocket, OpenSockets


def test_the_system_is_asked_again_when_its_share_of_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    clock = [100.0, 0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "thread_time", lambda: clock[1])

    takes = [0.02]

    def listed() -> list[OpenSocket]:
        clock[1] += takes[0]
        asked.append(clock[0])
        return []

    monkeypatch.setattr(open_sockets, "_asked", listed)
    monkeypatch.setattr(open_sockets, "_listed", listed)
    sockets = OpenSockets()
    for seconds in (0.0, 1.0, 0.9, 0.2):
        clock[0] += seconds
        sockets.look()
    assert len(asked) == 2  # at 2 s, which is 0.02 s of work at a hundredth of the time
    takes[0] = 0.5  # beside a server with very many connections the share holds as well
    for seconds in (2.0, 30.0, 19.0):
        clock[0] += seconds
        sockets.look()
    assert len(asked) == 3
    clock[0] += 2.0
    sockets.look()
    assert len(asked) == 4


def test_a_socket_that_was_closed_is_left_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_sockets, "SHARE", 1e-9)
    sockets = OpenSockets()
    with socket.create_server(("127.0.0.1", 0)) as kept:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            fd = closed.fileno()
            assert {kept.fileno(), fd} <= {each.fd for each in sockets.look()}
        left = {each.fd for each in sockets.look()}
        assert kept.fileno() in left
        assert fd not in left


def test_sockets_say_of_themselves_what_the_system_lists_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a Unix socket must be short
    with ExitStack() as stack:

        def opened(family: int, kind: int, address: tuple[str, int] | str | None = None) -> socket.socket:
            made = stack.enter_context(socket.socket(family, kind))
            if address is not None:
                made.bind(address)
            return made

        server = opened(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        server.listen()
        client = stack.enter_context(socket.create_connection(server.getsockname()))
        accepted = stack.enter_context(server.accept()[0])
        sixth = opened(socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 0))
        sender = opened(socket.AF_INET, socket.SOCK_DGRAM)
        sender.connect(("127.0.0.1", 9))
        named = opened(socket.AF_UNIX, socket.SOCK_STREAM, "here")
        pair = [stack.enter_context(each) for each in socket.socketpair()]
        unbound = opened(socket.AF_INET, socket.SOCK_STREAM)
        made = [server, client, accepted, sixth, sender, named, *pair, unbound]
        if sys.platform == "linux":
            made.append(opened(socket.AF_UNIX, socket.SOCK_DGRAM, "\0nowhere-" + str(os.getpid())))
        numbers = {each.fileno() for each in made}
        found = {each for each in OpenSockets().look() if each.fd in numbers}
        assert found == {each for each in open_sockets._listed() if each.fd in numbers}
        assert (server.fileno(), "LISTEN", "") in {(each.fd, each.status, each.remote) for each in found}
        assert {each.fd for each in found} == numbers - {unbound.fileno()}


def test_a_look_at_a_socket_leaves_it_open_and_blocking_as_it_was() -> None:
    one, other = socket.socketpair()
    with one, other, warnings.catch_warnings():
        warnings.simplefilter("error")
        other.setblocking(False)
        before = [fcntl.fcntl(each, fcntl.F_GETFL) for each in (one, other)]
        socket.setdefaulttimeout(5.0)  # Python then makes each socket that it meets non-blocking
        try:
            found = {each.fd for each in OpenSockets().look()}
        finally:
            socket.setdefaulttimeout(None)
        assert {one.fileno(), other.fileno()} <= found
        assert [fcntl.fcntl(each, fcntl.F_GETFL) for each in (one, other)] == before
        one.sendall(b"open")
        assert other.recv(10) == b"open"


def test_a_borrowed_socket_that_is_dropped_stays_open() -> None:
    one, other = socket.socketpair()
    with one, other, warnings.catch_warnings():
        warnings.simplefilter("error")
        borrowed = open_sockets._Borrowed(socket.AF_UNIX, socket.SOCK_STREAM, 0, one.fileno())
        assert borrowed.fileno() == one.fileno()
        del borrowed  # as by what strikes before it is given back
        gc.collect()
        one.sendall(b"open")
        assert other.recv(10) == b"open"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the sockets are taken from the system's list")
@pytest.mark.parametrize("answer", [OSError(errno.ENOPROTOOPT, "no such option"), b""])
def test_a_stream_that_is_not_of_tcp_has_no_status(answer: OSError | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    class OtherStream(open_sockets._Borrowed):
        def getsockopt(self, level: int, name: int, size: int = 0) -> Any:
            if level != socket.IPPROTO_TCP:
                return super().getsockopt(level, name)
            if isinstance(answer, OSError):
                raise answer
            return answer

    monkeypatch.setattr(open_sockets, "_Borrowed", OtherStream)
    with socket.create_server(("127.0.0.1", 0)) as server:
        (found,) = (each for each in OpenSockets().look() if each.fd == server.fileno())
        assert found.status == ""
        assert found.local == f"127.0.0.1:{server.getsockname()[1]}"
