"""Other nodes for the tests of the distribution: a Python one, and a BEAM one where Erlang is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from itertools import count
from os import getpid
from typing import Any, ParamSpec

import pytest

from runtime import (
    GenServer,
    NodeDown,
    Pid,
    Ref,
    Supervisor,
    connect_node,
    exit,
    link,
    monitor_node,
    node,
    pg,
    receive,
    reply,
    run,
    self_,
    send,
    whereis,
)

P = ParamSpec("P")

COOKIE = "tests-of-the-distribution"
_numbers = count()


def new_name(kind: str) -> str:
    """Return the name of a node that no other test has."""
    return f"{kind}{getpid()}n{next(_numbers)}@127.0.0.1"


def named(test: Callable[P, None]) -> Callable[P, None]:
    """Run a test as the first process of a node that has a name."""

    @wraps(test)
    def run_test(*args: P.args, **kwargs: P.kwargs) -> None:
        run(partial(test, *args, **kwargs), node=new_name("test"), cookie=COOKIE)

    return run_test


class Other:
    """A node in another operating-system process."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self.process = process

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.process.kill()
        self.process.wait()

    def connect(self) -> None:
        """Connect to it from the test's node; it may have begun a moment ago."""
        ends = time.monotonic() + 60
        while not connect_node(self.name):
            assert time.monotonic() < ends, f"{self.name} did not begin to listen"
            time.sleep(0.02)


@contextmanager
def python_node(*flags: str, name: str | None = None) -> Iterator[Other]:
    """Start a Python node that has a server named ``counter`` under a supervisor."""
    name = name or new_name("py")
    command = [sys.executable, "-m", "tests.support.other_nodes", name, *flags]
    with _started(name, command) as other:
        yield other


@contextmanager
def beam_node() -> Iterator[Other]:
    """Start an Erlang node; skips the test where there is no Erlang."""
    if shutil.which("erl") is None:
        pytest.skip("erl is not installed")
    name = new_name("erl")
    command = ["erl", "-name", name, "-setcookie", COOKIE, "-hidden", "-noshell", "-eval"]
    with _started(name, [*command, 'io:format("ready~n").']) as other:
        yield other


@contextmanager
def _started(name: str, command: list[str]) -> Iterator[Other]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield Other(name, process)
        finally:
            process.kill()


# -- What the Python node runs ----------------------------------------------------------------------------------------


class Counter(GenServer):
    """Counts, and answers with what it is asked."""

    def init(self, count: int = 0) -> None:
        """Begin at a number."""
        self.count = count

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Answer."""
        if request == "get":
            return self.count
        if request == "pid":
            return self_()
        if request == "fail":
            raise ValueError("as asked")
        return request

    def handle_cast(self, message: Any) -> None:
        """Add a number."""
        self.count += message


def echo() -> None:
    """Send back what comes with a Pid."""
    while True:
        message = receive()
        if isinstance(message, tuple) and isinstance(message[0], Pid):
            send(message[0], (self_(), message[1]))


def link_with(pid: Pid, teller: Pid) -> None:
    """Link with a process, say so and wait."""
    link(pid)
    send(teller, "linked")
    receive()


def leave(reason: Any) -> None:
    """Exit by itself."""
    exit(reason)


def kill_self() -> None:
    """End by one's own signal."""
    exit(self_(), "kill")


def add(one: int, other: int = 0) -> int:
    """Add."""
    return one + other


def fail() -> None:
    """Raise."""
    raise KeyError("missing")


def send_to(dest: Any, message: Any, with_ref: bool = False) -> None:
    """Send a message, or one with a reference that was made here."""
    send(dest, (message[0], Ref()) if with_ref else message)


def answer_once() -> None:
    """Answer the call that comes, or that another process sends on."""
    message = receive(tuple)
    caller, request = message[-2:]
    reply(caller, ("answered", request))


def answer_when_parted(teller: Pid) -> None:
    """Tell a process of another node that a call has come, and answer it once that node is not connected any more."""
    message = receive(tuple)
    caller, request = message[-2:]
    monitor_node(node(teller))
    send(teller, "asked")
    receive(NodeDown)
    reply(caller, ("answered", request))


def pass_on(pid: Pid) -> None:
    """Send the call that comes to another process, which is to answer it, and live on."""
    message = receive(tuple)
    send(pid, message[-2:])
    receive()


def join_group(group: str, teller: Pid, scope: str = "pg") -> None:
    """Join a group, whose scope is started for it, say so, and join again when told to."""
    if whereis(scope) is None:
        pg.start(scope)
    pg.join(scope, group, self_())
    send(teller, "joined")
    while receive() == "again":
        pg.join(scope, group, self_())


def _main() -> None:
    Supervisor.start_link([Counter.child_spec(3, name="counter")])
    print("ready", flush=True)
    receive()


if __name__ == "__main__":
    from tests.support import other_nodes  # not as __main__, so that functions have the same module here and there

    if "terms" in sys.argv[2:]:
        from runtime import start_distribution

        def start_and_wait() -> None:
            start_distribution(sys.argv[1], COOKIE, trust="terms", allow=("tests.support.other_nodes:add",))
            other_nodes._main()

        run(start_and_wait)
    else:
        run(other_nodes._main, node=sys.argv[1], cookie=COOKIE)
