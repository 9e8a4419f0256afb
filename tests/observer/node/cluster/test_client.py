"""All nodes of a cluster, for a command that waits for each answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from observer.node.cluster import member
from observer.node.cluster.client import ClusterClient
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, socket_folder, window

__all__ = ["socket_folder"]


def test_each_list_is_looked_at_once_and_told_in_the_words_of_its_nodes(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "EVERY", 0.0)  # it is due again as soon as it has been looked at
    monkeypatch.setattr(member, "ROW_COST", 0.0)
    row = wire.Row(key="a", pid="<0.2.0>", name="a", messages_in=0)
    looks = []

    def respond(query: wire.Query) -> wire.Answer:
        match query:
            case wire.GetCluster():
                return wire.Cluster(name="me@h")
            case wire.GetStats():
                return wire.Stats(stats=window(row).stats)
            case wire.GetTree():
                looks.append(query)
        return window(row)

    with FakeEndpoint("me", respond, distributed_as="me@h") as node, ClusterClient("me", node.path) as client:
        assert client.welcome.distributed_as == "me@h"
        before = len(looks)
        for _ in range(3):
            found = client.expect(wire.Window, wire.GetProcesses())
        assert len(looks) == before + 3
        client.expect(wire.Window, wire.GetProcesses(offset=1))
        assert len(looks) == before + 3  # the rest of a list is of the same look
        assert client.with_their_nodes(found.rows) == (["me@h"], [*found.rows])
        assert client.unseen() == []


@pytest.fixture
def runners(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Runner]:
    """Return the runners of event loops that were begun."""
    begun: list[asyncio.Runner] = []
    make = asyncio.Runner

    def begin() -> asyncio.Runner:
        begun.append(make())
        return begun[-1]

    monkeypatch.setattr(asyncio, "Runner", begin)
    return begun


def is_closed(runner: asyncio.Runner) -> bool:
    try:
        runner.get_loop()
    except RuntimeError as error:
        return "closed" in str(error)
    return False


def test_a_node_that_is_not_there_is_a_sentence_and_leaves_no_loop_behind(
    socket_folder: Path, runners: list[asyncio.Runner]
) -> None:
    with pytest.raises(NodeLostError, match="There is no node called me"):
        ClusterClient("me", socket_folder / "me.sock")
    assert [is_closed(each) for each in runners] == [True]


def test_a_client_may_be_closed_twice(socket_folder: Path, runners: list[asyncio.Runner]) -> None:
    with FakeEndpoint("me", lambda query: window(), distributed_as="me@h") as node:
        with ClusterClient("me", node.path) as client:
            assert [is_closed(each) for each in runners] == [False]
            client.close()
        client.close()
    assert [is_closed(each) for each in runners] == [True]
