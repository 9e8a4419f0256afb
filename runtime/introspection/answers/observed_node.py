"""The node as its answers see it: what is measured, what is remembered, and what may be shown."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.introspection.answers.findings import Findings
from runtime.introspection.answers.interruptions import Interruptions
from runtime.introspection.answers.node_figures import NodeFigures
from runtime.introspection.answers.server_states import ServerStates
from runtime.introspection.console.console import Console
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.introspection.measuring.cpu_clock import CpuClock
from runtime.introspection.measuring.cpu_meter import CpuMeter
from runtime.introspection.measuring.cpu_sampler import CpuSampler
from runtime.introspection.measuring.hub_load import HubLoad
from runtime.introspection.measuring.memory_census import MemoryCensus
from runtime.introspection.measuring.memory_sampler import MemorySampler
from runtime.introspection.measuring.open_sockets import OpenSockets
from runtime.introspection.measuring.process_census import ProcessCensuses
from runtime.introspection.measuring.sender_sampler import SenderSampler
from runtime.introspection.measuring.socket_holders import SocketHolders
from runtime.introspection.reading.activity import WITHHELD
from runtime.introspection.reading.rows import Snapshot
from runtime.introspection.reading.supervisor_nodes import SupervisorNodes
from runtime.introspection.reading.tree_path import parse_pid
from runtime.introspection.reading.unsupervised import TopLevel
from runtime.introspection.threads.node_calls import NodeCalls
from runtime.introspection.threads.pace import Pace
from runtime.introspection.tracing.trace import Trace
from runtime.kernel.node import Node
from runtime.kernel.process import Process
from runtime.preemption.watchdog import Watchdog


@dataclass(frozen=True)
class Permissions:
    """What observers may do and see."""

    read_only: bool = False
    """Whether they can change nothing."""
    state: bool = True
    """Whether they are shown what processes hold: states, dictionaries, messages."""
    exception_texts: bool = True
    """Whether they are shown what exceptions and exit reasons say, beyond the names of their classes."""


class ObservedNode:
    """One node with all that answers are made from."""

    def __init__(
        self,
        node: Node,
        name: str,
        log: EventLog,
        watchdog: Watchdog,
        greenlets: Greenlets,
        permissions: Permissions,
    ) -> None:
        self.node = node
        self.name = name
        self.log = log
        self.watchdog = watchdog
        self.greenlets = greenlets
        self.permissions = permissions
        self.calls = NodeCalls(node, watchdog)
        self.top_level = TopLevel(node)
        self.supervisors = SupervisorNodes()
        self.figures = NodeFigures(node, name, log, watchdog, greenlets, permissions.read_only)
        self.load = HubLoad(node)
        self.findings = Findings(node, watchdog, log, self.load)
        self.server_states = ServerStates(self.calls)
        self.interruptions = Interruptions(watchdog, log, greenlets)
        self.memory = MemorySampler(node)
        self.census = MemoryCensus(node)
        self.process_censuses = ProcessCensuses(node)
        self.cpu: CpuClock = CpuSampler(node) if CpuSampler.is_possible(node) else CpuMeter(node)
        self.open_sockets = OpenSockets()
        self.socket_holders = SocketHolders(node, greenlets)
        self.senders = SenderSampler(node)
        self.consoles: list[Console] = []
        """The consoles that are open."""
        self.traces: list[Trace] = []
        """The traces that go on."""
        if not permissions.state:
            WITHHELD.add(node)

    def close(self) -> None:
        """Stop measuring, and close what is open. In the node's thread."""
        for console in self.consoles:
            console.close()
        for trace in self.traces:
            trace.close()
        self.memory.close()
        self.census.close()
        self.process_censuses.close()
        self.cpu.close()
        self.socket_holders.close()
        self.senders.close()
        WITHHELD.discard(self.node)

    def leave_behind(self) -> None:
        """Drop what the child of a fork has inherited: its node is another one, whose texts nothing withholds."""
        for console in self.consoles:
            console.leave_behind()
        for trace in self.traces:
            trace.leave_behind()
        WITHHELD.discard(self.node)

    def update(self, pace: Pace) -> None:
        """Look at which supervisors there are, and which processes are under none."""
        self.top_level.update(pace)
        self.supervisors.update(self.top_level.roots(), pace)
        self.figures.supervisors = self.supervisors.count

    def look_for_findings(self, pace: Pace) -> None:
        """Look for what is wrong, when the last look is long enough ago."""
        if self.findings.are_due:
            self.update(pace)
            self.findings.look(self.top_level, self.supervisors, pace)
            self.figures.lint_count = len(self.findings.found)

    def let_go(self) -> None:
        """Forget what was remembered of processes: they may be dead by now."""
        self.top_level.clear(Pace())
        self.supervisors.clear(Pace())
        self.findings.clear()

    def snapshot(self) -> Snapshot:
        """Return what makes rows of processes, as of now."""
        return Snapshot(self.log.failures, self.findings.by_pid, self.cpu.is_on, self.permissions.state)

    def find(self, key: str) -> Process | None:
        """Return the process of a pid, the greenlet of a name, or the process at a place's key."""
        pid = parse_pid(key)
        return self.greenlets.find(key) or self.supervisors.find(key) if pid is None else pid.process
