"""Chaos among the nodes of a cluster: ends or disconnects other nodes at a rate, and sees which come back.

The node that is asked is never among them: it is the one that sees, and does, all of this.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from observer.clock import Clock, SystemClock
from observer.model.node_outcome import NodeOutcome
from runtime.introspection import wire

PERIOD = 0.1
"""Seconds between two looks."""

ACTIONS: tuple[wire.NodeAction, ...] = ("kill", "stop", "disconnect")
"""What chaos may do to a node."""

Ask = Callable[[wire.Query], wire.Answer]


@dataclass(frozen=True)
class NodeOrders:
    """What to do: `action` to `rate` nodes a second for `seconds`, then wait up to `settle` seconds for the rest.

    `target` is a pattern of names such as ``left*``. Without one, "kill" and "stop" are for the peers that a process of
    the asked node has started, since these come back; "disconnect" is for all that are connected.
    """

    action: wire.NodeAction
    rate: float
    seconds: float
    target: str = ""
    settle: float = 10.0
    seed: int | None = None


@dataclass(frozen=True)
class NodeVictim:
    """A node to which something was done: what was planned, and what happened. `back_after` is in seconds."""

    name: str
    planned: str
    happened: str = ""
    returns: bool = False
    """Whether the plan says that it comes back."""
    back_after: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it should have come back, and has not."""
        return self.returns and self.back_after is None


@dataclass(frozen=True)
class NodeReport:
    """What came of it. `problem` says why it ended early, or did nothing, in a sentence."""

    victims: tuple[NodeVictim, ...]
    elapsed: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether something was done, and what should come back did."""
        return bool(self.victims) and not self.problem and not any(each.is_missed for each in self.victims)


class NodeChaos:
    """One run of `orders`. `ask` puts a question to the node, or raises `NodeLostError`; `tell` gets what happened."""

    def __init__(
        self,
        ask: Ask,
        orders: NodeOrders,
        tell: Callable[[NodeVictim], None] = lambda victim: None,
        clock: Clock | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._ask = ask
        self._orders = orders
        self._tell = tell
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._random = random.Random(orders.seed)
        self._pending: dict[str, NodeOutcome] = {}
        self._victims: list[NodeVictim] = []
        self._problem = ""
        self._has_acted = False
        self._ends_at_once = False

    def stop(self, at_once: bool = False) -> None:
        """Do no more, from any thread; `at_once` also waits no longer for those that are to come back."""
        self._problem = self._problem or "It was stopped."
        self._ends_at_once = self._ends_at_once or at_once

    @property
    def is_waiting(self) -> bool:
        """Whether no more is done, and what is to come back is waited for."""
        return self._has_acted or bool(self._problem)

    def plans(self) -> Iterator[NodeVictim]:
        """Yield each node that may be chosen now, with what would come of it. A stop at once ends this, too."""
        for each in self._candidates(self._nodes()):
            if self._ends_at_once:
                return
            plan = self._plan(each.name)
            yield NodeVictim(each.name, plan.sentence, returns=bool(plan.restarts))

    def run(self) -> NodeReport:
        """Carry out the orders, wait for what is to come back, and report. Ctrl-C ends the one and then the other."""
        begun = self._clock.now()
        try:
            self._act(begun)
        except KeyboardInterrupt:
            self._problem = "It was stopped."
        self._has_acted = True
        try:
            self._wait(self._clock.now() + self._orders.settle)
        except KeyboardInterrupt:
            self._problem = "It was stopped."
        for name, outcome in self._pending.items():
            self._note(NodeVictim(name, outcome.planned, f"{outcome.sentence} It has not come back.", returns=True))
        return NodeReport(tuple(self._victims), self._clock.now() - begun, self._problem)

    def _wait(self, ends: float) -> None:
        while self._pending and self._clock.now() < ends and not self._ends_at_once:
            self._look()
            self._sleep(PERIOD)

    def _act(self, begun: float) -> None:
        if not self._candidates(self._nodes()):
            wanted = f"matches {self._orders.target!r}" if self._orders.target else "comes back by itself"
            self._problem = f"No connected node {wanted}, so nothing was done; another target names others."
        done = 0
        while not self._problem and (elapsed := self._clock.now() - begun) < self._orders.seconds:
            due = int(elapsed * self._orders.rate) + 1
            candidates = self._candidates(self._look())
            if done < due and candidates:
                self._do(self._random.choice(candidates))
            done = due if not candidates else min(done + 1, due)  # what could not be done is not made up for
            self._sleep(PERIOD)

    def _nodes(self) -> tuple[wire.ClusterNode, ...]:
        answer = self._ask(wire.GetCluster())
        return answer.nodes if isinstance(answer, wire.Cluster) else ()

    def _candidates(self, nodes: tuple[wire.ClusterNode, ...]) -> list[wire.ClusterNode]:
        target, all_of_them = self._orders.target, self._orders.action == "disconnect"
        return [
            each
            for each in nodes
            if each.state == "up"
            and each.name not in self._pending
            and (fnmatchcase(each.name, target) if target else all_of_them or each.peer is not None)
        ]

    def _plan(self, name: str) -> wire.Plan:
        answer = self._ask(wire.GetNodePlan(node=name, action=self._orders.action))
        return answer if isinstance(answer, wire.Plan) else wire.Plan(sentence="what comes of it is not known")

    def _do(self, node: wire.ClusterNode) -> None:
        plan, at = self._plan(node.name), self._time()
        answer = self._ask(wire.ControlNode(node=node.name, action=self._orders.action))
        if isinstance(answer, wire.Done):
            self._pending[node.name] = NodeOutcome(node, self._orders.action, plan, answer.sentence, at)
        elif isinstance(answer, wire.Failed) and answer.kind != "noproc":  # one that is gone already is no problem
            self._problem = answer.why

    def _look(self) -> tuple[wire.ClusterNode, ...]:
        """Note what has come of the nodes that something was done to. Returns all nodes."""
        nodes, now = self._nodes(), self._time() if self._pending else 0.0
        for name, outcome in [*self._pending.items()]:
            told = outcome.told(nodes, now, math.inf)
            if told is not None:
                del self._pending[name]
                self._note(NodeVictim(name, outcome.planned, told, outcome.comes_back, outcome.back_after(nodes)))
        return nodes

    def _time(self) -> float:
        answer = self._ask(wire.GetStats())
        return answer.stats.time if isinstance(answer, wire.Stats) else self._clock.now()

    def _note(self, victim: NodeVictim) -> None:
        self._victims.append(victim)
        self._tell(victim)
