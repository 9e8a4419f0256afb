from __future__ import annotations

import socket
import time

import psutil
import pytest

from runtime.introspection.measuring import open_sockets
from runtime.introspection.measuring.open_sockets import OpenSockets


def test_the_system_is_asked_again_when_its_share_of_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    clock = [100.0, 0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "thread_time", lambda: clock[1])

    takes = [0.02]

    def listed(self: psutil.Process, kind: str) -> list[object]:
        clock[1] += takes[0]
        asked.append(kind)
        return []

    monkeypatch.setattr(psutil.Process, "net_connections", listed)
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
