"""This node among others: what it keeps of them is bounded."""

import gc
import weakref

import pytest

from runtime import Atom
from runtime.distribution import cluster, pickled
from runtime.distribution.cluster import LocalNode
from runtime.distribution.parts import PidParts
from runtime.distribution.pickled import Batches
from runtime.kernel.node import this_node
from runtime.kernel.process import DEAD, RUNNABLE, Process
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
def test_nodes_that_went_long_ago_are_forgotten_unless_a_pid_of_theirs_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "MOST_GONE", 3)
    local = LocalNode(this_node(), "me@127.0.0.1", "cookie")
    held = local.pid_of(PidParts("n0@127.0.0.1", 1, 0, 1))
    local.peers = {f"n{number}@127.0.0.1": Process.__new__(Process) for number in range(9)}
    for name, peer in local.peers.items():
        peer.state = RUNNABLE if name == "n1@127.0.0.1" else DEAD
    first = weakref.ref(local.remote("n1@127.0.0.1"))
    for number in range(9):
        local.remote(f"n{number}@127.0.0.1")
        local.on_failed(f"n{number}@127.0.0.1", "it is gone")
    gc.collect()
    assert [*local.remotes] == ["n6@127.0.0.1", "n7@127.0.0.1", "n8@127.0.0.1"]
    assert [*local.peers] == ["n1@127.0.0.1", *local.remotes]
    assert first() is None
    assert held.process is not None
    assert held.process.remote is local.remote("n0@127.0.0.1")  # type: ignore[attr-defined]  # a RemoteProcess


@in_node
def test_a_batch_knows_about_how_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    local = LocalNode(this_node(), "me@127.0.0.1", "cookie")
    for wide in (tuple(range(50_000)), (tuple(range(50_000)),), "€" * 50_000):
        batches = Batches(local)
        batches.add((6, local.nobody, Atom(""), Atom("name")), wide)
        assert 100_000 < batches.size < 2 * len(batches.take()[1])
    monkeypatch.setattr(pickled, "LONGEST_MESSAGE", 100_000)
    with pytest.raises(TypeError, match="too long"):
        Batches(local).add((6, local.nobody, Atom(""), Atom("name")), "€" * 50_000)
