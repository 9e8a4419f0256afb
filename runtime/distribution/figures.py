"""What a node says about itself, and what it answers about itself to another one."""

from __future__ import annotations

import time
from functools import cache

from runtime.compiled.about import about
from runtime.kernel.node import Node
from runtime.terms.atom import Atom
from runtime.terms.term import Term

NAME = Atom("$process_observer_figures")
"""The name that is monitored to ask for figures. No process has it; a node of this package answers with its figures."""


class Figures:
    """What is known of another node by asking it."""

    def __init__(self) -> None:
        self.latency: float | None = None
        self.processes: int | None = None
        self.version = ""
        self.asked_at = 0.0
        """When it was asked last, by the monotonic clock."""
        self.answered_at = 0.0

    @property
    def silent_for(self) -> float:
        """Return for how many seconds an answer is owed."""
        return 0.0 if self.answered_at >= self.asked_at else time.monotonic() - self.asked_at


def own_figures(node: Node) -> tuple[Term, ...]:
    """Return what this node says about itself."""
    return (Atom("figures"), _version(), node.alive)


@cache
def _version() -> str:
    return about().version
