"""Signals whose handlers raise in the hub, at random moments, while other nodes talk to this one."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from types import FrameType
from typing import Any

import pytest
from gevent import get_hub
from greenlet import getcurrent

from runtime import (
    Pid,
    call,
    cast,
    connect_node,
    disconnect_node,
    erpc,
    nodes,
    receive,
    self_,
    send,
    sleep,
    spawn,
    whereis,
)
from runtime.distribution import connection
from runtime.distribution.cluster import local_node
from runtime.kernel.node import this_node
from tests.support.other_nodes import Other, named

DEADLINE = 120.0
ERRORS = (TimeoutError, ConnectionResetError, BlockingIOError, ssl.SSLWantReadError, ValueError, KeyError, EOFError)


PACKAGE = os.path.dirname(connection.__file__)


class Struck(Exception):
    """What a program raises in a handler."""


@contextmanager
def struck_hub(seed: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Raise in the hub at random moments; yield how often that was."""
    hub, draw, strikes = get_hub(), random.Random(seed), [0]
    monkeypatch.setattr(hub, "print_exception", lambda *error: None)

    def strike(number: int, frame: FrameType | None) -> None:
        if getcurrent() is hub and frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
            strikes[0] += 1
            raise draw.choice((*ERRORS, Struck))("struck")

    before = signal.signal(signal.SIGPROF, strike)
    signal.setitimer(signal.ITIMER_PROF, 0.002, 0.005)
    try:
        yield strikes
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def flood(dest: Pid, most: int) -> None:
    """Send numbers, as messages of all kinds, to a process of another node."""
    for number in range(most):
        if number % 3 == 0:
            send(dest, number)
        elif number % 3 == 1:
            send(dest, (number, "x" * 300))
        else:
            send(dest, [number, {"key": (number, self_())}])
        if number % 500 == 0:
            sleep(0)


def _number(message: Any) -> int:
    return message if type(message) is int else int(message[0])


started: list[int] = []


def note_start(number: int) -> int:
    """Note that it was called."""
    started.append(number)
    return number


def call_back(name: str, teller: Pid, most: int) -> None:
    """Call a function of another node many times, and tell how that went."""
    outcomes = [erpc.call(name, note_start, number, timeout=DEADLINE) for number in range(most)]
    send(teller, ("outcomes", outcomes))


@pytest.mark.parametrize("seed", range(3))
@named
def test_nothing_is_lost_or_doubled(other: Other, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    other.connect()
    started.clear()
    me, total_sent = self_(), 6_000
    server = whereis(("counter", other.name))
    assert server is not None
    before = call(server, "get", timeout=DEADLINE)
    with struck_hub(seed, monkeypatch) as strikes:
        spawn(flood, me, total_sent, node=other.name)
        local = local_node(this_node())
        assert local is not None
        spawn(call_back, local.name, me, 100, node=other.name)
        calls = [call(server, number, timeout=DEADLINE) for number in range(300)]
        for _ in range(300):
            cast(server, 1)
        received: list[int] = []
        outcomes: list[int] | None = None
        while len(received) < total_sent or outcomes is None:
            message = receive(timeout=DEADLINE)
            if type(message) is tuple and message[0] == "outcomes":
                outcomes = message[1]
            else:
                received.append(_number(message))
        total = call(server, "get", timeout=DEADLINE)
        while not strikes[0]:  # what is compiled is rarely struck
            call(server, "get", timeout=DEADLINE)
    assert received == [*range(total_sent)]
    assert (outcomes, started) == ([*range(100)], [*range(100)])
    assert (calls, total) == ([*range(300)], before + 300)
    assert receive(timeout=0.0, default=None) is None


@named
def test_connections_come_and_go_and_garbage_comes_in_between(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    other.connect()
    local = local_node(this_node())
    assert local is not None
    port = local.net_kernel.port
    draw = random.Random(3)
    with struck_hub(7, monkeypatch) as strikes:
        for number in count():
            if number >= 40 and strikes[0]:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(draw.randbytes(draw.randint(1, 200)))
            if number % 2:
                disconnect_node(other.name)
            while not connect_node(other.name):
                sleep(0.01)
            assert call(("counter", other.name), number, timeout=DEADLINE) == number
    assert nodes() == [other.name]
    assert len(local.net_kernel._all) == 1
