"""The figures of a node as OpenMetrics, the text that Prometheus reads.

The number of series is bounded whatever the node holds: only `MOST_SUPERVISORS` supervisors are named, those whose
children were restarted most, and a process is never a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from observer.text.safe_text import safe
from runtime.introspection import wire

MOST_SUPERVISORS = 100
"""How many supervisors have series of their own."""

MAX_LABEL = 200
"""Longest value of a label, in characters."""


@dataclass(frozen=True)
class Reading:
    """What a node says about itself at one moment."""

    welcome: wire.Welcome
    stats: wire.NodeStats
    longest_mailbox: int
    """Messages that wait in the fullest mailbox."""
    tree: tuple[wire.Row, ...] = ()
    """The rows of the supervision tree."""
    findings: tuple[wire.Lint, ...] | None = ()
    """What looks wrong, None for a node that is not searched for it."""
    new_events: tuple[wire.Event, ...] = ()
    """Events that no earlier reading has had."""


FIGURES = {
    "hub_lag_seconds": "hub_lag",
    "hub_stuck": "hub_lag",
    "timers": "timers",
    "unwinding_processes": "remains",
    "messages": "messages",
    "spawns": "spawned",
    "exits": "exited",
    "crashes": "crashed",
    "cpu_seconds": "cpu_time",
}
"""The figures that metrics are made of which not every node tells: a metric without its figure is left out."""


@dataclass(eq=False)
class NodeMetrics(Collector):
    """The metrics of one node. `read` asks the node, and returns None when it cannot be reached.

    A scrape of a node that is gone has the one series ``runtime_up`` with 0.
    """

    node: str
    read: Callable[[], Reading | None]
    _stalls: dict[str, int] = field(default_factory=dict)
    _stalled_seconds: dict[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """Return the metrics as OpenMetrics text."""
        text: bytes = generate_latest(self.registry())  # type: ignore[no-untyped-call]
        return text.decode()

    def registry(self) -> CollectorRegistry:
        """Return a registry that holds these metrics and nothing else."""
        # Registering would ask the node for the names of its metrics.
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        reading = self.read()
        yield _gauge("runtime_up", "Whether the node answers.", float(reading is not None), self.node)
        if reading is None:
            return
        self._count_stalls(reading.new_events)
        yield _about(reading.welcome, self.node)
        yield from self._of_node(reading)
        yield from self._of_stalls()
        if reading.findings is not None:
            yield _findings(reading.findings, self.node)
        yield from _of_supervisors(reading.tree, self.node)

    def _of_node(self, reading: Reading) -> Iterator[Metric]:
        stats, node = reading.stats, self.node
        gauges: tuple[tuple[str, str, float], ...] = (
            ("processes", "Processes that live.", stats.process_count),
            ("greenlets", "Greenlets that are no processes.", stats.greenlet_count),
            ("supervisors", "Supervisors that live.", stats.supervisor_count),
            ("run_queue_processes", "Processes that are ready to run.", stats.run_queue),
            ("mailbox_longest_messages", "Messages that wait in the fullest mailbox.", reading.longest_mailbox),
            ("hub_lag_seconds", "By how much the hub answered late, or for how long it is stuck.", stats.hub_lag),
            ("hub_stuck", "Whether the hub is stuck at this moment.", float(stats.hub_busy_with is not None)),
            ("timers", "Timers that are pending.", stats.timers),
            ("names", "Names that are registered.", stats.names),
            ("unwinding_processes", "Dead processes whose frames are still being unwound.", stats.remains),
            ("resident_memory_bytes", "Resident memory of the operating-system process.", stats.rss),
            ("start_time_seconds", "When the node started, since the epoch.", stats.started_at),
        )
        counters: tuple[tuple[str, str, float], ...] = (
            ("messages", "Messages that were delivered.", stats.messages),
            ("reductions", "Steps that processes have made.", stats.reductions),
            ("spawns", "Processes that were started.", stats.spawned),
            ("exits", "Processes that have ended.", stats.exited),
            ("crashes", "Processes that have ended abnormally.", stats.crashed),
            ("restarts", "Children that supervisors have restarted.", stats.restarted),
            ("cpu_seconds", "Processor time of the operating-system process.", stats.cpu_time),
            ("events_dropped", "Events that the bounded log has lost.", stats.events_dropped),
        )
        for name, help, value in gauges:
            if FIGURES.get(name) not in stats.untold:
                yield _gauge(f"runtime_{name}", help, value, node)
        for name, help, value in counters:
            if FIGURES.get(name) not in stats.untold:
                yield _counter(f"runtime_{name}", help, value, node)

    def _count_stalls(self, events: Iterable[wire.Event]) -> None:
        for event in events:
            if event.kind == "stall":
                why = event.stall or "unknown"
                self._stalls[why] = self._stalls.get(why, 0) + 1
                self._stalled_seconds[why] = self._stalled_seconds.get(why, 0.0) + (event.seconds or 0.0)

    def _of_stalls(self) -> Iterator[Metric]:
        stalls = CounterMetricFamily(
            "runtime_stalls", "How often something held the hub, by why.", labels=("node", "why")
        )
        seconds = CounterMetricFamily("runtime_stalled_seconds", "How long the hub was held.", labels=("node", "why"))
        for why in sorted(self._stalls):
            stalls.add_metric((self.node, why), self._stalls[why])
            seconds.add_metric((self.node, why), self._stalled_seconds[why])
        yield from (stalls, seconds)


def _gauge(name: str, help: str, value: float, node: str) -> Metric:
    family = GaugeMetricFamily(name, help, labels=("node",))
    family.add_metric((node,), value)
    return family


def _counter(name: str, help: str, value: float, node: str) -> Metric:
    family = CounterMetricFamily(name, help, labels=("node",))
    family.add_metric((node,), value)
    return family


def _about(welcome: wire.Welcome, node: str) -> Metric:
    family = InfoMetricFamily("runtime_node", "Versions of what the node runs on.", labels=("node",))
    versions = {
        "runtime": welcome.runtime_version,
        "python": welcome.python_version,
        "gevent": welcome.gevent_version,
    }
    family.add_metric((node,), versions)
    return family


def _findings(findings: Iterable[wire.Lint], node: str) -> Metric:
    family = GaugeMetricFamily("runtime_findings", "What looks wrong, by its kind.", labels=("node", "kind"))
    counts: dict[str, int] = {}
    for each in findings:
        counts[each.kind] = counts.get(each.kind, 0) + 1
    for kind in sorted(counts):
        family.add_metric((node, kind), counts[kind])
    return family


def _of_supervisors(rows: Iterable[wire.Row], node: str) -> Iterator[Metric]:
    """Yield the restarts of the supervisors whose children were restarted most."""
    labels = ("node", "supervisor")
    restarts = GaugeMetricFamily(
        "runtime_supervisor_child_restarts", "Restarts of the children that a supervisor has now.", labels=labels
    )
    used = GaugeMetricFamily(
        "runtime_supervisor_restarts_used", "Restarts that count against a supervisor's limit now.", labels=labels
    )
    limit = GaugeMetricFamily(
        "runtime_supervisor_max_restarts", "Restarts that a supervisor may make in its period.", labels=labels
    )
    supervisors: dict[str, wire.Row] = {}
    total: dict[str, int] = {}
    for row in rows:
        if row.kind == "supervisor":
            supervisors[row.key] = row
        if row.parent_key is not None:
            total[row.parent_key] = total.get(row.parent_key, 0) + row.restarts
    most = sorted(supervisors, key=lambda key: (-total.get(key, 0), key))[:MOST_SUPERVISORS]
    for key in most:
        label = (node, safe(key)[:MAX_LABEL])
        restarts.add_metric(label, total.get(key, 0))
        used.add_metric(label, supervisors[key].restarts_used or 0)
        if supervisors[key].max_restarts is not None:
            limit.add_metric(label, supervisors[key].max_restarts or 0)
    yield from (restarts, used, limit)
