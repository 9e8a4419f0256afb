"""The program that stands between the observer and a BEAM node, started as a child."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from observer.node import discovery
from observer.node.child import Child
from observer.node.source import ChildStatus

PREFIX = "beam:"
"""What the name of a BEAM node begins with on the command line: ``beam:app@host``."""


class Bridge(Child):
    """The bridge to one BEAM node. It has a socket as any node, and ends with the observer."""

    launch = (sys.executable, "-m", "runtime.introspection.beam.bridge")

    def __init__(self, node: str, options: Sequence[str] = ()) -> None:
        self.node = node
        reservation = discovery.reserve_name(node.partition("@")[0])
        super().__init__(reservation.name, [node], options, {"OBSERVER": ""}, reservation)
        self.command = f"the bridge to {node}"

    def status(self) -> ChildStatus:
        """Return how the bridge is doing."""
        return replace(super().status(), bridge_to=self.node)


def beam_name(node: str | None) -> str | None:
    """Return the name of the BEAM node that a NODE of the command line means, None where it means another one."""
    return node.removeprefix(PREFIX) if node is not None and node.startswith(PREFIX) else None
