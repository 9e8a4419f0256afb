"""Samples who sends to the processes that an observer looks at, and from which line of code.

A few times a second the next messages to such a process are noted with their senders. How many messages come is known
from the process's own counter, so the sample gives each sender its share of that. The work is bounded by the size of
the sample, however many messages come, and only for mailboxes in which messages wait.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import NamedTuple

from runtime.introspection.measuring.watched_mailbox import Origin, unwrap, wrap
from runtime.introspection.threads.background import BackgroundWork
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Process

MANY = 10
"""Messages that must wait in a mailbox before its senders are worth a sample."""

EVERY = 0.25
"""Seconds from one sample to the next."""

KEPT = 12
"""Samples that a rate is made of: those of the last three seconds."""

LOOKED_AT = 3.0
"""Seconds for which the senders of a process are sampled after an observer has looked at it."""

MOST = 4
"""Processes whose senders are sampled at a time: those that were looked at last."""


class SenderRate(NamedTuple):
    """One sender of a process: from where it sends, and how many messages a second."""

    origin: Origin
    rate: float


class _Sample(NamedTuple):
    began: float
    counted: int
    """Messages that the process had got before."""
    origins: Counter[Origin]


class _Senders:
    """The samples of one process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.looked_at = time.monotonic()
        self.samples: deque[_Sample] = deque(maxlen=KEPT)
        self.rates: tuple[SenderRate, ...] = ()
        self.number: int | None = None

    def end_sample(self) -> None:
        """Take what was noted since the last sample began, and work out the rates."""
        if self.number is not None:
            self.samples[-1].origins.update(unwrap(self.number))
            self.number = None
        if self.samples:
            self.rates = self._rates()

    def begin_sample(self) -> None:
        """Note the next messages."""
        self.samples.append(_Sample(time.monotonic(), self.process.messages_in, Counter()))
        self.number = wrap(self.process)

    def _rates(self) -> tuple[SenderRate, ...]:
        """Assign each sender its share of the messages that have come, sample by sample: a burst is in one of them.

        A sample in which nothing could be noted, because the mailbox was empty when it began, counts by the others.
        """
        present = time.monotonic()
        ends = [*(sample.began for sample in [*self.samples][1:]), present]
        counts = [*(sample.counted for sample in [*self.samples][1:]), self.process.messages_in]
        shares: Counter[Origin] = Counter()
        known = 0.0
        for sample, end, counted in zip(self.samples, ends, counts, strict=True):
            noted = sample.origins.total()
            if noted:
                known += end - sample.began
                for origin, times in sample.origins.items():
                    shares[origin] += times * (counted - sample.counted) / noted  # type: ignore[assignment]
            elif counted == sample.counted:
                known += end - sample.began  # it is known that no message came
        return tuple(SenderRate(origin, count / known) for origin, count in shares.most_common()) if known else ()


class SenderSampler(BackgroundWork):
    """Keeps the rates of the senders of a few processes, while observers look at these."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._watched: dict[Process, _Senders] = {}

    def look(self, process: Process) -> tuple[SenderRate, ...]:
        """Return the senders of a process, the fastest first; empty until there is a sample. From any thread.

        It is sampled from now on, for as long as it is looked at.
        """
        senders = self._watched.get(process)
        if senders is not None:
            senders.looked_at = time.monotonic()
        elif process.message_queue_len >= MANY:
            self._watched[process] = _Senders(process)
        else:
            return ()
        self.keep_going()
        return () if senders is None else senders.rates

    # -- In the hub -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """End each sample and begin the next one."""
        present = time.monotonic()
        latest = sorted(self._watched.copy().values(), key=lambda senders: -senders.looked_at)
        for place, senders in enumerate(latest):
            senders.end_sample()
            process = senders.process
            if place >= MOST or present - senders.looked_at > LOOKED_AT or process.state is DEAD:
                self._watched.pop(process, None)
            else:
                senders.begin_sample()
        return False

    def pause(self, took: float, more: bool) -> float:
        """Return how long a sample lasts."""
        return EVERY

    def stop(self) -> None:
        """Take every wrapper off."""
        for process in self._watched.copy():
            senders = self._watched.pop(process, None)
            if senders is not None:
                senders.end_sample()

    def close(self) -> None:
        """Stop for good. In the hub."""
        self.stop()
        super().close()
