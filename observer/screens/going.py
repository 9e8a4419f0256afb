"""Going from one node to another: the dashboard ends, and says which node is wanted next."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import on, work
from textual.app import App
from textual.message import Message

from observer.model.observed_node import ObservedNode
from observer.node import discovery
from observer.node.bridge import Bridge
from observer.node.cluster.whole_cluster import WholeCluster
from observer.node.discovery import Found
from observer.text.safe_text import safe
from runtime.introspection import wire

STANDS = 8.0
"""Seconds for which a notice stands."""


class OpenNode(Message):
    """The dashboard of another node is wanted, and there the process with the pid `pid`, where one is given."""

    def __init__(self, node: str, pid: str = "") -> None:
        self.node = node
        self.pid = pid
        super().__init__()


class OpenAllNodes(Message):
    """One dashboard for all nodes of the cluster is wanted."""


@dataclass(frozen=True)
class AllNodes:
    """Stands for all nodes that the observed one knows, and for itself."""


class GoingApp(App[None]):
    """An app from which one can go to another node, and back to the one it was opened from."""

    observed: ObservedNode
    is_inner = False
    """Whether it was opened from the dashboard of another node, to which ``esc`` goes back."""
    wanted: Found | Bridge | AllNodes | None = None
    """The node to go to, once the app has ended; an Erlang or Elixir node by the bridge to it."""
    wanted_pid = ""
    """The process to open there."""
    goes_back = False

    @on(OpenNode)
    @work(exclusive=True, group="going")
    async def open_node(self, message: OpenNode) -> None:
        """Look for the node among those that can be observed from here, and go to it."""
        self.notify(f"Looking for {safe(message.node)} …", timeout=2, markup=False)
        found = await asyncio.to_thread(find_by_distributed_name, message.node)
        refusal = f"{message.node} cannot be observed from here: start it with OBSERVER=1 on this machine."
        if found is None and await self._is_beam(message.node):
            options = ["--read-only"] if self.observed.read_only else []
            self.wanted, refusal = await asyncio.to_thread(bridge_to, message.node, options)
        else:
            self.wanted = found
        if self.wanted is None:
            where = f"The process {message.pid} is on {message.node}. " if message.pid else ""
            self.notify(
                safe(f"{where}{refusal}"), title="Not reached", severity="warning", timeout=STANDS, markup=False
            )
            return
        self.wanted_pid = message.pid
        self.exit()

    @on(OpenAllNodes)
    async def open_all_nodes(self) -> None:
        """Go to the dashboard of all nodes; from there, to its tree."""
        if isinstance(self.observed.source, WholeCluster):
            await self.run_action("view('tree')")
            return
        self.wanted = AllNodes()
        self.exit()

    async def _is_beam(self, name: str) -> bool:
        """Return whether the observed node knows a node of that name as one of Erlang or Elixir."""
        answer = await self.observed.ask(wire.GetCluster())
        nodes = answer.nodes if isinstance(answer, wire.Cluster) else ()
        return any(each.name == name and each.kind == "beam" for each in nodes)

    def go_back(self) -> bool:
        """End, to show the node that this one was opened from. Returns False where there is no such node."""
        if self.is_inner:
            self.goes_back = True
            self.exit()
        return self.is_inner


def find_by_distributed_name(name: str) -> Found | None:
    """Return the node on this machine that other nodes reach by that name, None where no socket leads to it."""
    found = discovery.nodes()
    return next((each for each in found if each.welcome is not None and each.welcome.distributed_as == name), None)


def bridge_to(name: str, options: list[str]) -> tuple[Bridge | None, str]:
    """Start the bridge to an Erlang or Elixir node. Return it, or None and what is wrong, in a sentence or two."""
    bridge = Bridge(name, options)
    if bridge.wait_until_listening():
        return bridge, ""
    bridge.end()
    why = bridge.status().cause or f"There is no way to {name}."
    return None, f"{why} 'observer attach beam:{name} --cookie-file FILE' takes a cookie from another file."
