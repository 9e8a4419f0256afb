"""The endpoint of a program whose texts are not UTF-8: each of them is shown, and found by what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.nodes import eventually, observed

PROGRAM = """
import os, sys
from runtime import ChildSpec, GenServer, Supervisor, cast, dictionary, exit, receive, run, self_, send, spawn

TEXT = os.fsdecode(b"caf\\xe9.txt")

class Odd:
    def __repr__(self):
        return TEXT

class Reader(GenServer):
    def init(self):
        self.held = Odd()
    def handle_cast(self, name):
        raise ValueError(f"cannot read {name}")

def wait():
    dictionary()[TEXT] = TEXT
    send(self_(), TEXT)
    receive(("never",))
wait.__qualname__ = wait.__name__ = f"wait for {TEXT}"

def main():
    odd = ChildSpec(id=TEXT, start=(Reader.start_link,))
    Supervisor.start_link([odd, Reader.child_spec(name="reader")], name="top")
    spawn(wait, label=TEXT)
    spawn(wait, name=TEXT)
    spawn(lambda: exit(f"bad {TEXT}"))
    exec(compile("def failing():\\n    raise ValueError(TEXT)", TEXT, "exec"), globals())
    spawn(failing)
    cast("reader", TEXT)
    receive(("never",))

run(main)
"""

ESCAPED = "caf\\udce9.txt"


@pytest.fixture
def script(folder: Path) -> Path:
    """Write the program."""
    path = folder / "odd.py"
    path.write_text(PROGRAM)
    return path


def test_a_program_whose_texts_are_not_utf8_is_seen_whole(folder: Path, script: Path) -> None:
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        ended = eventually(lambda: len(found := [e for e in client.events() if e.kind == "exit"]) >= 3 and found)
        reasons = {str(event.reason) for event in ended}
        assert {f"bad {ESCAPED}", f"ValueError: {ESCAPED}", f"ValueError: cannot read {ESCAPED}"} <= reasons
        assert any(frame.file == ESCAPED for event in ended for frame in event.stacktrace)
        rows = client.tree(unfolded=("~free",))
        assert f"top/{ESCAPED}" in rows
        waiting = [row for row in rows.values() if ESCAPED in (row.registered_name, row.label)]
        assert len(waiting) == 2
        for row in waiting:
            assert row.pid is not None
            details = client.ask(wire.GetProcess(pid=row.pid))
            assert details.dictionary == {"'caf\\udce9.txt'": "'caf\\udce9.txt'"}
            assert details.messages == ("'caf\\udce9.txt'",)
        details = client.told_state(client.pid(f"top/{ESCAPED}"))
        assert ESCAPED in str(details.state)
        names = client.ask(wire.GetNames(filter=ESCAPED))
        assert [entry.name for entry in names.names] == [ESCAPED]


def test_what_has_such_a_name_is_found_and_acted_upon_by_what_is_shown_of_it(folder: Path, script: Path) -> None:
    with observed(folder, program=(str(script),)) as node, node.client() as client:
        key = f"top/{ESCAPED}"
        eventually(lambda: key in client.tree())
        assert client.ask(wire.GetTree(anchor=key)).anchor_index is not None
        assert [row.key for row in client.ask(wire.GetPlaces(keys=(key,))).rows] == [key]
        # The process with that label is started after the tree.
        eventually(lambda: client.ask(wire.GetProcesses(filter=f'label="{ESCAPED}"')).total == 1)
        before = client.pid(key)
        command = wire.ControlChild(supervisor=client.pid("top"), child_id=ESCAPED, action="restart")
        assert isinstance(client.ask(command), wire.Done)
        assert client.pid(key) != before
