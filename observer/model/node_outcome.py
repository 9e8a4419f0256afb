"""What was done to another node, and what has come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from observer.text import units
from runtime.introspection import wire

WATCHED = 10.0
"""Seconds for which a node that should come back is waited for."""

DONE_TO = {"kill": "Killed", "stop": "Stopped", "disconnect": "Disconnected", "connect": "Connected"}


@dataclass(frozen=True)
class NodeOutcome:
    """One thing that was done: to which node, as it was before, what was planned, and what the observed node said."""

    node: wire.ClusterNode
    action: wire.NodeAction
    plan: wire.Plan | None
    sentence: str
    at: float
    """When, by the node's clock."""

    @property
    def title(self) -> str:
        """What was done, in two words."""
        return f"{DONE_TO[self.action]} {self.node.name}"

    @property
    def planned(self) -> str:
        """What was said before."""
        return "-" if self.plan is None else self.plan.sentence

    @property
    def comes_back(self) -> bool:
        """Whether a process of the observed node starts it again, or the next message connects it."""
        return self.action in ("kill", "stop") and self.plan is not None and bool(self.plan.restarts)

    def told(self, nodes: Sequence[wire.ClusterNode], now: float, watched: float = WATCHED) -> str | None:
        """Return what has come of it in a sentence, None while that is not known: for `watched` seconds at most."""
        if self.action == "connect":
            return self.sentence
        found = self._now(nodes)
        if found is None:
            return f"{self.sentence} It is not known any more."
        after = self.back_after(nodes)
        if after is not None:
            return f"{self.sentence} It is connected again, {units.lag(after)} later."
        if not self.comes_back and found.state != "up":
            return self.sentence
        return f"{self.sentence} After {watched:g} s it is {found.state}." if now - self.at > watched else None

    def back_after(self, nodes: Sequence[wire.ClusterNode]) -> float | None:
        """Return after how many seconds the node was connected again, None while it is not."""
        found = self._now(nodes)
        if found is None or found.state != "up" or found.up_since is None or found.up_since == self.node.up_since:
            return None
        return max(0.0, found.up_since - self.at)

    def _now(self, nodes: Sequence[wire.ClusterNode]) -> wire.ClusterNode | None:
        """Return the node as it is now, None when it is not known any more."""
        return next((each for each in nodes if each.name == self.node.name), None)
