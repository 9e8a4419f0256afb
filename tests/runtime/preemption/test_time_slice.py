"""Time slices: the hub is shared whatever processes do, and nothing that must be whole is ever cut."""

import pytest

import runtime
from runtime import (
    GenServer,
    Supervisor,
    call,
    cast,
    exit,
    monitor,
    processes,
    receive,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
)
from runtime.kernel.node import running_node
from runtime.preemption.time_slice import TimeSlices


def spin() -> None:
    while True:
        pass


class Adder(GenServer):
    def init(self) -> None:
        self.total = 0

    def handle_call(self, request: object, caller: object) -> int:
        return self.total

    def handle_cast(self, message: int) -> None:
        self.total += message


def test_busy_loops_do_not_keep_others_from_running() -> None:
    def main() -> int:
        for _ in range(3):
            spawn(spin)
        ticks = 0
        for _ in range(20):
            sleep(0.005)
            ticks += 1
        return ticks

    assert run(main, time_slice=0.002) == 20


def test_a_busy_loop_can_be_killed() -> None:
    def main() -> object:
        pid, _ = spawn_monitor(spin)
        sleep(0.01)
        exit(pid, "kill")
        return receive(timeout=60).reason

    assert run(main, time_slice=0.002) == "killed"


def test_a_slice_too_short_or_no_number_is_refused() -> None:
    for wrong in (0.00001, -1, float("nan"), float("inf"), 1e300, 10**400):
        with pytest.raises(ValueError, match=r"from 0\.0002 s to 3600 s"):
            run(lambda: None, time_slice=wrong)
    with pytest.raises(TypeError, match="number of seconds"):
        run(lambda: None, time_slice="fast")  # type: ignore[arg-type]


def hammer(rounds: int) -> tuple[int, int, int]:
    """Do everything the runtime does, over and over; give messages counted, processes left, and calls answered."""
    here = self_()
    before = len(processes())

    def producer(count: int) -> None:
        for number in range(count):
            send(here, ("item", number))

    def worker() -> None:
        while receive() != "stop":
            sum(range(50))

    supervisor = Supervisor.start_link([(Adder,)], max_restarts=1_000_000)
    adder = Adder.start_link()
    assert supervisor is not None
    assert adder is not None
    answered = 0
    for _ in range(rounds):
        producers = [spawn_monitor(producer, 20) for _ in range(5)]
        doomed = [spawn_link(worker) for _ in range(3)]
        for pid in doomed:
            monitor(pid)
            runtime.unlink(pid)
            send(pid, "work")
            exit(pid, "kill")
        cast(adder, 1)
        answered += call(adder, "total") > 0
        child = runtime.which_children(supervisor)[0].pid
        monitor(child)
        exit(child, "kill")
        for _ in range(len(producers) + len(doomed) + 1):
            receive(runtime.Down, timeout=30)
    counted = len([message for message in runtime.flush() if message[0] == "item"])
    runtime.unlink(supervisor)
    runtime.stop(supervisor, "shutdown")
    runtime.unlink(adder)
    runtime.stop(adder)
    return counted, len(processes()) - before, answered


def test_thousands_of_slices_lose_no_message_and_no_process() -> None:
    taken = []

    def main() -> tuple[int, int, int]:
        node = running_node()
        assert node is not None
        with TimeSlices(node, 0.0002) as slices:
            spinner = spawn(spin)
            result = hammer(40)
            while slices.taken < 1_000:
                sleep(0.001)
            exit(spinner, "kill")
        taken.append(slices.taken)
        return result

    counted, left, answered = run(main)
    assert (counted, left, answered) == (40 * 5 * 20, 0, 40)
    assert taken[0] >= 1_000
