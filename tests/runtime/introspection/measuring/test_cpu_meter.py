from __future__ import annotations

import time

import gevent

from runtime import GenServer, call, cast, receive, self_, send, spawn
from runtime.introspection.measuring.cpu_meter import CpuMeter
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid, Worker
from tests.support.in_node import in_node


class Busy(GenServer):
    """Works for as long as it is told."""

    def init(self) -> None:
        """Begin without work."""
        self.worked = 0.0

    def handle_cast(self, seconds: float) -> None:
        """Work."""
        self.worked += _work(seconds)

    def handle_call(self, request: object, caller: object) -> float:
        """Return for how long it has worked, once everything is done that came before."""
        return self.worked


def _work(seconds: float) -> float:
    """Work for a time at least, and return for how long it was: a busy machine makes it longer."""
    began = time.perf_counter()
    while (worked := time.perf_counter() - began) < seconds:
        pass
    return worked


def _work_and_rest(parent: Pid) -> None:
    send(parent, ("worked", _work(0.02)))
    receive()


def _measured(pid: Pid | None) -> float:
    assert pid is not None
    assert pid.process is not None
    return pid.process.cpu_time


@in_node
def test_time_is_charged_to_those_who_ran_also_on_one_worker() -> None:
    slot = Worker.__dict__["process"]
    meter = CpuMeter(this_node())
    meter.keep_going()
    while not meter.is_on:
        gevent.sleep(0)  # the hub takes up what is wanted from other threads
    began = time.perf_counter()
    lazy, busy = Busy.start(), Busy.start()
    for _ in range(5):
        cast(busy, 0.01)
        cast(lazy, 0.001)
    plain = spawn(_work_and_rest, self_())
    worked = [call(lazy, "worked?", timeout=None), call(busy, "worked?", timeout=None), receive(("worked", float))[1]]
    measured = [_measured(pid) for pid in (lazy, busy, plain)]
    took = time.perf_counter() - began
    assert all(at_least <= seconds for at_least, seconds in zip(worked, measured, strict=True))
    assert sum(measured) <= took
    meter.close()
    assert Worker.__dict__["process"] is slot
    before = _measured(busy)
    cast(busy, 0.01)
    assert call(busy, "worked?", timeout=None)
    assert _measured(busy) == before
