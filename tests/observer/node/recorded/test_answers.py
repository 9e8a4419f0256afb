"""A recording answers as the node did: every question is put to both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from observer.node.client import Client
from observer.node.recorded.node import RecordedClient
from runtime.introspection import wire
from runtime.introspection.recording import files, looks
from runtime.introspection.recording.entries import header_of
from tests.support.nodes import observed

QUESTIONS: list[wire.Query] = [
    wire.GetTree(),
    wire.GetTree(sort="name", descending=True),
    wire.GetTree(offset=2, limit=3),
    wire.GetTree(filter="worker"),
    wire.GetTree(filter="not kind=supervisor and key~app"),
    wire.GetTree(filter="sup~app or strategy=one_for_all"),
    wire.GetTree(filter="mailbox>0 or age>0"),
    wire.GetTree(filter="/w.r/ state=waiting"),
    wire.GetTree(unfolded=("~free",)),
    wire.GetTree(fold_over=1),
    wire.GetTree(folded=("app",)),
    wire.GetTree(root="app"),
    wire.GetTree(root="nothing"),
    wire.GetTree(filter="colour=red"),
    wire.GetTree(filter="(("),
    wire.GetProcesses(sort="pid"),
    wire.GetProcesses(sort="name", descending=False),
    wire.GetProcesses(sort="started_at"),
    wire.GetProcesses(sort="restarts"),
    wire.GetProcesses(filter="restart=permanent", sort="pid"),
    wire.GetProcesses(group_by="supervisor", sort="name"),
    wire.GetProcesses(group_by="initial_call", sort="name"),
    wire.GetNames(),
    wire.GetNames(filter="ap"),
    wire.GetProcess(pid="<0.999.0>"),
    wire.GetEvents(after=2, limit=2),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, RecordedClient]]:
    """Yield a node that runs, and a black box of it."""
    folder = tmp_path_factory.mktemp("n")
    with observed(folder) as node, Client("node", node.path) as client, _box(client, folder) as recorded:
        yield client, recorded


def _box(client: Client, folder: Path) -> RecordedClient:
    path = folder / "node.observed"
    entries = looks.black_box(client.ask, 5.0)
    files.write_black_box(path, header_of(client.welcome, "black_box"), entries, 1e10)
    return RecordedClient(path)


def steady(answer: wire.Answer) -> object:
    """Return an answer without what changes from one moment to the next."""
    match answer:
        case wire.Window(rows=rows):
            kept = [
                (row.key, row.pid, row.depth, row.folded, row.context, row.parent_key, row.child_count) for row in rows
            ]
            return kept, answer.offset, answer.total, answer.matched
        case wire.Names():
            return msgspec.structs.replace(answer, timers=(), sockets=(), timers_total=0)
        case wire.Failed():
            return answer.kind, answer.why if answer.kind == "bad_request" else ""
        case wire.Events(events=events):
            return [event.id for event in events]
    return answer


@pytest.mark.parametrize("query", QUESTIONS, ids=repr)
def test_a_recording_answers_as_the_node_did(both: tuple[Client, RecordedClient], query: wire.Query) -> None:
    client, recorded = both
    assert steady(recorded.ask(query)) == steady(client.ask(query))


def test_its_last_events_are_those_of_its_time(both: tuple[Client, RecordedClient]) -> None:
    client, recorded = both
    last = [event.id for event in recorded.expect(wire.Events, wire.GetEvents(after=-1, limit=3)).events]
    live = [event.id for event in client.expect(wire.Events, wire.GetEvents(after=-1, limit=1_000)).events]
    assert last == [number for number in live if number <= last[-1]][-3:]  # the node may have more by now


def test_an_anchor_is_found_and_followed(both: tuple[Client, RecordedClient]) -> None:
    client, recorded = both
    last = client.expect(wire.Window, wire.GetProcesses(sort="pid")).rows[0]
    query = wire.GetProcesses(sort="pid", descending=False, anchor=last.key, follow=True, limit=3)
    assert steady(recorded.ask(query)) == steady(client.ask(query))
