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
from statistics import median
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
"""Seconds in which a dashboard asks what `_dashboard` does at once."""

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


def other_threads_clock(pid: int) -> Callable[[], float]:
    """Return a function that returns the processor time of a process's threads besides the main one; 0 where unknown.

    What the system tells of a thread lacks the last milliseconds while that runs, which those rarely do.
    """
    tasks = Path(f"/proc/{pid}/task")

    def read() -> float:
        others = [task for task in os.listdir(tasks) if task != str(pid)] if tasks.exists() else []
        return sum(int((tasks / task / "schedstat").read_bytes().split()[0]) for task in others) / 1e9

    return read


class Spent(NamedTuple):
    """Processor time that a server has spent in its main thread and in all others, and the seconds that passed."""

    main: float
    beside: float
    seconds: float


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
        self._others = other_threads_clock(self.process.pid)
        self.socket = Path(folder) / f"server-{self.process.pid}.sock"

    def ask(self, requests: int) -> Spent:
        """Send requests, each on a connection of its own; return what they took."""
        begun, others, whole = time.monotonic(), self._others(), self._cpu()
        for _ in range(requests):
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
                while connection.recv(65_536):
                    pass
        whole, others = self._cpu() - whole, self._others() - others
        return Spent(whole - others, others, time.monotonic() - begun)


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

    It shows the tree twice, and remembers once what there is to see. Requests go on meanwhile. The function is given
    the processor time that a turn of them ordinarily takes, and returns what the server has spent beyond that.
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

        def look_and_ask(ordinary: float = 0.0) -> float:
            """Look, and return the processor time beyond the ordinary one of each turn that passes meanwhile."""
            under_way, more = beside.submit(look), 0.0
            while True:
                is_over = under_way.done()
                spent = server.ask(TURN)
                more += spent.main + spent.beside - ordinary
                if is_over:
                    under_way.result()
                    return more

        for _ in range(FIRST_LOOKS):
            look_and_ask()
        yield look_and_ask


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
    slower by half. That would leave out what happens now and then. So of the other threads it is their share of the
    time. A look of a dashboard is measured by itself, and counts as often as it comes in a second.
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
                looks.append(look(_middle(spent[observed])))
        turns = spent[observed]
        beside = sum(turn.beside for turn in turns) / sum(turn.seconds for turn in turns)
        shown = median(looks) / SECOND if looks else 0.0
        return _middle(spent[plain]) / _middle(turns) * (1 - beside - shown)


def _middle(turns: Sequence[Spent]) -> float:
    """Return the processor time that the main thread takes for an ordinary turn."""
    return median(turn.main for turn in turns)


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
