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

    def handle_cast(self, seconds: float) -> None:
        """Work."""
        _work(seconds)

    def handle_call(self, request: object, caller: object) -> bool:
        """Say that everything is done that came before."""
        return True


def _work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def _work_and_rest(parent: Pid) -> None:
    _work(0.02)
    send(parent, "done")
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
    lazy, busy = Busy.start(), Busy.start()
    for _ in range(5):
        cast(busy, 0.01)
        cast(lazy, 0.001)
    plain = spawn(_work_and_rest, self_())
    assert call(lazy, "done?", timeout=None)
    assert call(busy, "done?", timeout=None)
    receive("done")
    assert _measured(busy) >= 0.05
    assert 0.005 <= _measured(lazy) < _measured(busy)
    assert _measured(plain) >= 0.02
    meter.close()
    assert Worker.__dict__["process"] is slot
    before = _measured(busy)
    cast(busy, 0.01)
    assert call(busy, "done?", timeout=None)
    assert _measured(busy) == before
