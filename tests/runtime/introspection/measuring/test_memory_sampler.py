"""What processes hold is estimated a little at a time: first what is on the screen."""

from __future__ import annotations

import time

import pytest

from runtime import exit, receive, sleep, spawn
from runtime.introspection.measuring import memory_sampler
from runtime.introspection.measuring.memory_sampler import BUSY, FRESH, LARGE, MemorySampler
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid, Process
from tests.support.in_node import in_node


def _process(pid: Pid) -> Process:
    process = pid.process
    assert process is not None
    return process


def _hold(size: int) -> None:
    held = [[number] for number in range(size)]
    receive()
    del held


@in_node
def test_every_process_is_measured_in_turn_and_then_there_is_nothing_to_do() -> None:
    small, large = spawn(_hold, 1), spawn(_hold, 10_000)
    sleep(0)
    sampler = MemorySampler(this_node())
    steps = 0
    while sampler.step() or steps == 0:
        steps += 1
    while sampler.step():
        steps += 1
    estimates = [_process(pid).memory or 0 for pid in (small, large)]
    assert 0 < estimates[0] < estimates[1]
    assert estimates[1] > 80_000
    assert not sampler.step()
    sampler.close()


@in_node
def test_what_is_on_the_screen_comes_first() -> None:
    pids = [spawn(_hold, 1) for _ in range(5)]
    sleep(0)
    sampler = MemorySampler(this_node())
    sampler._shown = ["nonsense", "<0.999.0>", str(pids[3])]
    while _process(pids[3]).memory is None:
        assert sampler.step()
    assert [_process(pid).memory is None for pid in pids] == [True, True, True, False, True]
    sampler.close()


@in_node
def test_a_large_process_gives_way_to_what_comes_to_the_screen_and_is_finished() -> None:
    large, *small = [spawn(_hold, size) for size in (10_000, 1, 1)]
    sleep(0)
    sampler = MemorySampler(this_node())
    shown = [str(pid) for pid in (large, *small)]
    sampler.show(shown)
    for _ in range(LARGE + len(small)):
        assert sampler.step()
    assert [_process(pid).memory is None for pid in (large, *small)] == [True, False, False]
    assert [each.total for each in sampler._unfinished] == [0]  # it begins anew, and holds nothing of the process's yet
    looks = 0
    while _process(large).memory is None:
        sampler.show(shown)
        assert sampler.step()
        looks += 1
        assert looks < 100_000  # it goes on where it was each time, or it would never end
    assert not sampler._unfinished
    sampler.close()


@in_node
def test_large_processes_on_the_screen_are_finished_one_after_the_other() -> None:
    large = [spawn(_hold, 10_000) for _ in range(3)]
    sleep(0)
    sampler = MemorySampler(this_node())
    shown = [str(pid) for pid in large]
    steps = 0
    took: list[int] = []
    while len(took) < len(large):
        sampler.show(shown)
        assert sampler.step()
        steps += 1
        assert steps < 100_000
        if sum(_process(pid).memory is not None for pid in large) > len(took):
            took.append(steps)
            steps = 0
    assert min(took) > 10 * LARGE
    sampler.close()


@in_node
def test_a_process_that_is_looked_at_comes_beside_the_others_on_the_screen() -> None:
    row, selected, other = [spawn(_hold, 1) for _ in range(3)]
    sleep(0)
    sampler = MemorySampler(this_node())
    sampler.show([str(row)])
    for _ in range(2):
        sampler.show_also(str(selected))
    assert sampler._shown == [str(selected), str(row)]
    for _ in range(2):
        assert sampler.step()
    assert [_process(pid).memory is None for pid in (row, selected, other)] == [False, False, True]
    sampler.close()


@in_node
def test_the_oldest_estimates_on_the_screen_are_renewed_first() -> None:
    first, second, never = [spawn(_hold, 1) for _ in range(3)]
    sleep(0)
    for pid, age in ((first, 5.0), (second, 9.0)):
        _process(pid).memory, _process(pid).memory_at = 7, time.monotonic() - age
    sampler = MemorySampler(this_node())
    sampler.show([str(pid) for pid in (first, second, never)])
    order = []
    for _ in range(100):
        sampler.step()
        order += [pid for pid in (first, second, never) if _process(pid).memory not in (7, None) and pid not in order]
    assert order == [never, second, first]
    sampler.close()


@in_node
def test_a_process_that_dies_meanwhile_is_left_out() -> None:
    pid = spawn(_hold, 10_000)
    sleep(0)
    process = _process(pid)
    sampler = MemorySampler(this_node())
    sampler._shown = [str(pid)]
    assert sampler.step()
    exit(pid, "kill")
    assert sampler.step()
    assert sampler._current is None
    assert process.memory is None
    sampler.close()


@in_node
def test_a_fresh_estimate_is_not_made_again() -> None:
    pid = spawn(_hold, 1)
    sleep(0)
    process = _process(pid)
    process.memory, process.memory_at = 7, time.monotonic()
    sampler = MemorySampler(this_node())
    sampler._shown = [str(pid)]
    for _ in range(100):
        sampler.step()
    assert process.memory == 7
    process.memory_at -= FRESH
    sampler._shown = [str(pid)]
    for _ in range(100):
        sampler.step()
    assert process.memory > 7
    sampler.close()


class Clocks:
    """Stands for `time`: what has passed, and what the thread has worked, in seconds."""

    def __init__(self) -> None:
        self.passed = self.worked = 0.0

    def perf_counter(self) -> float:
        return self.passed

    def thread_time(self) -> float:
        return self.worked


@in_node
def test_it_pauses_longer_while_the_program_needs_the_thread() -> None:
    node, clocks = this_node(), Clocks()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory_sampler, "time", clocks)
        sampler = MemorySampler(node, share=0.01)
        clocks.passed, clocks.worked = 1.0, 0.5  # of which the slice took a tenth of a second
        assert sampler.pause(0.1, more=True) == 0.1 / 0.01
        assert sampler.pause(0.1, more=False) == FRESH
        clocks.passed, clocks.worked = 2.0, 1.1  # half a second of work in the nine tenths that the slice left
        assert sampler.pause(0.1, more=True) == 0.1 / (0.01 * BUSY)
        clocks.passed = 3.0
        assert sampler.pause(0.1, more=True) == 0.1 / 0.01
        spawn(receive)
        assert node.scheduler.ready
        assert sampler.pause(0.1, more=True) == 0.1 / (0.01 * BUSY)
        sampler.close()
