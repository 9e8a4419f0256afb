from __future__ import annotations

from observer.model.node_outcome import WATCHED, NodeOutcome
from runtime.introspection import wire

BEFORE = wire.ClusterNode(name="a@b", state="up", up_since=10.0, since=10.0)
GONE = wire.ClusterNode(name="a@b", state="down", up_since=10.0, since=20.0)
BACK = wire.ClusterNode(name="a@b", state="up", up_since=21.5, since=21.5)
RESTARTS = wire.Plan(sentence="ends it", restarts=(wire.Related(pid="<0.4.0>"),))


def test_a_node_that_comes_back_is_waited_for() -> None:
    outcome = NodeOutcome(BEFORE, "kill", RESTARTS, "It was killed.", 20.0)
    assert outcome.told([GONE], 21.0) is None
    assert outcome.told([BACK], 22.0) == "It was killed. It is connected again, 1.5s later."
    assert outcome.told([GONE], 20.1 + WATCHED) == "It was killed. After 10 s it is down."


def test_a_node_that_nothing_starts_again_is_told_of_at_once() -> None:
    outcome = NodeOutcome(BEFORE, "kill", wire.Plan(sentence="ends it"), "It was killed.", 20.0)
    assert outcome.told([BEFORE], 20.1) is None
    assert outcome.told([GONE], 20.2) == "It was killed."
    assert outcome.told([], 20.2) == "It was killed. It is not known any more."
    assert (outcome.title, outcome.planned) == ("Killed a@b", "ends it")


def test_connecting_is_done_when_it_is_said() -> None:
    assert NodeOutcome(GONE, "connect", None, "It is connected.", 20.0).told([GONE], 20.0) == "It is connected."
