"""A chat in memory that knows other nodes in memory, and the source that stands for all of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from observer.node.cluster import member, whole_cluster
from observer.node.cluster.whole_cluster import WholeCluster
from observer.node.discovery import Found
from runtime.introspection import wire
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode, FakeProcess


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question brings a look, so that no test waits for one."""
    monkeypatch.setattr(member, "EVERY", 0.0)
    monkeypatch.setattr(member, "ROW_COST", 0.0)
    monkeypatch.setattr(whole_cluster, "FIND_EVERY", 0.0)
    monkeypatch.setattr(whole_cluster, "PATIENCE", 60.0)  # however busy the machine is


def other() -> FakeNode:
    """Return another node, with a supervisor of two workers."""
    root = FakeProcess("pool", "pool", "<0.10.0>", "supervisor", strategy="one_for_one")
    root.add("first", "<0.11.0>", rate=900.0, memory=90_000)
    root.add("second", "<0.12.0>", rate=1.0, memory=1_000)
    return FakeNode(root, name="left")


class Nodes:
    """A chat that is asked, and the nodes that it knows; those in `sources` have a socket here."""

    def __init__(self, **sources: FakeNode) -> None:
        self.sources = {f"{name}@h": node for name, node in sources.items()}
        self.home = fake_nodes.chat()
        self.home.distributed_as = "home@h"
        self.home.nodes = tuple(
            wire.ClusterNode(name=name, state="up", number=number) for number, name in enumerate(self.sources, 5)
        )
        self.whole = WholeCluster(self.home, find=self.find, dial=lambda found: self.sources[found.name])

    def find(self) -> dict[str, Found]:
        """Return the sockets that are here."""
        return {name: Found(name, Path(name)) for name in self.sources}

    def set_state(self, name: str, **more: object) -> None:
        """Change what the chat says of a node."""
        self.home.nodes = tuple(
            msgspec.structs.replace(each, **more) if each.name == name else each for each in self.home.nodes
        )

    async def tree(self, **more: object) -> list[wire.Row]:
        """Return the rows of the tree of all nodes."""
        return [*(await self.window(wire.GetTree(**more))).rows]  # type: ignore[arg-type]

    async def window(self, query: wire.Query) -> wire.Window:
        """Return the answer, which must be a window."""
        found = await self.whole.ask(query)
        assert isinstance(found, wire.Window), found
        return found


def lines(rows: list[wire.Row]) -> list[str]:
    """Return the names of rows as they stand in the tree."""
    return [f"{'  ' * row.depth}{row.name}" + ("+" if row.folded else "") for row in rows]
