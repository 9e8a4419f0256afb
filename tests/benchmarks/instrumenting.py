"""Requests to a WSGI server under `observer instrument`: the processor time that observation adds to each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

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

PAIRS = 8
"""How often a fresh pair of servers is compared. Where a process lies in memory alone makes it some percent slower."""

TURN = 8
"""Requests to one server before it is the other's turn. So short a time meets the same mood of the machine as the
next."""

SECOND = 1.0
"""Seconds of a fully loaded server's processor time in which a dashboard asks what `_dashboard` does at once."""

LOOK_EVERY = 12
"""Turns from one look to the next: there are more than a dashboard makes, and each counts for as much less."""

FIRST_LOOKS = 3
"""Looks before it is measured. They load modules and list sockets for the first time, once for a dashboard that is open
for hours."""


def cpu_clock(pid: int) -> Callable[[], float]:
    """Return a function that returns the processor time of a process, as precisely as the system tells it."""
    if sys.platform == "linux":
        number = (~pid << 3) | 2  # what clock_getcpuclockid() of the C library makes of a process id
        return lambda: time.clock_gettime(number)
    process = psutil.Process(pid)
    return lambda: sum(process.cpu_times()[:2])


def main_thread_clock(pid: int) -> Callable[[], float] | None:
    """Return a function that returns the processor time of a process's main thread while that waits.

    None where the system does not tell.
    """
    path = Path(f"/proc/{pid}/task/{pid}/schedstat")
    return (lambda: int(path.read_bytes().split()[0]) / 1e9) if path.exists() else None


class Spent(NamedTuple):
    """Processor time that a server has spent: in its main thread, and in all others."""

    main: float
    beside: float


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
        self._cpu = cpu_clock(self.process.pid)
        self._main = main_thread_clock(self.process.pid) or self._cpu
        self.socket = Path(folder) / f"server-{self.process.pid}.sock"

    def ask(self, requests: int) -> Spent:
        """Send requests, each on a connection of its own; return the processor time that each took."""
        whole, main = self._cpu(), self._main()
        for _ in range(requests):
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                while connection.recv(65_536):
                    pass
        main, whole = self._main() - main, self._cpu() - whole
        return Spent(main / requests, max(0.0, whole - main) / requests)


@contextmanager
def _server(folder: str, observed: bool) -> Iterator[Server]:
    server = Server(folder, observed)
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGKILL)
        server.process.communicate()


@contextmanager
def _dashboard(server: Server) -> Iterator[Callable[[float], float]]:
    """Ask what a dashboard asks in a second, each time the function is called that the block gets.

    It shows the tree twice, and remembers once what there is to see. Requests go on meanwhile. The function returns the
    processor time that the server has spent on all of it, and for how many requests.
    """
    from tests.support.nodes import RawClient

    looker = Looker(wire.MAX_ROWS, CLOSE)
    last = 0
    with RawClient(server.socket) as shown, RawClient(server.socket) as remembered, ThreadPoolExecutor(1) as beside:

        def look() -> None:
            nonlocal last
            for _ in range(2):
                shown.ask(wire.GetTree(unfolded=(wire.GREENLETS,), limit=75))
                shown.ask(wire.GetLints())
                last = max([last, *(event.id for event in shown.events(after=last))])
            drive(looker.look(), remembered.ask)

        def spent(ordinary: float = 0.0) -> float:
            """Look, and return the processor time beyond what the requests take that are answered meanwhile."""
            under_way, more = beside.submit(look), 0.0
            while True:
                is_over = under_way.done()
                each = server.ask(TURN)
                more += (sum(each) - ordinary) * TURN
                if is_over:
                    under_way.result()
                    return more

        for _ in range(FIRST_LOOKS):
            spent()
        yield spent


def kept(size: int, how: str) -> Sample:
    """Return what a server keeps of its speed, by processor time, beside one that is not observed.

    The middle of some fresh pairs.
    """
    pairs = PAIRS if size >= PAIRS * TURN * 2 else 1  # the small form starts as few servers as it can
    shares = [_kept_of_a_pair(size // pairs, how, plain_first=not number % 2) for number in range(pairs)]
    return Sample.exact(median(shares))


def _kept_of_a_pair(requests: int, how: str, plain_first: bool) -> float:
    """Return what one server keeps of its speed beside another one.

    Of the main threads it is the middle of many short turns that counts: what else the machine does makes some of them
    slower by half. That would leave out what happens now and then, so of the other threads it is the sum. A look of a
    dashboard is measured by itself, and counts as often as it would come in a second of a fully loaded server.
    """
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, ExitStack() as stack:
        wanted = [False, how != "off"] if plain_first else [how != "off", False]
        servers = [stack.enter_context(_server(folder, observed)) for observed in wanted]
        plain, observed = servers if plain_first else servers[::-1]
        for server in servers:
            server.ask(20)  # starts what is started at the first request
        deadline = time.monotonic() + 20
        while how != "off" and not observed.socket.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        look = stack.enter_context(_dashboard(observed)) if how == "dashboard" else None
        spent: dict[Server, list[Spent]] = {plain: [], observed: []}
        looks: list[float] = []
        for number in range(max(1, requests // (2 * TURN))):
            for server in (*servers, *reversed(servers)):
                spent[server].append(server.ask(min(TURN, requests)))
            if look is not None and not number % LOOK_EVERY:
                looks.append(look(_ordinary(spent[observed])))
        share = median(looks) / SECOND if looks else 0.0
        return _ordinary(spent[plain]) / _ordinary(spent[observed]) * (1 - share)


def _ordinary(turns: Sequence[Spent]) -> float:
    """Return the processor time of a request without a look."""
    return median(turn.main for turn in turns) + mean(turn.beside for turn in turns)


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
