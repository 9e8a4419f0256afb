"""The schema describes what the commands print, and all of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from observer.cli.commands import app
from observer.output.schema import OUTPUTS, VERSION, schema
from runtime.introspection import wire
from tests.support.command import EVENTS, Command, no_settings, observer, scripted
from tests.support.fake_endpoint import FakeEndpoint, socket_folder
from tests.support.traces import TracedNode

__all__ = ["no_settings", "observer", "socket_folder"]

PRINTED = {
    "nodes": ["nodes"],
    "tree": ["tree"],
    "ps": ["ps"],
    "top": ["top", "-i", "0.1"],
    "info": ["info"],
    "info of a process": ["info", "0.3.0"],
    "events": ["events"],
    "diagnose": ["diagnose", "--for", "0"],
    "kill": ["kill", "0.3.0"],
    "exit": ["exit", "0.3.0"],
    "suspend": ["suspend", "0.3.0"],
    "resume": ["resume", "0.3.0"],
    "send": ["send", "0.3.0", "hello"],
    "chaos": ["chaos", "--for", "0.1s", "--settle", "0s"],
    "trace": ["trace"],
    "waits": ["waits"],
    "demo": ["demo"],
    "config": ["config"],
    "doctor": ["doctor"],
}


def test_the_schema_has_a_version_and_every_command_that_prints_json(observer: Command) -> None:
    printed = observer("schema").value
    assert printed == json.loads(json.dumps(schema()))
    assert printed["version"] == VERSION == 1
    with_json = {
        command.callback.__name__
        for command in app.registered_commands
        if command.callback is not None and "json" in command.callback.__annotations__
    }
    assert {name.split()[0] for name in printed["properties"]} == with_json


def test_every_reference_in_the_schema_leads_somewhere() -> None:
    whole = schema()

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    assert references(whole) == {f"#/$defs/{name}" for name in whole["$defs"]}


@pytest.mark.parametrize("name", PRINTED)
def test_what_a_command_prints_fits_the_schema_and_has_every_field(observer: Command, name: str) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        return (
            wire.Plan(sentence="kills 1")
            if isinstance(query, wire.GetPlan)
            else traced(query) or waits(query) or scripted(query)
        )

    def waits(query: wire.Query) -> wire.Answer | None:
        known = wire.Wait(pid="<0.3.0>", kind="reply", chain=(wire.Related(pid="<0.9.0>"),))
        return wire.Waits(waits=(known,), total=1) if isinstance(query, wire.GetWaits) else None

    traced = TracedNode().answer
    with FakeEndpoint("chat", respond):
        out = observer(*PRINTED[name], "--json").out
    kind = OUTPUTS[name.split()[0]]
    if name.startswith("info"):
        kind = kind.__args__[1 if "process" in name else 0]
    elif name == "chaos":
        kind = kind.__args__[0]  # the other one is of --nodes
    value = msgspec.json.decode(out, type=kind)
    assert msgspec.to_builtins(value) == json.loads(out), "a field is missing, or is in no schema"


def test_events_that_are_followed_are_one_record_a_line(observer: Command) -> None:
    answers = iter([EVENTS])

    def respond(query: wire.Query) -> wire.Answer:
        events = next(answers, None)
        if events is None:
            raise OSError  # the node ends
        return wire.Events(events=events, last=6)

    with FakeEndpoint("chat", respond):
        lines = observer("events", "--follow", "--json").out.splitlines()
    assert [msgspec.json.decode(line, type=OUTPUTS["events --follow"]).id for line in lines] == [4, 5, 6]
