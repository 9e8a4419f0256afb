"""This node among others: what it keeps of them is bounded."""

import pytest

from runtime import Atom
from runtime.distribution import cluster, pickled
from runtime.distribution.cluster import LocalNode
from runtime.distribution.parts import PidParts
from runtime.distribution.pickled import Batches
from runtime.kernel.node import this_node
from tests.support.in_node import in_node


@in_node
def test_names_that_a_node_makes_up_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "MOST_LIVES", 10)
    local = LocalNode(this_node(), "me@127.0.0.1", "cookie")
    pids = [local.pid_of(PidParts(f"n{number}@127.0.0.1", 1, 0, 1)) for number in range(9)]
    assert local.pid_of(PidParts("n3@127.0.0.1", 1, 0, 1)) == pids[3]
    with pytest.raises(ValueError, match="10 other nodes"):
        local.pid_of(PidParts("n9@127.0.0.1", 1, 0, 1))


@in_node
def test_a_batch_knows_about_how_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    local = LocalNode(this_node(), "me@127.0.0.1", "cookie")
    for wide in (tuple(range(50_000)), (tuple(range(50_000)),), "€" * 50_000):
        batches = Batches(local)
        batches.add((6, local.nobody, Atom(""), Atom("name")), wide)
        assert 100_000 < batches.size < 2 * len(batches.take()[1])
    monkeypatch.setattr(pickled, "LARGEST", 100_000)
    with pytest.raises(TypeError, match="too long"):
        Batches(local).add((6, local.nobody, Atom(""), Atom("name")), "€" * 50_000)
