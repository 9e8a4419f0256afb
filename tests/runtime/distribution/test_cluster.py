"""This node among others: what it keeps of them is bounded."""

import pytest

from runtime.distribution import cluster
from runtime.distribution.cluster import LocalNode
from runtime.distribution.parts import PidParts
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
