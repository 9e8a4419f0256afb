"""All nodes of a cluster, for a command that waits for each answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from observer.node.cluster.client import ClusterClient
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, socket_folder, window

__all__ = ["socket_folder"]


def test_each_list_is_looked_at_anew_and_told_in_the_words_of_its_nodes(socket_folder: Path) -> None:
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
        assert client.in_their_words(found.rows) == (["me@h"], [*found.rows])
        assert client.unseen() == []


def test_a_node_that_is_not_there_is_a_sentence_and_leaves_no_loop_behind(socket_folder: Path) -> None:
    with pytest.raises(NodeLostError, match="There is no node called me"):
        ClusterClient("me", socket_folder / "me.sock")
