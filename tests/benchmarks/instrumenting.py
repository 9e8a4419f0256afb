"""Requests to a WSGI server under `observer instrument`: the processor time that observation adds to each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import psutil

from observer.node.recorded.seen import CLOSE
from runtime.introspection import wire
from runtime.introspection.recording.looks import Looker, drive
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample

SERVER = """
import json, sys
from gevent.pywsgi import WSGIServer
def app(environ, start_response):
    items = [{"id": number, "name": f"item {number}", "price": number * 1.07} for number in range(60)]
    body = json.dumps(items).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
server = WSGIServer(("127.0.0.1", 0), app, log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
"""
"""A server whose requests do some work each: they make a page of JSON."""

PAIRS = 4
"""How often a fresh pair of servers is compared. Where a process lies in memory alone makes it some percent slower."""

TURN = 8
"""Requests to one server before it is the other's turn. So short a time meets the same mood of the machine as the
next."""

LOOK_EVERY = 0.5
"""Seconds between two looks of a dashboard. With every second one it remembers what it sees, to go back to it."""

FIRST_LOOKS = 6


def cpu_clock(pid: int) -> Callable[[], float]:
    """Return a function that returns the processor time of a process, as precisely as the system tells it."""
    if sys.platform == "linux":
        number = (~pid << 3) | 2  # what clock_getcpuclockid() of the C library makes of a process id
        return lambda: time.clock_gettime(number)
    process = psutil.Process(pid)
    return lambda: sum(process.cpu_times()[:2])


class Server:
    """A running server."""

    def __init__(self, folder: str, observed: bool) -> None:
        command = [sys.executable, "-c", SERVER]
        if observed:
            command = [sys.executable, "-m", "observer", "instrument", "--name", "server", "--", *command]
        environment = {**os.environ, "OBSERVER_DIR": folder, "PYTHONHASHSEED": "0"}
        environment.pop("OBSERVER", None)
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.cpu = cpu_clock(self.process.pid)
        """Returns the processor time that it has used."""
        self.socket = Path(folder) / f"server-{self.process.pid}.sock"

    def ask(self, requests: int) -> float:
        """Send requests, each on a connection of its own; return the processor time that they took."""
        before = self.cpu()
        for _ in range(requests):
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                while connection.recv(65_536):
                    pass
        return self.cpu() - before


@contextmanager
def _server(folder: str, observed: bool) -> Iterator[Server]:
    server = Server(folder, observed)
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGKILL)
        server.process.communicate()


@contextmanager
def _dashboard(server: Server) -> Iterator[None]:
    """Ask what a dashboard asks, as often as it does, until the block ends. Its first looks are over when it begins.

    They load modules and list sockets for the first time, once for a dashboard that is open for hours.
    """
    from tests.support.nodes import RawClient

    over, settled = threading.Event(), threading.Event()

    def look() -> None:
        looker = Looker(wire.MAX_ROWS, CLOSE)
        with RawClient(server.socket) as shown, RawClient(server.socket) as remembered:
            last = turn = 0
            while not over.wait(LOOK_EVERY):
                shown.ask(wire.GetTree(unfolded=(wire.GREENLETS,), limit=75))
                shown.ask(wire.GetLints())
                last = max([last, *(event.id for event in shown.events(after=last))])
                turn += 1
                if not turn % 2:
                    drive(looker.look(), remembered.ask)
                if turn == FIRST_LOOKS:
                    settled.set()

    thread = threading.Thread(target=look)
    thread.start()
    settled.wait(30)
    yield
    over.set()
    thread.join()


def kept(size: int, how: str) -> Sample:
    """Return what a server keeps of its speed, by processor time, beside one that is not observed.

    The middle of some fresh pairs. Within a pair it is the sum that counts: a dashboard asks once a second, and the
    middle of many short turns would leave that out.
    """
    pairs = PAIRS if size >= PAIRS * TURN * 2 else 1  # the small form starts as few servers as it can
    shares = [_kept_of_a_pair(size // pairs, how, plain_first=not number % 2) for number in range(pairs)]
    return Sample.exact(median(shares))


def _kept_of_a_pair(requests: int, how: str, plain_first: bool) -> float:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, ExitStack() as stack:
        wanted = [False, how != "off"] if plain_first else [how != "off", False]
        servers = [stack.enter_context(_server(folder, observed)) for observed in wanted]
        plain, observed = servers if plain_first else servers[::-1]
        for server in servers:
            server.ask(20)  # starts what is started at the first request
        deadline = time.monotonic() + 20
        while how != "off" and not observed.socket.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        if how == "dashboard":
            stack.enter_context(_dashboard(observed))
        spent = {plain: 0.0, observed: 0.0}
        for _ in range(max(1, requests // (2 * TURN))):
            for server in (*servers, *reversed(servers)):
                spent[server] += server.ask(min(TURN, requests))
        return spent[plain] / spent[observed]


BENCHMARKS = (
    Benchmark(
        name="requests under instrument",
        what="requests to a WSGI server under 'observer instrument', in turns with one that is not: what is kept",
        unit="share",
        size=12_000,
        quick=20,
        contenders={
            OURS: Python(kept, arguments=("on",)),
            "with a dashboard": Python(kept, arguments=("dashboard",)),
            "not observed either": Python(kept, arguments=("off",)),
            "limit": Fixed(0.97),
        },
        targets=(Target("limit", 1), Target("limit", 1, ours="with a dashboard")),
    ),
)
