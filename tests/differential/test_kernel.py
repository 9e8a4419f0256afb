"""The compiled waiting, calls, servers and lives of processes: they act as their sources do, and nothing leaks."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
from types import FrameType
from typing import Any

import pytest

from runtime import Crash, Down, GenServer, Pid, call, cast, monitor, receive, run, self_, send, spawn_monitor
from runtime.kernel.process import Process, Worker, worker_slot
from runtime.otp.calls import CALL, CAST
from tests.differential.kernels import compiled
from tests.support.in_node import in_node

PART = "runtime.kernel._kernel"


class Struck(Exception):
    """What the handler of a signal raises."""


@in_node
def test_no_message_is_lost_when_the_handler_of_a_signal_raises_where_receive_returns() -> None:
    compiled(PART)
    count, strikes, is_armed = 30_000, 0, False

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal is_armed
        if is_armed:
            is_armed = False
            raise Struck

    for number in range(count):
        send(self_(), number)
    got: list[Any] = []

    def take_all() -> None:  # a loop of its own: from 3.13 on, the end of one in a ``try`` is not within it
        while len(got) < count:
            got.append(receive())

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        while len(got) < count:
            try:
                is_armed = True
                take_all()
                is_armed = False
            except Struck:
                strikes += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert got == [*range(count)]
    assert strikes


class Failing(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        raise ArithmeticError(request)

    def handle_cast(self, message: Any) -> None:
        raise ArithmeticError(message)


def failing() -> None:
    raise ArithmeticError("of a process")


def test_the_stack_of_a_crash_begins_in_the_program(caplog: pytest.LogCaptureFixture) -> None:
    compiled(PART)
    caplog.set_level(logging.CRITICAL)

    def main() -> list[Any]:
        server = Failing.start()
        assert isinstance(server, Pid)
        monitor(server)
        with pytest.raises(Exception, match="of a call"):
            call(server, "of a call")
        spawn_monitor(failing)
        return [receive(Down).reason for _ in range(2)]

    for reason in run(main):
        assert type(reason) is Crash
        assert [frame.file for frame in reason.stacktrace] == [__file__]


@in_node
def test_a_property_in_the_place_of_what_a_worker_runs_is_told_of_each_change() -> None:
    compiled(PART)
    seen: list[Any] = []

    def taken_up(worker: Worker, process: Any) -> None:
        seen.append(process)
        worker_slot.__set__(worker, process)

    Worker.process = property(worker_slot.__get__, taken_up)  # type: ignore[assignment]
    try:
        pid, _ = spawn_monitor(failing)
        receive(Down)
    finally:
        Worker.process = worker_slot
    taken = [process.pid for process in seen if process is not None]
    assert taken.count(pid) == 1
    assert seen[-1] is None
    spawn_monitor(failing)
    receive(Down)
    assert len(taken) == len([process for process in seen if process is not None])


@pytest.mark.parametrize("message", [(CAST,), (CAST, 1, 2), (CALL,), (CALL, 1), (CALL, 1, 2), (CALL, 1, 2, 3), ()])
@in_node
def test_a_message_that_only_looks_like_a_call_or_cast_does_what_it_does_to_the_sources(message: Any) -> None:
    part = compiled(PART)
    reasons = []
    for run_server in (part.run_server, part.sources["run_server"]):
        kind: Any = type("Told", (Failing,), {"_run_process": run_server, "handle_info": lambda self, message: None})
        server = kind.start()
        reference = monitor(server)
        send(server, message)
        send(server, (CAST, "the last"))
        reasons.append(receive(Down).reason)
        assert reference
    assert repr(reasons[0]) == repr(reasons[1])


@pytest.mark.parametrize("action", [send, cast, call])
@in_node
def test_a_process_whose_slots_the_collector_has_emptied_is_an_error_and_no_crash(action: Any) -> None:
    compiled(PART)
    with pytest.raises((TypeError, AttributeError)):
        action(
            Pid(10**9, Process.__new__(Process)), "late"
        )  # as from a finalizer that runs while garbage is taken apart


def test_operations_of_no_kind_leave_memory_or_references_behind() -> None:
    """In an interpreter of its own, where nothing that another test has left keeps what has ended."""
    compiled(PART)
    leak = _kinds_that_leak()
    while leak and (again := leak & _kinds_that_leak()) != leak:  # what is on its way at the end differs each time
        leak = again
    assert leak == set()


def _kinds_that_leak() -> set[str]:
    command = [sys.executable, "-m", "tests.differential.leaks", "400"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kinds = re.findall(r"(\w+): (-?\d+) blocks, (\d+) references", found)
    assert len(kinds) == 16
    return {name for name, blocks, references in kinds if int(blocks) > 200 or int(references) > 100}
