"""Everything the observer has seen of a node: the one model behind all screens. No Textual in here."""

from __future__ import annotations

from observer.model.event_log import EventLog
from observer.model.row_history import RowHistories
from observer.model.series import Meter, Series
from runtime.introspection.wire import Event, Events, NodeStats, Welcome, Window


class NodeHistory:
    """The node's figures over time."""

    def __init__(self) -> None:
        self.processes = Series()
        self.run_queue = Series()
        self.memory = Series()
        self.lag = Series()
        self.messages = Meter()
        self.cpu = Meter()
        self.reductions = Meter()
        self.spawned = Meter()
        self.crashed = Meter()
        self.restarted = Meter()

    def take(self, stats: NodeStats) -> None:
        """Take the figures of one moment."""
        time = stats.time
        for series, value in (
            (self.processes, stats.process_count),
            (self.run_queue, stats.run_queue),
            (self.memory, stats.rss),
            (self.lag, stats.hub_lag),
            (self.messages, stats.messages),
            (self.cpu, stats.cpu_time),
            (self.reductions, stats.reductions),
            (self.spawned, stats.spawned),
            (self.crashed, stats.crashed),
            (self.restarted, stats.restarted),
        ):
            series.add(time, float(value))


class Record:
    """What has been seen of one node, kept across the loss of its connection."""

    def __init__(self) -> None:
        self.welcome: Welcome | None = None
        self._start_anew()

    def forget(self) -> None:
        """Forget everything but whose record it is: another moment of the node is told."""
        self._start_anew()

    def _start_anew(self) -> None:
        self.stats: NodeStats | None = None
        self.history = NodeHistory()
        self.rows = RowHistories()
        self.events = EventLog()

    def met(self, welcome: Welcome) -> None:
        """Take the node's greeting. Another node under the same name starts the record anew."""
        known = self.welcome
        if known is not None and (known.os_pid, known.started_at) != (welcome.os_pid, welcome.started_at):
            self._start_anew()
        self.welcome = welcome

    def take_stats(self, stats: NodeStats) -> None:
        """Take the node's figures."""
        self.stats = stats
        self.history.take(stats)

    def take_window(self, window: Window) -> None:
        """Take a window of rows and the figures that came with it."""
        self.take_stats(window.stats)
        self.rows.take(window.rows, window.stats.time)

    def take_events(self, events: Events) -> list[Event]:
        """Take events; return the new ones."""
        return self.events.take(events)

    @property
    def time(self) -> float:
        """The moment of the newest figures, by the node's clock; 0 before the first."""
        return self.stats.time if self.stats else 0.0
