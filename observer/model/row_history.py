"""What has been seen of each row over time: rates, peaks, growth, and when its process was replaced."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from observer.model.series import Meter, Series
from runtime.introspection.wire import Row

REMEMBERED = 5_000
"""How many rows are remembered; those not seen for longest are forgotten first."""

SAMPLES = 60
"""How many samples of each figure."""

CPU_LOOKS = 6
"""Looks over which processor time is averaged."""


YOUNG = 5.0
"""Seconds of life for which a process is taken to have been measured from its beginning."""


class RowHistory:
    """What was seen of one place of the tree, or of one process. A restart begins the rates anew."""

    __slots__ = (
        "changed_at",
        "counts_messages",
        "cpu",
        "mailbox",
        "mailbox_peak",
        "memory",
        "memory_began",
        "messages",
        "pid",
        "restarts",
        "seen_at",
    )

    def __init__(self) -> None:
        self.pid: str | None = None
        self.restarts = 0
        self.seen_at = 0.0
        self.changed_at: float | None = None
        self.mailbox = Series(SAMPLES)
        self.mailbox_peak = 0
        """The longest that the mailbox has been since the observer began to look."""
        self.memory_began: tuple[float, int] | None = None
        """When the memory of this process was first seen, and how large it was."""
        self.memory = Series(SAMPLES)
        self.messages = Meter(SAMPLES)
        self.counts_messages = True
        """Whether the node counts its messages, as a BEAM node does not."""
        self.cpu = Meter(SAMPLES)

    def take(self, row: Row, time: float) -> None:
        """Take what a window said about this row at `time`."""
        if self.seen_at and (row.pid != self.pid or row.restarts > self.restarts):
            self.changed_at = time
            self.memory, self.memory_began = Series(SAMPLES), None
        if row.pid != self.pid and row.started_at is not None and 0 < time - row.started_at < YOUNG:
            self.cpu.add(row.started_at, 0.0)  # many a greenlet is over before a second look
        self.pid, self.restarts, self.seen_at = row.pid, row.restarts, time
        self.mailbox.add(time, row.message_queue_len)
        self.mailbox_peak = max(self.mailbox_peak, row.message_queue_len)
        self.counts_messages = row.messages_in is not None
        if row.messages_in is not None:
            self.messages.add(time, row.messages_in, restarts=row.kind != "group")
        if row.memory is not None:
            self.memory.add(time, row.memory)
            self.memory_began = self.memory_began or (time, row.memory)
        if row.cpu_time is not None:
            self.cpu.add(time, row.cpu_time, restarts=row.kind != "group")

    @property
    def growth(self) -> float:
        """Bytes by which this process's memory has grown since the observer began to look."""
        return 0.0 if self.memory_began is None else (self.memory.latest or 0.0) - self.memory_began[1]

    @property
    def grown_for(self) -> float:
        """Seconds that this growth took."""
        return 0.0 if self.memory_began is None else self.seen_at - self.memory_began[0]

    @property
    def cpu_share(self) -> float | None:
        """The share of one core that it took, over the last few looks. A single look has too few samples."""
        return self.cpu.rates.average(CPU_LOOKS)

    def flash(self, time: float, lasting: float = 3.0) -> float:
        """Return how brightly the row flashes at `time`: 1 right after its process was replaced, then less, then 0."""
        if self.changed_at is None:
            return 0.0
        return max(0.0, 1.0 - (time - self.changed_at) / lasting)


class RowHistories:
    """The histories of the rows seen lately, by key."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._histories: OrderedDict[str, RowHistory] = OrderedDict()

    def __len__(self) -> int:
        return len(self._histories)

    def take(self, rows: Iterable[Row], time: float) -> None:
        """Take the rows of a window that was made at `time`, by the node's clock."""
        for row in rows:
            history = self._histories.get(row.key)
            if history is None:
                history = self._histories[row.key] = RowHistory()
            else:
                self._histories.move_to_end(row.key)
            history.take(row, time)
        while len(self._histories) > self._limit:
            self._histories.popitem(last=False)

    def get(self, key: str) -> RowHistory | None:
        """Return the history of the row with that key, None when it was not seen or is forgotten."""
        return self._histories.get(key)
