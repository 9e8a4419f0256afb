"""Answering an observer: the longest stretch for which one answer keeps the interpreter from the hub."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime import DynamicSupervisor, run, self_, start_child
from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.kernel import threads
from tests.benchmarks.harness.benchmark import OURS, Benchmark, Target
from tests.benchmarks.harness.contender import Fixed, Python
from tests.benchmarks.harness.sample import Sample
from tests.benchmarks.observing import PROCESSES, Counter, start_servers
from tests.support.trees import Observer

LISTS: tuple[wire.Query, ...] = (
    wire.GetProcesses(sort="memory", anchor="<0.50.0>"),
    wire.GetProcesses(sort="messages_in", delta=True),
    wire.GetProcesses(sort="message_queue_len"),
    wire.GetProcesses(sort="restarts"),
    wire.GetProcesses(sort="status"),
    wire.GetProcesses(sort="name", descending=False),
    wire.GetProcesses(sort="name", offset=20_000),
)
"""Sorted lists, the last of them scrolled far down."""

FILTERED: tuple[wire.Query, ...] = (
    wire.GetProcesses(filter="counter"),
    wire.GetProcesses(filter="/[3-5]7$/"),
    wire.GetProcesses(filter="sup~1 and messages_in>0"),
    wire.GetTree(filter="counter"),
    *(wire.GetProcesses(group_by=by) for by in ("label", "supervisor", "initial_call")),
)

OTHERS: tuple[wire.Query, ...] = (
    wire.GetLints(),
    wire.GetTree(),
    wire.GetTree(fold_over=1_000_000, offset=50_000, sort="name", anchor="<0.50.0>", follow=True),
    wire.GetPlan(pid="<0.2.0>"),
    wire.GetNames(),
)

QUESTIONS = {"lists": LISTS, "filters": FILTERED, "others": OTHERS, "all": (*LISTS, *FILTERED, *OTHERS)}

MILLION = 1_000_000

TRIES = 3
"""How often each question is asked by a new observer. The shortest counts: a host that takes the processor away for
some milliseconds makes any stretch longer, and seldom the same one three times."""


def _start_free(count: int) -> None:
    """Start servers under no supervisor."""
    me = self_()
    for _ in range(count):
        Counter.start(me)


def _start_guests(count: int) -> None:
    """Start them all under one dynamic supervisor."""
    me = self_()
    DynamicSupervisor.start_link(name="guests")
    for _ in range(count):
        start_child("guests", (Counter, me))


SHAPES: dict[str, Callable[[int], object]] = {"groups": start_servers, "free": _start_free, "guests": _start_guests}
"""The shapes of a node of so many servers."""


class Holds:
    """The longest CPU time between two rests of this thread."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._since = time.thread_time()

    def rest(self, seconds: float) -> None:
        """Note the end of a stretch, without resting."""
        self.longest = max(self.longest, time.thread_time() - self._since)
        self._since = time.thread_time()


@contextmanager
def _held() -> Iterator[Holds]:
    holds, sleep = Holds(), threads.sleep
    threads.sleep = holds.rest  # where `Pace` takes its rests
    try:
        yield holds
        holds.rest(0)
    finally:
        threads.sleep = sleep


def _longest(count: int, questions: str, shape: str) -> float:
    SHAPES[shape](count)
    gc.collect(1)  # what the start left young must not count for the answers
    return max(min(_stretch(question) for _ in range(TRIES)) for question in QUESTIONS[questions])


def _stretch(question: wire.Query) -> float:
    answers, client = Observer().answers, ClientCache()
    with _held() as holds:
        wire.frame(wire.Reply(id=1, answer=answers.answer(question, client)))
        answers.dismiss(client)
    return holds.longest


def hold(size: int, questions: str, shape: str = "groups") -> Sample:
    """Return the longest stretch, in CPU seconds, of any of these questions, each at its best."""
    return Sample.exact(run(_longest, size, questions, shape))


BENCHMARKS = (
    Benchmark(
        name="longest hold of the interpreter",
        what="CPU time for which an answer to an observer keeps the interpreter at a stretch, 100,000 processes, the "
        "shortest of three tries",
        unit="s",
        size=PROCESSES,
        quick=500,
        contenders={
            OURS: Python(hold, arguments=("lists",)),
            "filters and groups": Python(hold, arguments=("filters",)),
            "tree, findings, plans, names": Python(hold, arguments=("others",)),
            "limit": Fixed(0.005),
        },
        targets=(
            Target("limit", 1),
            Target("limit", 1, ours="filters and groups"),
            Target("limit", 1, ours="tree, findings, plans, names"),
        ),
    ),
    Benchmark(
        name="longest hold, of a million",
        what="the same with a million processes, of all these answers, by how the processes are kept",
        unit="s",
        size=MILLION,
        quick=500,
        contenders={
            OURS: Python(hold, arguments=("all", "groups")),
            "under no supervisor": Python(hold, arguments=("all", "free")),
            "under one dynamic supervisor": Python(hold, arguments=("all", "guests")),
            "limit": Fixed(0.005),
        },
        targets=(
            Target("limit", 1),
            Target("limit", 1, ours="under no supervisor"),
            Target("limit", 1, ours="under one dynamic supervisor"),
        ),
    ),
)
