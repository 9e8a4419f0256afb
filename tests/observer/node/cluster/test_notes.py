"""What follows the name of a node that cannot be looked at."""

from __future__ import annotations

import pytest

from observer.node.cluster import notes
from runtime.introspection import wire

GONE = wire.ClusterNode(name="a@h", state="down", reason="net_tick_timeout", since=0.0)


@pytest.fixture(autouse=True)
def no_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "of_day", lambda moment: f"<{moment:g}>")


@pytest.mark.parametrize(
    ("node", "seen", "told"),
    [
        (GONE, False, "is down since <0>: net_tick_timeout"),
        (GONE, True, "is down since <0>: net_tick_timeout; as last seen"),
        (wire.ClusterNode(name="a@h", state="connecting"), False, "is connecting"),
        (wire.ClusterNode(name="a@h", state="connecting"), True, "is connecting; as last seen"),
        (wire.ClusterNode(name="a@h", state="unreachable"), False, "is unreachable: it has gone"),
    ],
)
def test_a_node_that_is_gone_says_since_when_and_why(node: wire.ClusterNode, seen: bool, told: str) -> None:
    assert notes.gone(node, seen) == told


@pytest.mark.parametrize(("kind", "way"), [("beam", "'observer bridge a@h' opens a way"), ("python", "OBSERVER=1")])
def test_a_node_without_a_socket_says_what_opens_a_way(kind: wire.NodeKind, way: str) -> None:
    assert way in notes.no_way(wire.ClusterNode(name="a@h", state="up", kind=kind))
