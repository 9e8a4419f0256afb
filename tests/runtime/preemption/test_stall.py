from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from runtime.preemption import stall
from runtime.preemption.stall import Clocks, Evidence, Stall, ThreadClocks, position_of, text_of
from runtime.terms.crash import StackFrame

LIMIT = 0.1


class FakeClocks(ThreadClocks):
    """Clocks that say what a test wants them to."""

    def __init__(self) -> None:
        super().__init__(threading.get_ident(), threading.get_native_id())
        self.thread = self.program = self.waited = 0.0
        self.known = True

    @property
    def tell_processor_time(self) -> bool:
        """Whether this system is one that tells."""
        return self.known

    def read(self) -> Clocks:
        """Say what the test has set."""
        return Clocks(self.thread, self.program)

    def queued(self) -> float:
        """Say what the test has set."""
        return self.waited


def compute() -> FrameType:
    return sys._getframe()


def hog(work: Callable[[], FrameType]) -> FrameType:
    return work()


def send() -> FrameType:
    return sys._getframe()


def read() -> FrameType:
    return sys._getframe()


@pytest.fixture
def clocks() -> FakeClocks:
    return FakeClocks()


def _evidence(clocks: FakeClocks) -> Evidence:
    return Evidence(0.0, clocks, clocks.read())


def _stall(evidence: Evidence, seconds: float) -> Stall:
    found = evidence.stall(seconds, LIMIT)
    assert found is not None
    return found


def test_the_blame_goes_to_what_was_seen_most_and_not_to_the_last_look(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    for number in range(20):
        evidence.add(None, hog(compute), number * 0.05)
    evidence.add(None, hog(send), 1.0)
    clocks.thread = clocks.program = 0.98
    found = _stall(evidence, 1.0)
    assert found.kind == "computing"
    assert found.where.endswith(" in compute")
    assert found.processor_seconds == 0.98
    assert [frame.function for frame in found.chain][-2:] == ["hog", "compute"]


def test_a_look_counts_for_the_time_since_the_one_before(clocks: FakeClocks) -> None:
    """A call of C code keeps the watchdog from looking: then a single look tells of seconds."""
    evidence = _evidence(clocks)
    for number in range(5):
        evidence.add(None, hog(send), number * 0.05)
    evidence.add(None, hog(compute), 4.0)
    clocks.thread = clocks.program = 4.0
    assert _stall(evidence, 4.0).where.endswith(" in compute")


def test_a_function_that_calls_others_in_turn_is_blamed_itself(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    works = [compute, send, read]
    for number in range(30):
        evidence.add(None, hog(works[number % 3]), number * 0.05)
    clocks.thread = clocks.program = 1.5
    assert _stall(evidence, 1.5).where.endswith(" in hog")


def test_what_ran_one_after_the_other_is_not_blamed_on_one_of_them(clocks: FakeClocks) -> None:
    """A loop that finds ten requests ready runs them all before it looks for events again."""
    requests: list[Any] = [object() for _ in range(10)]
    evidence = _evidence(clocks)
    for number, request in enumerate(requests, 1):
        evidence.add(request, hog(compute), number * 0.15)
    clocks.thread = clocks.program = 1.5
    found = _stall(evidence, 1.5)
    assert (found.process, found.in_turn, found.whose) == (None, True, "several in turn")
    assert found.where.endswith(" in compute")


@pytest.mark.parametrize(
    ("first", "second", "blamed"),
    [(0.06, 0.06, False), (0.05, 0.09, False), (0.03, 0.10, True), (0.0, 0.09, True), (0.4, 0.6, True)],
)
def test_the_one_that_ran_mostly_and_for_the_limit_is_blamed(
    clocks: FakeClocks, first: float, second: float, blamed: bool
) -> None:
    processes: list[Any] = [object(), object()]
    evidence = _evidence(clocks)
    evidence.add(processes[0], hog(send), first)
    evidence.add(processes[1], hog(compute), first + second)
    clocks.thread = clocks.program = first + second
    found = _stall(evidence, first + second)
    assert found.process is (processes[1] if blamed else None)
    assert found.in_turn is not blamed


def test_a_thread_that_stands_in_one_call_without_using_the_processor_is_blocked(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    frame = hog(read)
    for number in range(20):
        evidence.add(None, frame, number * 0.05)
    found = _stall(evidence, 1.0)
    assert found.kind == "blocked"
    assert found.where.endswith(" in read")


def test_another_thread_that_computes_meanwhile_does_not_excuse_a_blocking_call(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    frame = hog(read)
    for number in range(20):
        evidence.add(None, frame, number * 0.05)
    clocks.program = 1.0
    assert _stall(evidence, 1.0).kind == "blocked"


def test_several_short_calls_that_block_are_blocking_together(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    for number in range(20):
        evidence.add(None, hog(read if number % 2 else send), number * 0.05)
    assert _stall(evidence, 1.0).kind == "blocked"


@pytest.mark.parametrize(
    ("queued", "program", "late", "why"),
    [
        (0.9, 0.0, 0.0, "the system ran something else"),
        (0.0, 0.9, 0.0, "another thread of the program kept the interpreter"),
        (0.0, 0.4, 0.9, "another thread of the program kept the interpreter"),
        (0.0, 0.0, 0.9, "or had stopped the program"),
    ],
)
def test_nobody_is_blamed_when_the_thread_was_not_run(
    clocks: FakeClocks, queued: float, program: float, late: float, why: str
) -> None:
    evidence = _evidence(clocks)
    evidence.add(None, hog(compute), 0.05)
    evidence.watch_waiting()
    evidence.add(None, hog(send), 0.1)
    evidence.add_late(late)
    clocks.waited, clocks.program, clocks.thread = queued, program, 0.02
    found = _stall(evidence, 1.0)
    assert (found.kind, found.process, found.chain) == ("starved", None, ())
    assert why in found.where
    assert found.processor_seconds == 0.02


def test_work_that_takes_long_is_blamed_although_the_system_ran_others_for_most_of_the_time(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    evidence.add(None, hog(compute), 0.05)
    evidence.watch_waiting()
    evidence.add(None, hog(compute), 0.1)
    clocks.waited, clocks.thread, clocks.program = 0.7, 0.3, 0.3
    found = _stall(evidence, 1.0)
    assert (found.kind, found.processor_seconds) == ("computing", 0.3)
    assert found.where.endswith(" in compute")


@pytest.mark.parametrize(
    ("used", "waited", "kind"),
    [(0.06, 0.0, "blocked"), (0.06, 0.05, "starved"), (0.095, 0.05, "starved"), (0.095, 0.0, "computing")],
)
def test_work_shorter_than_the_limit_that_waited_for_its_turn_is_taken_for_no_call_that_blocks(
    clocks: FakeClocks, used: float, waited: float, kind: str
) -> None:
    """A request of 60 ms on a busy machine, at which there was one look: the thread stood where it was found before."""
    frame = compute()
    evidence = Evidence(0.0, clocks, clocks.read(), position_of(frame))
    evidence.add(None, frame, 0.1)
    clocks.thread = used - 0.02
    evidence.watch_waiting()
    clocks.waited, clocks.thread, clocks.program = waited, used, used
    assert _stall(evidence, 0.18).kind == kind


@pytest.mark.parametrize(("used", "told"), [(0.06, False), (0.01, True)])
def test_work_of_which_it_is_not_known_what_it_waited_for_is_not_blamed(
    clocks: FakeClocks, used: float, told: bool
) -> None:
    frame = compute()
    evidence = Evidence(0.0, clocks, clocks.read(), position_of(frame))
    evidence.add(None, frame, 0.175)
    clocks.thread = clocks.program = used
    evidence.watch_waiting()
    assert (evidence.stall(0.18, LIMIT) is not None) is told


def test_a_loop_without_end_is_blamed_although_the_system_hardly_ever_runs_it(clocks: FakeClocks) -> None:
    evidence = _evidence(clocks)
    evidence.add(None, hog(compute), 0.05)
    evidence.watch_waiting()
    evidence.add(None, hog(compute), 20.0)
    clocks.waited, clocks.thread, clocks.program = 29.0, 1.1, 1.1
    found = _stall(evidence, 30.0)
    assert (found.kind, found.processor_seconds) == ("computing", 1.1)
    assert found.where.endswith(" in compute")


def test_where_the_system_tells_no_processor_time_a_stall_is_taken_to_be_work(clocks: FakeClocks) -> None:
    clocks.known = False
    evidence = _evidence(clocks)
    evidence.add(None, hog(compute), 0.5)
    found = _stall(evidence, 1.0)
    assert (found.kind, found.processor_seconds) == ("computing", None)


def test_without_a_look_there_is_nobody_to_blame(clocks: FakeClocks) -> None:
    clocks.thread = clocks.program = 1.0
    assert _evidence(clocks).stall(1.0, LIMIT) is None


def test_evidence_keeps_a_bounded_number_of_stacks(clocks: FakeClocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall, "MOST_CHAINS", 2)
    evidence = _evidence(clocks)
    for number, work in enumerate([compute, send, read, compute]):
        evidence.add(None, hog(work), float(number))
    assert len(evidence._seen) == 2


def test_the_clocks_of_a_thread_tell_its_processor_time() -> None:
    clocks = ThreadClocks(threading.get_ident(), threading.get_native_id())
    before = clocks.read()
    sum(range(100_000))
    after = clocks.read()
    assert after.program >= after.thread > 0 or not clocks.tell_processor_time
    assert after.thread >= before.thread
    assert clocks.queued() >= 0.0
    assert ThreadClocks(threading.get_ident(), 0).queued() == 0.0


def test_a_chain_is_named_by_its_innermost_frame() -> None:
    chain = (StackFrame("app.py", 3, "main"), StackFrame("app.py", 7, "work"))
    assert text_of(chain) == "app.py:7 in work"
    assert text_of(()) == ""
