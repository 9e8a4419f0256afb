"""An Elixir program and a Python one, each calling the other's server, and Python workers under an Elixir supervisor.

``python -m demos.elixir`` starts ``elixir.exs`` beside itself, if Elixir is installed, and prints what both say. The
Elixir program calls and casts to ``greeter``, a server here, and runs a function here by ``:erpc``. This one calls
``adder``, a server there under an Elixir supervisor, hears when it dies, and finds it again under its name. Two Python
nodes are workers of the Elixir program, children of a supervisor there: one is killed by SIGKILL, and comes back.

In the observer, ``greeter`` stands alone until an Elixir node comes: start one with
``iex --name me@127.0.0.1 --cookie elixir-demo --hidden``, and type
``GenServer.call({:greeter, :"NODE"}, {:greet, "me"})``, where NODE is the name that the row above ``greeter`` shows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import gevent

from demos._stage import play
from runtime import (
    ANY,
    Atom,
    CallError,
    ChildSpec,
    Down,
    From,
    GenServer,
    Pid,
    Supervisor,
    call,
    cast,
    monitor,
    node,
    receive,
    register,
    run,
    self_,
    set_label,
    sleep,
    spawn_link,
    start_distribution,
    stop,
)

COOKIE = "elixir-demo"
GREETINGS = {"English": "Hello", "Spanish": "Hola"}
DEADLINE = 120.0


class Greeter(GenServer):
    """Greets in a language."""

    def init(self) -> None:
        """Begin in English."""
        self.language = "English"

    def handle_call(self, request: tuple[str, str], caller: From) -> object:
        """Greet someone: the request ``{:greet, name}`` of an Elixir program."""
        match request:
            case ("greet", name):
                return f"{GREETINGS[self.language]}, {name}!"
        return super().handle_call(request, caller)

    def handle_cast(self, message: tuple[str, str]) -> None:
        """Change the language: ``{:in, language}``."""
        _, self.language = message


class Worker(GenServer):
    """Computes for an Elixir program."""

    def handle_call(self, request: tuple[str, int], caller: From) -> object:
        """Do the job ``{:primes, limit}``."""
        match request:
            case ("primes", limit):
                return primes(limit)
        return super().handle_call(request, caller)


def work() -> None:
    """Be a worker until the port of the Elixir program is closed, which is this program's standard input."""
    Worker.start_link(name="worker")
    print("ready", flush=True)
    gevent.get_hub().threadpool.apply(sys.stdin.buffer.read)


def primes(limit: int) -> list[int]:
    """Return the prime numbers below a limit; Elixir calls this by ``:erpc``."""
    return [number for number in range(2, limit) if all(number % divisor for divisor in range(2, number))]


def name_this_node() -> None:
    """Let other nodes reach this one."""
    start_distribution(f"python{os.getpid()}@127.0.0.1", COOKIE)


def session() -> None:
    """Play both sides."""
    if shutil.which("elixir") is None:
        print("This demo needs Elixir: the command elixir was not found.")
        return
    name_this_node()
    register("elixir_demo", self_())
    Greeter.start_link(name="greeter")
    there = f"elixir{os.getpid()}@127.0.0.1"
    script = Path(__file__).with_suffix(".exs")
    command = ["elixir", "--name", there, "--cookie", COOKIE, "--hidden", str(script), node(), sys.executable]
    sys.stdout.flush()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as elixir:
        try:
            receive(("ready", Pid), timeout=DEADLINE)
            use_adder(("adder", there))
            stop("greeter")
            receive("done", timeout=DEADLINE)
            gevent.get_hub().threadpool.apply(elixir.wait, (DEADLINE,))  # so that it has written what it printed
        finally:
            elixir.kill()


def use_adder(adder: tuple[str, str]) -> None:
    """Call the Elixir server, kill it, and call the one that its supervisor has started instead."""
    for number in (1, 2, 39):
        total = call(adder, (Atom("add"), number))
    print("Python has adder add 1, 2 and 39:", total)
    ref = monitor(adder)
    cast(adder, Atom("crash"))
    down = receive(Down(ref, ANY, ANY), timeout=DEADLINE)
    print("adder died of", down.reason[0]["message"], flush=True)
    while True:
        try:
            print("the next adder begins at", call(adder, (Atom("add"), 0)), flush=True)
            return
        except CallError:  # it is being started
            sleep(0.01)


def address() -> None:
    """Show in a label how this node is called."""
    name_this_node()
    set_label(node())
    receive()


def start_address() -> Pid:
    """Start the process whose label is the name of this node."""
    return spawn_link(address)


def tree() -> Pid | None:
    """Start the greeter, and what shows the name of the node."""
    return Supervisor.start_link([ChildSpec(id="address", start=(start_address,)), Greeter.child_spec(name="greeter")])


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        run(work, node=sys.argv[2], cookie=COOKIE)
    else:
        play(session, tree)
