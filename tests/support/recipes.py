"""Real servers under `observer instrument`, and what is seen of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Literal, TypeVar

import pytest

from runtime.introspection import wire
from runtime.introspection.address import is_live
from tests.support.nodes import RawClient

ROOT = Path(__file__).parents[2]

SERVERS = ROOT / ".venv-recipes" / "bin"
"""Where the servers are installed, with this project: an environment of their own."""

PROGRAMS = ROOT / "tests" / "integration" / "recipes" / "programs"

PATIENCE = 120.0
"""Seconds after which something that should happen counts as not happening. Some servers take long to start."""

T = TypeVar("T")


def needs(program: str) -> pytest.MarkDecorator:
    """Skip a test where a server is not installed."""
    return pytest.mark.skipif(
        not (SERVERS / program).exists(), reason=f"{program} is not installed in .venv-recipes: .ci/run does that"
    )


def eventually(look: Callable[[], T | Literal[False] | None]) -> T:
    """Look until there is something to see, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return seen


class Server:
    """A server that runs in `folder`, observed or not."""

    def __init__(self, folder: Path, command: Sequence[str], observed: bool) -> None:
        self.folder = folder
        self.sockets = folder / "s"
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        for program in PROGRAMS.glob("*.py"):
            shutil.copy(program, folder)
        first, *rest = command
        words = [str(SERVERS / first), *rest]
        if observed:
            words = [str(SERVERS / "observer"), "instrument", "--", *words]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("OBSERVER", "PYTHON"))}
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                words,
                cwd=folder,
                env={**inherited, "OBSERVER_DIR": str(self.sockets), "HOME": str(folder), "PYTHONPATH": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def names(self) -> list[str]:
        """Return the names of its nodes, sorted."""
        return sorted(path.stem for path in self.sockets.glob("*.sock") if is_live(path))

    def node(self, name: str) -> RawClient:
        """Connect to a node."""
        return RawClient(self.sockets / f"{name}.sock")

    def told(self, *words: str) -> Any:
        """Return what a command of the observer prints as JSON."""
        command = [sys.executable, "-m", "observer", *words, "--json"]
        environment = {**os.environ, "OBSERVER_DIR": str(self.sockets)}
        return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)

    def wait_for(self, *names: str) -> None:
        """Wait until exactly these nodes are there."""
        eventually(lambda: self.names() == [*names])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def clean_up(self) -> None:
        """Leave nothing running."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(folder: Path, *command: str, observed: bool = True) -> Iterator[Server]:
    """Run a server until the block ends."""
    server = Server(folder, command, observed)
    try:
        yield server
    except AssertionError:
        print(server.log.read_text()[-4_000:])
        raise
    finally:
        server.clean_up()


def get(port: int, path: str, timeout: float = PATIENCE) -> str:
    """Ask a server on this machine for a page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
        return str(answer.read().decode())


def up(port: int) -> bool:
    """Whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def in_background(function: Callable[..., object], *arguments: object) -> Thread:
    """Call a function on a thread, whatever it raises."""

    def call() -> None:
        with suppress(Exception):
            function(*arguments)

    thread = Thread(target=call, daemon=True)
    thread.start()
    return thread


def greenlets(client: RawClient) -> list[wire.Row]:
    """Return the rows of a node's greenlets."""
    rows = client.tree(unfolded=(wire.GREENLETS,)).values()
    return [row for row in rows if row.kind == "greenlet" and row.pid is not None]


def waiting_at(client: RawClient, words: str) -> list[str]:
    """Return the pids of the greenlets in whose stacks some words stand."""
    found = []
    for row in greenlets(client):
        details = client.ask(wire.GetProcess(pid=str(row.pid)))
        if isinstance(details, wire.Details) and any(words in frame.function for frame in details.current_stacktrace):
            found.append(str(row.pid))
    return found


def blamed(client: RawClient, words: str) -> bool:
    """Whether a stall was told of with some words."""
    return any(event.kind == "stall" and words in event.message for event in client.events())
