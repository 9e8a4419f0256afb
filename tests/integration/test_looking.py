"""What looking costs a program: no module is loaded for it, and no code of the program's runs beside its node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.introspection import wire
from tests.support.nodes import RawClient, eventually, observed

PROGRAM = """
import sys, threading, time
from runtime import GenServer, dictionary, receive, run, self_, send, send_after, sleep, spawn

class Noisy:
    def __init__(self, name):
        self.name = name
    def __repr__(self):
        if threading.get_native_id() != threading.main_thread().native_id:
            print("beside the node", file=sys.stderr, flush=True)
            time.sleep(3600)
        return f"Noisy {self.name}"

class Holder(GenServer):
    def init(self):
        self.held = Noisy("state")

class Wide(GenServer):
    def init(self):
        vars(self).update({f"a{i}": i for i in range(100_000)})

def hold():
    dictionary()["held"] = Noisy("dictionary")
    send(self_(), Noisy("message"))
    send_after(self_(), Noisy("timer"), 1_000)
    receive("never")

def main():
    Holder.start_link(name="holder")
    Wide.start_link(name="wide")
    spawn(hold, name="hold")
    before = {*sys.modules}
    while True:
        sleep(0.05)
        print("loaded", *sorted({*sys.modules} - before), file=sys.stderr, flush=True)

run(main)
"""


@pytest.fixture
def script(folder: Path) -> Path:
    """Write the program."""
    path = folder / "looked_at.py"
    path.write_text(PROGRAM)
    return path


def details_of(client: RawClient, name: str) -> wire.Details:
    row = eventually(lambda: next(iter(client.ask(wire.GetProcesses(filter=f"name={name}")).rows), None))
    found = client.ask(wire.GetProcess(pid=row.pid, state=True, messages=10))
    assert isinstance(found, wire.Details), found
    return found


def test_only_the_nodes_own_thread_runs_a_repr_of_the_program(folder: Path, script: Path) -> None:
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        # A process has its name before its first turn, when it holds nothing yet.
        eventually(lambda: bool(details_of(client, "hold").messages))
        held = details_of(client, "hold")
        assert held.messages == ("<Noisy name='message'>",)
        assert held.dictionary == {"'held'": "<Noisy name='dictionary'>"}
        assert eventually(lambda: "Noisy state" in (details_of(client, "holder").state or ""))
        assert [each.message for each in client.ask(wire.GetNames()).timers][-1] == "<Noisy name='timer'>"
    assert "beside" not in node.logged()


ASKED: list[Callable[[RawClient], Any]] = [
    lambda client: client.stats(),
    lambda client: client.tree(),
    lambda client: client.ask(wire.GetProcesses(filter="name~h", sort="memory")),
    lambda client: details_of(client, "wide"),
    lambda client: client.ask(wire.GetEvents()),
    lambda client: client.ask(wire.GetLints()),
    lambda client: client.ask(wire.GetNames(filter="h")),
    lambda client: client.ask(wire.GetPlan(pid="<0.1.0>")),
]


def test_no_answer_loads_a_module(folder: Path, script: Path) -> None:
    """It would read files, and wait for a program that is stuck in the import of the same module."""
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        for ask in ASKED:
            ask(client)
        told = node.logged().count("loaded")
        eventually(lambda: node.logged().count("loaded") > told + 1)
    assert {line for line in node.logged().splitlines() if line.startswith("loaded")} == {"loaded"}
