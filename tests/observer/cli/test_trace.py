"""The command that follows messages, on a scripted node."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.traces import EVENTS, TracedNode


@pytest.fixture
def traced() -> TracedNode:
    return TracedNode()


def endpoint(node: TracedNode) -> FakeEndpoint:
    return FakeEndpoint("chat", lambda query: node.answer(query) or scripted(query))


def test_each_event_is_a_line_and_the_slowest_calls_stand_at_the_end(observer: Command, traced: TracedNode) -> None:
    with endpoint(traced):
        done = observer("trace", "chat", "--for", "3s", "--limit", "50", "--rate", "9")
    lines = done.out.splitlines()
    assert lines[0].endswith("client → bank  call ('get', 17)  at orders.py:31 order")
    assert sum(" → " in line or " ⇠ " in line for line in lines) > 8
    assert [line.split()[0] for line in lines[-4:]] == ["bank", "bank", "(function)", "bank"]
    assert "following all processes of chat for 3 s" in done.err
    assert "15 events. The time of 10 s is over. 7 events more came than the rate allows" in done.err
    assert traced.begun == [wire.StartTrace(seconds=3.0, limit=50, rate=9)]
    assert done.status == 0


def test_targets_are_pids_names_and_expressions(observer: Command, traced: TracedNode) -> None:
    with endpoint(traced):
        observer("trace", "-t", "0.3.0", "-t", "app_sup", "-t", "sup~pool", "-t", "mailbox>3")
    assert traced.begun == [wire.StartTrace(pids=("<0.3.0>", "<0.2.0>"), filter="(sup~pool) or (mailbox>3)")]


def test_a_target_that_matches_no_process_yet_is_said_to_be_waited_for(observer: Command, traced: TracedNode) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        return wire.TraceState() if isinstance(query, wire.StartTrace) else traced.answer(query) or scripted(query)

    with FakeEndpoint("chat", respond):
        done = observer("trace", "-t", "sup~pool")
    assert "following 0 processes of chat, and what matches later, for 10 s ..." in done.err


def test_functions_are_named_and_their_arguments_are_asked_for(observer: Command, traced: TracedNode) -> None:
    with endpoint(traced):
        done = observer("trace", "--call", "shop.orders:Order.price", "--call", "shop:sell", "--arguments")
    assert traced.begun == [wire.StartTrace(functions=("shop.orders:Order.price", "shop:sell"), arguments=True)]
    assert "following calls of functions of chat" in done.err


@pytest.mark.parametrize(
    ("ending", "begins"),
    [("mmd", "sequenceDiagram"), ("svg", "<svg "), ("html", "<!doctype html>"), ("json", "{"), ("txt", "01:00:01.25")],
)
def test_a_file_has_the_format_of_its_name(
    observer: Command, traced: TracedNode, tmp_path: Path, ending: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observer.drawing.trace_line.of_day", lambda moment: "01:00:01")
    file = tmp_path / f"trace.{ending}"
    with endpoint(traced):
        done = observer("trace", "-o", str(file))
    assert done.out == ""
    assert file.read_text(encoding="utf-8").startswith(begins)


def test_json_says_it_all_once(observer: Command, traced: TracedNode) -> None:
    with endpoint(traced):
        value = observer("trace", "--format", "json").value
    assert [event["id"] for event in value["events"]] == [event.id for event in EVENTS]
    assert value["dropped"] == 7
    assert json.dumps(value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--json", "--format", "svg"], "contradict"),
        (["-o", "trace.exe"], "--format"),
        (["--for", "soon"], "not a length of time"),
        (["--format", "gif"], "mermaid"),
    ],
)
def test_wrong_words_are_refused(observer: Command, traced: TracedNode, words: list[str], says: str) -> None:
    with endpoint(traced):
        done = observer("trace", *words)
    assert done.status == 2
    assert says in done.err
    assert traced.begun == []


def test_a_file_that_cannot_be_written_is_named_before_anything_is_noted(
    observer: Command, traced: TracedNode, tmp_path: Path
) -> None:
    with endpoint(traced):
        done = observer("trace", "-o", str(tmp_path / "none" / "trace.svg"))
    assert done.status == 1
    assert "trace.svg cannot be written" in done.err
    assert traced.read == 0


def test_a_new_file_is_for_its_owner_alone(observer: Command, traced: TracedNode, tmp_path: Path) -> None:
    file, shared = tmp_path / "new.html", tmp_path / "shared.html"
    shared.write_text("old " * 100_000)
    shared.chmod(0o644)
    with endpoint(traced):
        observer("trace", "-o", str(file))
        observer("trace", "-o", str(shared))
    assert [each.stat().st_mode & 0o777 for each in (file, shared)] == [0o600, 0o644]
    assert "old old" not in shared.read_text(encoding="utf-8")


def test_ctrl_c_while_the_node_is_asked_ends_the_trace_and_prints_what_there_is(
    observer: Command, traced: TracedNode
) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.ReadTrace) and traced.read == 1:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
        return traced.answer(query) or scripted(query)

    handler = signal.getsignal(signal.SIGINT)
    with FakeEndpoint("chat", respond):
        done = observer("trace")
    assert traced.stopped == 1
    assert sum("at orders.py:31" in line for line in done.out.splitlines()) == 5
    assert done.status == 0, done.err
    assert signal.getsignal(signal.SIGINT) is handler


def test_what_was_noted_before_the_node_ended_is_kept(observer: Command, traced: TracedNode, tmp_path: Path) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.ReadTrace) and traced.read == 1:
            raise EOFError
        return traced.answer(query) or scripted(query)

    file = tmp_path / "trace.json"
    with FakeEndpoint("chat", respond):
        done = observer("trace", "-o", str(file))
    assert done.status == 1
    assert "chat closed the connection" in done.err
    value = json.loads(file.read_text(encoding="utf-8"))
    assert [event["id"] for event in value["events"]] == [1, 2, 3, 4, 5, 6]
    assert value["ending"] == "The node was lost."
