"""Who learns of nodes that come and go (OTP: monitor_node/2, net_kernel:monitor_nodes/2)."""

from __future__ import annotations

from typing import NamedTuple

from runtime.kernel.process import DEAD, Process
from runtime.kernel.signals import put_all


class NodeUp(NamedTuple):
    """A node is connected; what `monitor_nodes` delivers (OTP: ``{nodeup, Node}``)."""

    name: str


class NodeDown(NamedTuple):
    """A node is not connected any more; what `monitor_node` and `monitor_nodes` deliver (OTP: ``{nodedown, Node}``).

    `reason` is ``"disconnect"`` where this node has cut the connection, ``"connection_closed"`` when the other one has,
    or has ended, ``"net_tick_timeout"`` when it did not answer, ``"noconnection"`` when it could not be reached.
    """

    name: str
    reason: str


_lasting: list[Process] = []
"""Processes that learn of every node whenever this one has a name."""


def subscribe_lasting(process: Process, now: NodeMonitors | None) -> None:
    """Let a process learn of every node, also when this one is given its name later. `now` is that of a name it has."""
    _lasting[:] = [other for other in _lasting if other.state is not DEAD]
    _lasting.append(process)
    if now is not None:
        now.subscribe(process)


class NodeMonitors:
    """The processes that monitor nodes. Each asking is an entry of its own, and gets a message of its own."""

    def __init__(self) -> None:
        self.of_node: dict[str, list[Process]] = {}
        self.of_all: list[Process] = [process for process in _lasting if process.state is not DEAD]
        self._untold: dict[NodeUp | NodeDown, list[Process]] = {}
        """Who is still to learn of what is being told. An exception may end that, and it is done again."""

    def add(self, name: str, process: Process) -> None:
        """Let a process hear once when a node is gone."""
        asking = self.of_node.setdefault(name, [])
        if not len(asking) & (len(asking) - 1):  # those that are dead are left out whenever their number has doubled
            asking[:] = [other for other in asking if other.state is not DEAD]
        asking.append(process)

    def drop(self, name: str, process: Process) -> None:
        """Take one asking back."""
        asking = self.of_node.get(name, [])
        if process in asking:
            asking.remove(process)
        if not asking:
            self.of_node.pop(name, None)

    def subscribe(self, process: Process) -> None:
        """Let a process learn of every node, each time."""
        self.of_all = [other for other in self.of_all if other.state is not DEAD]
        self.of_all.append(process)

    def unsubscribe(self, process: Process) -> None:
        """Take all subscriptions of a process back."""
        self.of_all = [other for other in self.of_all if other is not process]

    def node_up(self, name: str) -> None:
        """Tell that a node is connected."""
        self._tell_all(NodeUp(name))

    def node_down(self, name: str, reason: str) -> None:
        """Tell that a node was connected and is no more."""
        self._tell_asking(name, reason)
        self._tell_all(NodeDown(name, reason))

    def not_connected(self, name: str) -> None:
        """Tell that a node could not be reached."""
        self._tell_asking(name, "noconnection")

    def _tell_asking(self, name: str, reason: str) -> None:
        asking = self.of_node.get(name)
        if asking is not None:
            _tell(asking, NodeDown(name, reason))
            self.of_node.pop(name, None)

    def _tell_all(self, message: NodeUp | NodeDown) -> None:
        _tell(self._untold.setdefault(message, [*self.of_all]), message)
        del self._untold[message]


def _tell(processes: list[Process], message: NodeUp | NodeDown) -> None:
    """Tell each, and take it off the list: no handler of a signal comes in between."""
    while processes:
        process = processes[0]
        if process.state is not DEAD:
            put_all(process, [message])
        del processes[0]
