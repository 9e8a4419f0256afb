"""A trace, read until its end, or ended early."""

from __future__ import annotations

from pathlib import Path

import pytest

from observer.node.client import Client, NodeRefusedError
from observer.node.trace import TraceSession
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, socket_folder
from tests.support.traces import EVENTS, TracedNode

__all__ = ["socket_folder"]


def test_all_is_read_in_parts_until_the_trace_has_ended(socket_folder: Path) -> None:
    node = TracedNode()
    with FakeEndpoint("chat", node.answer) as endpoint, Client("chat", endpoint.path) as client:  # type: ignore[arg-type]
        session = TraceSession(client, wire.StartTrace(seconds=3))
        parts = [*session.events()]
    assert [event.id for part in parts for event in part] == [event.id for event in EVENTS]
    assert len(parts) == 3
    assert session.state.ending
    assert node.begun == [wire.StartTrace(seconds=3)]


def test_a_trace_that_is_stopped_is_read_to_its_end(socket_folder: Path) -> None:
    node = TracedNode(ends=False)
    with FakeEndpoint("chat", node.answer) as endpoint, Client("chat", endpoint.path) as client:  # type: ignore[arg-type]
        session = TraceSession(client, wire.StartTrace())
        reading = session.events()
        first = next(reading)
        session.stop()
        rest = [event for part in session.events() for event in part]
    assert len(first) + len(rest) == len(EVENTS)
    assert node.stopped == 1


def test_a_refusal_is_raised(socket_folder: Path) -> None:
    with (
        FakeEndpoint("chat", lambda query: wire.Failed(why="No.", kind="bad_request")) as endpoint,
        Client("chat", endpoint.path) as client,
        pytest.raises(NodeRefusedError, match="No"),
    ):
        TraceSession(client, wire.StartTrace())
