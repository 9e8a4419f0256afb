"""Chaos among nodes: which may be chosen, how many, and what is told of those that come back and those that do not."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from observer.model.node_chaos import NodeChaos, NodeOrders, NodeVictim
from runtime.introspection import wire
from tests.support import fake_nodes

BACK_AFTER = 0.5


@dataclass
class Cluster:
    """A node that knows three others, one of which it has started; those that are ended come back after a while."""

    moment: float = 1_000.0
    comes_back: bool = True
    interrupts_at: float = float("inf")
    refuses: str = ""
    done: list[tuple[str, str]] = field(default_factory=list)
    down: dict[str, float] = field(default_factory=dict)

    def now(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += seconds
        if self.moment >= self.interrupts_at:
            self.interrupts_at = float("inf")
            raise KeyboardInterrupt

    def node(self, name: str, peer: str | None = None) -> wire.ClusterNode:
        ended = self.down.get(name)
        is_back = ended is not None and self.comes_back and self.moment >= ended + BACK_AFTER
        state: wire.NodeState = "up" if ended is None or is_back else "down"
        return wire.ClusterNode(
            name=name, state=state, peer=peer, up_since=ended + BACK_AFTER if ended and is_back else 1.0
        )

    def ask(self, query: wire.Query) -> wire.Answer:
        match query:
            case wire.GetCluster():
                others = (self.node("left@h", "<0.5.0>"), self.node("right@h", "<0.6.0>"), self.node("far@x"))
                return wire.Cluster(name="me@h", nodes=others, total=3)
            case wire.GetNodePlan(node=name, action=action):
                comes_back = ("<0.5.0>",) if name != "far@x" and action != "disconnect" else ()
                restarts = tuple(wire.Related(pid=pid, name="peer") for pid in comes_back)
                return wire.Plan(sentence=f"{action}s {name}", restarts=restarts)
            case wire.ControlNode(node=name, action=action):
                if self.refuses:
                    return wire.Failed(why=self.refuses)
                self.done.append((action, name))
                self.down[name] = self.moment
                return wire.Done(sentence=f"{name} was taken.", event=1)
        return wire.Stats(stats=msgspec.structs.replace(fake_nodes.chat().stats(), time=self.moment))


def run(cluster: Cluster, orders: NodeOrders) -> tuple[NodeChaos, list[NodeVictim]]:
    told: list[NodeVictim] = []
    return NodeChaos(cluster.ask, orders, told.append, cluster, cluster.sleep), told


def test_peers_are_killed_at_the_rate_and_come_back() -> None:
    cluster = Cluster()
    chaos, told = run(cluster, NodeOrders("kill", rate=2.0, seconds=3.0, seed=1))
    assert [each.planned for each in chaos.plans()] == ["kills left@h", "kills right@h"]
    report = chaos.run()
    assert report.passed
    assert 5 <= len(cluster.done) <= 6
    assert {name for _, name in cluster.done} == {"left@h", "right@h"}
    assert [*report.victims] == told
    assert all(each.back_after == pytest.approx(BACK_AFTER, abs=0.01) for each in told)
    assert "It is connected again, " in told[0].happened


def test_a_stop_at_once_ends_also_what_is_planned() -> None:
    chaos, _ = run(Cluster(), NodeOrders("kill", rate=2.0, seconds=3.0))
    plans = chaos.plans()
    assert next(plans).name == "left@h"
    assert not chaos.is_waiting
    chaos.stop(at_once=True)
    assert chaos.is_waiting
    assert [*plans] == []


def test_what_never_comes_back_is_missed_and_nothing_is_killed_twice() -> None:
    cluster = Cluster(comes_back=False)
    report = run(cluster, NodeOrders("stop", rate=5.0, seconds=2.0, settle=1.0))[0].run()
    assert sorted(cluster.done) == [("stop", "left@h"), ("stop", "right@h")]
    assert not report.passed
    assert [each.happened for each in report.victims] == [
        f"{name} was taken. It has not come back." for _, name in cluster.done
    ]


def test_a_pattern_names_others_and_those_need_not_come_back() -> None:
    cluster = Cluster(comes_back=False)
    report = run(cluster, NodeOrders("kill", rate=5.0, seconds=0.3, target="far*"))[0].run()
    assert (cluster.done, report.passed) == ([("kill", "far@x")], True)
    cut = Cluster()
    assert run(cut, NodeOrders("disconnect", rate=50.0, seconds=0.5))[0].run().passed
    assert {name for _, name in cut.done} == {"left@h", "right@h", "far@x"}
    assert "me@h" not in {name for _, name in cut.done}


def test_it_says_why_it_did_nothing_or_ended_early() -> None:
    cluster = Cluster()
    report = run(cluster, NodeOrders("kill", rate=5.0, seconds=1.0, target="no*"))[0].run()
    assert (report.problem, report.passed) == (
        "No connected node matches 'no*', so nothing was done; another target names others.",
        False,
    )
    report = run(Cluster(refuses="It is read-only."), NodeOrders("kill", rate=5.0, seconds=1.0))[0].run()
    assert (report.problem, report.victims) == ("It is read-only.", ())
    cluster = Cluster(interrupts_at=1_000.2)
    report = run(cluster, NodeOrders("kill", rate=1.0, seconds=60.0))[0].run()
    assert (report.problem, len(report.victims), report.passed) == ("It was stopped.", 1, False)


def test_an_interrupt_while_nodes_are_waited_for_ends_the_waiting_and_reports_them() -> None:
    cluster = Cluster(comes_back=False, interrupts_at=1_002.0)
    report = run(cluster, NodeOrders("kill", rate=1.0, seconds=0.5, settle=1e6))[0].run()
    assert (report.problem, report.passed) == ("It was stopped.", False)
    assert [victim.is_missed for victim in report.victims] == [True]
    assert report.victims[0].happened.endswith("It has not come back.")
