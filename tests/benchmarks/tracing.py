"""The cost of a trace: while it runs, at a thousand messages a second, and when it is over."""

from __future__ import annotations

import time
from statistics import median

from runtime import GenServer, Pid, call, run, send, sleep
from runtime.introspection.tracing.limits import Limits
from runtime.introspection.tracing.noted import Shown
from runtime.introspection.tracing.targets import Targets
from runtime.introspection.tracing.trace import Trace
from runtime.kernel.node import this_node
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample

RATE = 1_000
"""Messages a second."""

TICK = 0.01
"""Seconds from one burst of messages to the next."""

TURNS = 6
"""How often what is traced and what is not take turns, so that both meet the same moods of the machine."""


class Sink(GenServer):
    """Takes every message and answers every call."""

    def handle_info(self, message: object) -> None:
        """Do nothing."""

    def handle_call(self, request: object, caller: object) -> object:
        """Return the request."""
        return request


def _begin(pid: Pid) -> Trace:
    assert pid.process is not None
    targets = Targets([pid.process], None)
    trace = Trace(this_node(), targets, Limits(60, 100_000, 10_000), Shown(state=True, exception_texts=True))
    trace.start()
    return trace


def _processor_time(pid: Pid, seconds: float, traced: bool) -> float:
    """Return the processor time of a turn in which messages are sent at the rate, and read as an observer does."""
    trace = _begin(pid) if traced else None
    begun, read = time.process_time(), 0
    for _ in range(round(seconds / TICK)):
        for number in range(round(RATE * TICK)):
            send(pid, ("order", number, "two cups of tea"))
        sleep(TICK)
        if trace is not None:
            events = trace.events_after(read)
            read = events[-1].id if events else read
    used = time.process_time() - begun
    if trace is not None:
        trace.close()
    return used


def kept_while_traced(size: int) -> Sample:
    """Return the share of a core that a program keeps at that many messages in all, half of them traced."""

    def main() -> Sample:
        pid = Sink.start()
        assert pid is not None
        seconds = size / RATE / (2 * TURNS)
        lost = [
            (_processor_time(pid, seconds, traced=True) - _processor_time(pid, seconds, traced=False)) / seconds
            for _ in range(TURNS)
        ]
        return Sample.exact(1 - median(lost))

    return run(main)  # type: ignore[no-any-return]


def kept_afterwards(size: int) -> Sample:
    """Return the speed of calls after a trace, as a share of their speed before it."""

    def main() -> Sample:
        pid = Sink.start()
        assert pid is not None

        def used() -> float:
            begun = time.process_time()
            for _ in range(size):
                call(pid, "x")
            return time.process_time() - begun

        used()
        shares = []
        for _ in range(TURNS):
            before = used()
            trace = _begin(pid)
            call(pid, "x")
            trace.close()
            used()  # the interpreter finds its short ways again
            shares.append(before / used())
        return Sample.exact(median(shares))

    return run(main)  # type: ignore[no-any-return]


BENCHMARKS = (
    Benchmark(
        name="traced",
        what="a program that is traced at 1,000 messages a second: the share of a core that it keeps, and the share of "
        "the speed of calls that it has after a trace",
        unit="share",
        size=12_000,
        quick=120,
        contenders={
            OURS: Python(kept_while_traced),
            "calls after a trace": Python(kept_afterwards),
            "limit": Fixed(0.95),
        },
        targets=(Target("limit", 1), Target("limit", 1, ours="calls after a trace")),
    ),
)
