"""The scheduler: a pool of workers that starts, carries over and holds up nothing."""

import sys
import threading
from typing import Any

import gevent
import pytest
from gevent import socket

from runtime import (
    Down,
    exit,
    monitor,
    processes,
    receive,
    resume,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_monitor,
    suspend,
)
from runtime.kernel import scheduler, signals, threads
from runtime.kernel.node import current, this_node
from runtime.kernel.process import RECEIVING, Pid, Process, Worker
from runtime.kernel.scheduler import TURN


def test_thousands_of_waiting_processes_start_in_one_go_without_deepening_any_stack() -> None:
    def main() -> int:
        for _ in range(2_000):
            spawn(receive)
        sleep(0)
        sleep(0.01)
        return len(processes())

    assert run(main) == 2_001


def test_what_ended_a_process_is_not_the_end_of_the_next_one_on_its_stack() -> None:
    def reason_of(function: Any, *args: Any) -> Any:
        spawn_monitor(function, *args)
        return receive(Down).reason

    def main() -> list[Any]:
        return [
            reason_of(*each) for each in ((exit, "boom"), (int,), (exit, None), (int, 1), (exit, "kill"), (max, 1, 2))
        ]

    assert run(main) == ["boom", "normal", None, "normal", "kill", "normal"]


def test_a_process_begins_with_the_whole_depth_of_recursion_whoever_made_room_for_it() -> None:
    def depth() -> int:
        frame, count = sys._getframe(), 0
        while frame.f_back is not None:
            frame, count = frame.f_back, count + 1
        return count

    def dive(levels: int) -> int:
        return levels if levels == 0 else 1 + dive(levels - 1)

    def diver(parent: Pid) -> None:
        send(parent, dive(sys.getrecursionlimit() - depth() - 60))
        receive()

    def main() -> list[int]:
        here = self_()
        for _ in range(50):
            spawn(diver, here)
        return [receive(timeout=60) for _ in range(50)]

    assert len(set(run(main))) <= 2


def test_data_for_a_suspended_process_does_not_keep_the_hub_busy() -> None:
    calls: list[str] = []
    stop_watching = Worker._stop_watching

    def counted(worker: Worker) -> None:
        calls.append("switched")
        stop_watching(worker)

    def main() -> object:
        one, other = socket.socketpair()
        here = self_()
        pid = spawn(lambda: send(here, one.recv(10)))
        sleep(0.01)
        suspend(pid)
        other.send(b"data")
        for _ in range(20):
            sleep(0.001)
        held = len(calls)
        resume(pid)
        received = receive(timeout=60)
        one.close()
        other.close()
        return held, received

    Worker._stop_watching = counted  # type: ignore[assignment,method-assign]
    try:
        assert run(main) == (1, b"data")
    finally:
        Worker._stop_watching = stop_watching  # type: ignore[method-assign]


def test_other_threads_have_their_turns_while_processes_are_busy() -> None:
    turns: list[None] = []
    over = threading.Event()

    def count_turns() -> None:
        while not over.is_set():
            threads.sleep(0.001)
            turns.append(None)

    def echo() -> None:
        while True:
            send(receive(), "pong")

    def main() -> int:
        other, me = spawn(echo), self_()
        thread = threads.start_thread(count_turns, ())
        assert thread
        for rounds in range(1_000_000):
            send(other, me)
            receive()
            if len(turns) >= 20:
                return rounds
        return 1_000_000

    try:
        assert run(main) < 1_000_000
    finally:
        over.set()


def test_the_turns_of_threads_are_as_long_as_before_when_the_node_is_down() -> None:
    before = sys.getswitchinterval()
    assert run(sys.getswitchinterval) == pytest.approx(min(TURN, before))
    assert sys.getswitchinterval() == before
    sys.setswitchinterval(0.0002)
    try:
        assert run(sys.getswitchinterval) == pytest.approx(0.0002)
        assert run(sys.setswitchinterval, 0.0003) is None
        assert sys.getswitchinterval() == pytest.approx(0.0003)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("is_left", [False, True])
@pytest.mark.parametrize("times", [1, 2])
def test_a_process_is_dead_although_exceptions_have_struck_where_it_was_to_be_ended(
    times: int, is_left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        initial_call = "failing"

        def _run_process(self, process: Process, worker: Worker) -> None:
            if is_left:  # it had begun to end
                worker.process = process.worker = None
            raise ArithmeticError

    class Struck(BaseException):
        pass

    strikes = [Struck] * times

    def finish(process: Process, reason: object) -> None:
        if strikes:
            raise strikes.pop()
        signals.finish(process, reason)

    def main() -> object:
        node, caller = this_node(), current()
        monkeypatch.setattr(scheduler, "finish", finish)
        monkeypatch.setattr(node.hub, "print_exception", lambda *error: None)
        failing: Any = Failing()
        monitor(node.spawn(caller, failing).pid)
        return receive(Down, timeout=60).reason

    assert run(main) == "killed"


def test_a_process_goes_on_although_the_switch_to_its_stack_has_failed_where_another_one_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def main() -> object:
        here = self_()
        waiting = spawn(lambda: send(here, receive()))
        process: Any = waiting.process
        while process.state is not RECEIVING:
            sleep(0)
        worker, process.worker = process.worker, object()

        def put_back(*error: object) -> None:
            process.worker = worker

        monkeypatch.setattr(this_node().hub, "print_exception", put_back)

        def ending() -> None:
            gevent.sleep(0.001)  # then a watcher of the hub goes on with it, and not the scheduler
            send(waiting, "not lost")

        spawn(ending)
        return receive(timeout=60)

    assert run(main) == "not lost"
