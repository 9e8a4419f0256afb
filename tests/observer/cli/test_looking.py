from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from observer.cli import lookup, past
from observer.node import discovery, programs
from runtime.introspection import kept_events, wire
from tests.support.command import EVENTS, ROWS, Command, scripted
from tests.support.fake_endpoint import FakeEndpoint, window


def test_info_shows_one_process_or_the_node(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        assert observer("info", "worker", "--json").value["message_queue_len"] == 1234
        assert "1234 messages" in observer("info", "chat", "0.3.0").out
        assert observer("info", "--json").value["process_count"] == len(ROWS)
        assert "processes" in observer("info", "chat").out


def test_events_are_a_list_or_one_a_line(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        listed = observer("events", "chat", "--json").value
        assert [event["id"] for event in listed] == [4, 5, 6]
        assert {"id", "time", "kind", "pid", "reason", "cause"} <= set(listed[0])
        assert [event["id"] for event in observer("events", "--kind", "exit", "--json").value] == [5]
        assert "<0.1.0> → <0.3.0>" in observer("events", "-n", "1").out


def test_the_latest_events_of_a_kind_are_counted_among_their_kind(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        kills = observer("events", "--kind", "kill", "-n", "1", "--json").value
        none = observer("events", "--kind", "kill", "-n", "0", "--json").value
    assert [event["id"] for event in kills] == [4]
    assert none == []


def test_following_events_ends_with_the_node_and_skips_nothing(observer: Command) -> None:
    answers = iter([EVENTS[:1], EVENTS[1:]])
    asked: list[int] = []

    def respond(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetEvents)
        asked.append(query.after)
        events = next(answers, ())
        if not events:
            raise OSError  # the node dies
        return wire.Events(events=events, last=events[-1].id)

    with FakeEndpoint("chat", respond):
        result = observer("events", "--follow", "--json")
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [4, 5, 6]
    assert asked == [-1, 4, 6]
    assert result.status == 1
    assert "closed the connection" in result.err


@pytest.mark.parametrize(("of", "told"), [((), [4, 5, 6]), (("--pid", "0.1.0"), [4, 5]), (("--pid", "0.9.0"), [4])])
def test_following_events_ends_with_what_the_node_has_left(
    observer: Command, socket_folder: Path, of: tuple[str, ...], told: list[int]
) -> None:
    answers = iter([EVENTS[:1]])

    def respond(query: wire.Query) -> wire.Answer:
        events = next(answers, ())
        if not events:
            raise OSError  # the node dies
        return wire.Events(events=events, last=events[-1].id)

    with FakeEndpoint("chat", respond) as node:
        keeper = kept_events.Keeper(node.welcome())
        keeper.keep(
            [replace(event, pid=pid) for event, pid in zip(EVENTS, ["<0.1.0>", "<0.1.0>", "<0.3.0>"], strict=True)]
        )
        keeper.close()
        result = observer("events", "--follow", "--json", *of)
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == told
    assert result.status == 1
    assert "closed the connection" in result.err
    assert "lost" not in result.err


def test_following_passes_over_a_process_that_ends_as_well_before_it_can_be_asked(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([EVENTS[:1]])

    def respond(query: wire.Query) -> wire.Answer:
        events = next(answers, ())
        if not events:
            raise OSError  # the node dies
        return wire.Events(events=events, last=events[-1].id)

    def next_respond(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetEvents)
        if query.after == EVENTS[-1].id:
            raise OSError
        return wire.Events(events=EVENTS[1:], last=EVENTS[-1].id)

    said: dict[str, Any] = {"program": "shop", "run": "7-ab", "parent_pid": 1}
    monkeypatch.setattr(past, "LOOK_EVERY", 0.0)
    with FakeEndpoint("shop-4", next_respond, **said) as living, FakeEndpoint("shop-1", respond, **said) as first:
        found = [discovery.Found("shop-2", living.path.with_name("shop-2.sock")), discovery.find("shop-4")]
        monkeypatch.setattr(programs, "successor", lambda lost: found.pop(0) if found else None)
        monkeypatch.setattr(discovery, "has_gone", lambda name: True)
        result = observer("events", first.name, "--follow", "--json")
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [4, 5, 6]
    assert "shop-1 has ended; going on with shop-4, which has replaced it." in result.err
    assert "shop-2" not in result.err


def test_diagnose_exits_with_one_when_it_finds_something(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        assert "hogs." in observer("diagnose", "--for", "0").out
        status, out, _ = observer("diagnose", "--for", "0", "--json")
    assert status == 1
    assert json.loads(out)[0]["kind"] == "hog"
    with FakeEndpoint("chat", lambda query: wire.Lints()):
        assert observer("diagnose", "--for", "0") == (0, "Nothing looks wrong.\n", "")
        assert observer("diagnose", "--for", "0", "--json").value == []


def test_top_measures_over_an_interval(observer: Command) -> None:
    counts = iter([10, 30])

    def respond(query: wire.Query) -> wire.Answer:
        count = next(counts)
        row = wire.Row(key="<0.3.0>", pid="<0.3.0>", messages_in=count)
        moment = wire.NodeStats(name="chat", time=float(count), started_at=0.0, os_pid=1)
        return wire.Window(rows=(row,), offset=0, total=1, stats=moment)

    with FakeEndpoint("chat", respond):
        (record,) = observer("top", "--interval", "0.1", "--json").value
    assert record["messages_in_per_second"] == 1.0
    assert record["cpu"] is None


def test_memory_that_is_only_being_measured_is_waited_for(observer: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "MEASURE_TIMEOUT", 60.0)  # a busy machine is slow to ask three times
    figures = iter([None, None, 4096, 4096, 4096, 4096, 4096, 4096])

    def respond(query: wire.Query) -> wire.Answer:
        row = wire.Row(key="<0.9.0>", pid="<0.9.0>", memory=next(figures))
        return wire.Details(row=row) if isinstance(query, wire.GetProcess) else window(row)

    with FakeEndpoint("chat", respond):
        assert [record["memory"] for record in observer("ps", "--json").value] == [4096]
        assert observer("info", "0.9.0", "--json").value["memory"] == 4096
