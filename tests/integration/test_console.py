"""The console: over the wire, from a pipe, and typed in a real terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.nodes import ObservedNode, RawClient, eventually, observed
from tests.support.tmux import WITHOUT_TMUX, Screen


def evaluate(client: RawClient, source: str) -> str:
    """Return all that the console shows of one evaluation."""
    state = client.ask(wire.Evaluate(source=source))
    shown = [*state.texts]
    while state.evaluating:
        state = client.ask(wire.ReadConsole(after=state.last, wait=0.5))
        shown += state.texts
    return "".join(each.text for each in shown)


def test_what_is_typed_is_evaluated_in_the_node(node: ObservedNode) -> None:
    with node.client() as client:
        opened = client.ask(wire.OpenConsole())
        assert client.ask(wire.OpenConsole()).pid == opened.pid
        assert evaluate(client, "self_()") == f"{opened.pid}\n"
        assert evaluate(client, "import os; os.getpid()") == f"{node.process.pid}\n"
        assert "SyntaxError" in evaluate(client, "1 +")
        assert "spawn_link(" in client.ask(wire.CompleteConsole(text="spawn")).words
        events = [event for event in client.events() if event.kind == "action"]
        assert [event.message for event in events] == ["opened a console: console"]


def test_a_loop_is_interrupted_and_the_names_stay(node: ObservedNode) -> None:
    with node.client() as client, node.client() as other:
        first = client.ask(wire.OpenConsole()).pid
        evaluate(client, "x = 7")
        client.ask(wire.Evaluate(source="while True: pass"))
        state = client.ask(wire.InterruptConsole())
        eventually(lambda: not client.ask(wire.ReadConsole()).evaluating)
        assert evaluate(client, "x").endswith("7\n")
        second = client.ask(wire.OpenConsole()).pid
        assert second != first
        assert state.evaluations == 2
        assert other.stats().process_count > 1


def test_one_program_at_a_time(node: ObservedNode) -> None:
    with node.client() as client:
        client.ask(wire.OpenConsole())
        client.ask(wire.Evaluate(source="receive()"))
        refused = client.ask(wire.Evaluate(source="1"))
        assert isinstance(refused, wire.Failed)
        assert "busy" in refused.why


def test_a_console_ends_with_the_connection(node: ObservedNode) -> None:
    with node.client() as watcher:
        with node.client() as client:
            pid = client.ask(wire.OpenConsole()).pid
            evaluate(client, "print('x')")
        gone = eventually(lambda: isinstance(watcher.ask(wire.GetProcess(pid=pid)), wire.Failed))
    assert gone


@pytest.mark.parametrize("query", [wire.Evaluate(source="1"), wire.ReadConsole(), wire.InterruptConsole()])
def test_a_console_that_was_not_opened_is_not_there(node: ObservedNode, query: wire.Query) -> None:
    with node.client() as client:
        refused = client.ask(query)
    assert isinstance(refused, wire.Failed)
    assert refused.kind == "bad_request"


@pytest.mark.parametrize(("option", "why"), [("--read-only", "read-only"), ("--no-state", "--no-state")])
def test_a_node_that_keeps_something_back_has_no_console(folder: Path, option: str, why: str) -> None:
    with observed(folder, option) as node, node.client() as client:
        refused = client.ask(wire.OpenConsole())
    assert isinstance(refused, wire.Failed)
    assert refused.kind == "read_only"
    assert why in refused.why


def _piped(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.patient", "console", *arguments]
    environment = {**os.environ, "OBSERVER_DIR": str(folder), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return subprocess.run(command, input=source, env=environment, capture_output=True, text=True, timeout=300)


def test_a_pipe_is_evaluated_to_its_end(node: ObservedNode, folder: Path) -> None:
    done = _piped(folder, "x = 20\nif x:\n    print('yes')\nelse:\n    print('no')\nx + 1\n", "node")
    assert (done.returncode, done.stdout, done.stderr) == (0, "20\nyes\n21\n", "")
    failed = _piped(folder, "1 / 0\n2\n", "node")
    assert failed.returncode == 1
    assert failed.stdout == "2\n"
    assert failed.stderr.endswith("** ZeroDivisionError: division by zero\n")


def test_a_node_is_started_for_a_console_and_ended_with_it(folder: Path) -> None:
    done = _piped(folder, "register('me', self_())\ntree()\n", "--start")
    assert (done.returncode, done.stdout) == (0, "True\nThere is no supervisor on this node.\n")
    assert not list(folder.glob("*.sock"))


def test_runtime_as_a_program_is_a_node_with_a_console(folder: Path) -> None:
    environment = {**os.environ, "OBSERVER_DIR": str(folder), "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [sys.executable, "-m", "runtime"]
    typed = "spawn_monitor(lambda: print('Hello')); receive(Down).reason"
    done = subprocess.run(command, input=typed, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Hello\n'normal'\n")


COUNTER = (
    "class Counter(GenServer):",
    "def init(self, start=0): self.count = start",
    "def handle_call(self, request, caller): return self.count",
    "def handle_cast(self, message): self.count += 1",
)


@WITHOUT_TMUX
def test_the_first_session_of_the_tutorials_is_typed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder))
    with Screen(folder, "console", "--start") as screen:
        screen.shows(r"^console\(1\)>")
        screen.keys("pid = spawn(lambda: print('Hello'))", "Enter")
        screen.shows(r"^<0\.\d+\.0>$")
        screen.shows(r"^Hello$")
        screen.keys("alive(pid)", "Enter")
        screen.shows(r"^False$")
        for line in COUNTER:  # the lines of a block are indented while they are typed
            screen.keys(line, "Enter")
        screen.keys("Enter")
        screen.shows(r"^console\(4\)>")
        screen.keys("counter = Counter.start_link(5)", "Enter")
        screen.shows(r"^console\(5\)>")
        screen.keys("cast(counter, 'increment'); call(counter, 'get')", "Enter")
        screen.shows(r"^6$")
        screen.keys("send(self_(), 'hi'); flush()", "Enter")
        screen.shows(r"^\['hi'\]$")
        screen.keys("print('begun'); [None for _ in iter(int, 1)]", "Enter")
        screen.shows(r"^begun$")
        screen.keys("C-c")
        screen.shows(r"\(EXIT from <[\d.]+>\) killed; the console goes on in")
        screen.keys("alive(counter)", "Enter")  # it was linked
        screen.shows(r"^console\(9\)>")
        screen.keys("spawn_li", "Tab")
        screen.shows(r"^console\(9\)> spawn_link\(")
        screen.keys("C-c")
        screen.shows(r"^console\(9\)> *$")
        screen.keys("C-d")
        screen.shows(r"^left with 0$")
        screen.shows(r"^as before$")


CHAT = (
    "def chat(clients):",
    "while True:",
    "match receive(ANY):",
    "case ('join', pid, name): clients[pid] = name",
    """case ('say', pid, text): [send(other, f"{clients[pid]}: {text}") for other in clients if other != pid]""",
)

CLIENT = (
    "def client(name):",
    "send('chat', ('join', self_(), name))",
    "while True:",
    "match receive(('say', str), str):",
    "case ('say', text): send('chat', ('say', self_(), text))",
    "case line: print(f'[{name}] {line}')",
)


@WITHOUT_TMUX
def test_the_chat_of_the_tutorials_is_typed_and_leaves_the_sender_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(folder))
    with Screen(folder, "console", "--start") as screen:
        screen.shows(r"^console\(1\)>")
        for number, block in enumerate((CHAT, CLIENT), 2):
            for line in block:  # the lines of a block are indented while they are typed
                screen.types(line)
            screen.keys("Enter")
            screen.shows(rf"^console\({number}\)>")
        screen.types("room = spawn(chat, {}, name='chat')")
        for number, name in enumerate(("Ada", "Bob", "Charles"), 5):
            screen.shows(rf"^console\({number - 1}\)>")
            screen.types(f"{name.lower()} = spawn(client, '{name}', name='{name}')")
        screen.shows(r"^console\(7\)>")
        screen.types("send(ada, ('say', 'Hello, everybody!'))")
        screen.shows(r"^\[Bob\] Ada: Hello, everybody!$")
        screen.shows(r"^\[Charles\] Ada: Hello, everybody!$")
        screen.types("exit(bob, 'kill')")
        screen.shows(r"^console\(9\)>")
        screen.types("send(charles, ('say', 'Is this thing on?'))")
        screen.shows(r"^\[Ada\] Charles: Is this thing on\?$")
        screen.types("alive(bob)")
        screen.shows(r"^False$")
        heard = re.findall(r"^\[.*", screen.text(), re.MULTILINE)
        assert sorted(heard) == [
            "[Ada] Charles: Is this thing on?",
            "[Bob] Ada: Hello, everybody!",
            "[Charles] Ada: Hello, everybody!",
        ]
        screen.keys("C-d")
        screen.shows(r"^left with 0$")
