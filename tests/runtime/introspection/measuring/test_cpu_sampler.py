from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from types import FrameType

import gevent
import pytest

from runtime import receive, self_, send, spawn
from runtime.introspection.measuring.cpu_sampler import SIGNAL, CpuSampler
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from runtime.preemption.hub_stack import HANDLERS, hub_frame
from tests.support.in_node import in_node


@pytest.fixture(autouse=True)
def handler_as_before() -> Iterator[None]:
    before = signal.getsignal(SIGNAL)
    yield
    signal.signal(SIGNAL, signal.SIG_IGN)  # a last signal may be on its way
    signal.signal(SIGNAL, before)


def _work(parent: Pid, seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    send(parent, "done")
    receive()


def _measured(pid: Pid) -> float:
    assert pid.process is not None
    return pid.process.cpu_time


def _sampling() -> CpuSampler:
    sampler = CpuSampler(this_node())
    sampler.keep_going()
    gevent.sleep(0)  # the hub takes up what is wanted from other threads
    while not sampler.is_on:
        gevent.sleep(0)
    return sampler


@in_node
def test_processor_time_is_charged_to_those_who_used_it() -> None:
    sampler = _sampling()
    idle, busy, busier = (spawn(_work, self_(), seconds) for seconds in (0.0, 0.2, 0.6))
    for _ in range(3):
        receive("done")
    assert 0.1 < _measured(busy) < 0.3
    assert 0.5 < _measured(busier) < 0.7
    assert _measured(idle) < 0.1
    sampler.close()
    before = _measured(busy)
    spawn(_work, self_(), 0.05)
    receive("done")
    assert _measured(busy) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@in_node
def test_a_program_that_uses_the_signal_itself_keeps_it() -> None:
    def own(number: int, frame: object) -> None:
        pass

    signal.signal(SIGNAL, own)
    sampler = CpuSampler(this_node())
    sampler.keep_going()
    gevent.sleep(0.01)
    assert not sampler.is_on
    sampler.close()
    assert signal.getsignal(SIGNAL) is own


@in_node
def test_a_sampler_takes_over_from_one_that_is_closed() -> None:
    _sampling().close()
    sampler = _sampling()
    assert sampler.is_on
    sampler.close()


@in_node
def test_a_program_that_takes_the_signal_later_has_it_to_itself() -> None:
    sampler = _sampling()
    signal.signal(SIGNAL, signal.SIG_IGN)
    sampler._look()
    assert not sampler.is_on
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    sampler.close()


@in_node
def test_the_handler_is_no_part_of_the_stack_it_interrupts() -> None:
    seen: list[FrameType | None] = []

    class Looking(CpuSampler):
        def _tick(self, number: int, frame: FrameType | None) -> None:
            seen.append(hub_frame(self.node))

    HANDLERS.add(Looking._tick.__code__)
    looking = Looking(this_node())
    looking._tick(SIGNAL, None)
    looking.close()
    HANDLERS.discard(Looking._tick.__code__)
    assert CpuSampler._tick.__code__ in HANDLERS
    assert [frame.f_code.co_name for frame in seen if frame is not None] == [
        "test_the_handler_is_no_part_of_the_stack_it_interrupts"
    ]
