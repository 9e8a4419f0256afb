"""The commands against a node that means harm: a sentence or something harmless, and an end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from runtime.introspection import wire
from tests.support.command import Command
from tests.support.fake_endpoint import FakeEndpoint, Raw
from tests.support.hostile_answers import EVIL, full, with_evil_text

ANSWERS: dict[type[wire.Query], type[wire.Answer]] = {
    wire.GetStats: wire.Stats,
    wire.GetTree: wire.Window,
    wire.GetProcesses: wire.Window,
    wire.GetPlaces: wire.Window,
    wire.GetProcess: wire.Details,
    wire.GetEvents: wire.Events,
    wire.GetPlan: wire.Plan,
    wire.GetLints: wire.Lints,
    wire.GetNames: wire.Names,
}

COMMANDS = [
    ["ps"],
    ["tree"],
    ["top", "-i", "0.1"],
    ["info"],
    ["info", "0.17.0"],
    ["events"],
    ["diagnose", "--for", "0"],
    ["kill", "0.17.0"],
    ["suspend", "0.17.0"],
    ["send", "0.17.0", "hello", "--call"],
    ["chaos", "--for", "0.1s", "--settle", "0s"],
]


def answering(make: Callable[[type[wire.Answer]], Raw]) -> Callable[[wire.Query], Raw]:
    """Return a `respond` that answers every question with what `make` makes of the type that belongs to it."""
    return lambda query: make(ANSWERS.get(type(query), wire.Done))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_text_with_escapes_reaches_no_terminal_raw(observer: Command, command: list[str]) -> None:
    with FakeEndpoint("evil", answering(with_evil_text)):
        shown = observer(*command)  # checks what is printed
        printed = observer(*command, "--json")
    assert shown.status == printed.status
    assert json.loads(printed.out) is not None


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_answer_of_the_wrong_kind_is_a_sentence(observer: Command, command: list[str]) -> None:
    with FakeEndpoint("evil", lambda query: full(wire.Plan)):
        result = observer(*command)
    assert result.status == 1
    assert result.err.startswith("observer: ")


@pytest.mark.parametrize("command", ["ps", "tree"])
@pytest.mark.parametrize("field", ["pid", "lints", "restart"])
def test_words_that_hold_escapes_are_refused(observer: Command, command: str, field: str) -> None:
    def respond(query: wire.Query) -> Raw:
        evil = [EVIL] if field == "lints" else EVIL
        return {**full(wire.Window), "rows": [{"key": "a", field: evil}]}

    with FakeEndpoint("evil", respond):
        result = observer(command)
    assert (result.status, result.out) == (1, "")
    assert field in result.err


@pytest.mark.parametrize("command", ["ps", "tree", "top"])
def test_a_figure_that_is_no_number_is_refused(observer: Command, command: str) -> None:
    with FakeEndpoint("evil", lambda query: {**full(wire.Window), "rows": [{"key": "a", "cpu_time": math.nan}]}):
        result = observer(command, "--json")
    assert (result.status, result.out) == (1, "")
    assert "cpu_time" in result.err


@pytest.mark.parametrize("command", ["ps", "tree"])
def test_a_list_that_is_said_to_be_endless_is_refused(observer: Command, command: str) -> None:
    with FakeEndpoint("evil", lambda query: {**full(wire.Window), "total": 10**18}):
        result = observer(command)
    assert (result.status, result.out) == (1, "")
    assert "total" in result.err


@pytest.mark.parametrize("command", ["ps", "tree"])
def test_a_list_that_repeats_itself_ends(observer: Command, command: str) -> None:
    rows = [{"key": "a", "pid": "<0.1.0>"}]
    with FakeEndpoint("evil", lambda query: {**full(wire.Window), "rows": rows, "total": 10**6}):
        assert len(observer(command, "--json").value) == 1


def test_a_tree_that_is_always_folded_anew_ends(observer: Command) -> None:
    def respond(query: wire.Query) -> Raw:
        assert isinstance(query, wire.GetTree)
        keys = [*query.unfolded, f"group{len(query.unfolded)}"]
        rows = [{"key": key, "kind": "group", "folded": key not in query.unfolded} for key in keys]
        return {**full(wire.Window), "rows": rows, "offset": 0, "total": len(rows)}

    with FakeEndpoint("evil", respond) as endpoint:
        assert observer("tree").status == 0
    assert len(endpoint.asked) < 50


def test_a_log_that_never_ends_does_not_hold_chaos_up(observer: Command) -> None:
    def respond(query: wire.Query) -> Raw:
        match query:
            case wire.GetEvents(after=after):
                event = {**full(wire.Event), "id": max(0, after) + 1}
                return {"answer": "events", "events": [event], "last": 2**62}
            case wire.Exit():
                return full(wire.Done)
            case _:
                row = {"key": "a", "pid": "<0.1.0>", "supervisor": "<0.2.0>"}
                return {**full(wire.Window), "rows": [row], "offset": 0, "total": 1}

    with FakeEndpoint("evil", respond):
        assert observer("chaos", "--for", "0.1s", "--settle", "0s", "--json").value["kills"] >= 1
