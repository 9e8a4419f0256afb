"""max_heap_size: a process that outgrows its limit is ended, and measuring never holds the hub for long."""

import gc
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime import (
    Down,
    GenServer,
    alive,
    cast,
    exit,
    flag,
    monitor,
    receive,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_monitor,
)
from runtime.kernel.memory import LARGE, Measurement, measure
from runtime.kernel.node import running_node
from runtime.kernel.process import Process
from runtime.terms.text import render


def rounds(number: int = 1) -> None:
    """Wait until every process with a limit has been looked at so many times more."""
    node = running_node()
    assert node is not None
    wanted = node.heap_limits.rounds + number + 1
    while node.heap_limits.rounds < wanted:
        sleep(0.001)


def holding(size: int, limit: int) -> None:
    """Hold some memory, under a limit."""
    flag(max_heap_size=limit)
    pieces = [bytes(100) for _ in range(size // 133)]
    receive()
    del pieces


def record(pid: Any) -> Process:
    """The runtime's record of a living process."""
    process = pid.process
    assert isinstance(process, Process)
    return process


def test_a_process_that_outgrows_its_limit_is_killed_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    def main() -> Any:
        pid, _ = spawn_monitor(holding, 1_000_000, 500_000, name="leak")
        down = receive(Down)
        return pid == down.pid, down.reason

    assert run(main) == (True, "killed")
    (entry,) = caplog.records
    report = vars(entry)["report"]
    assert report.kind == "max_heap_size"
    assert report.fields["registered_name"] == "leak"
    assert report.fields["max_heap_size"] == 500_000
    assert report.fields["total_heap_size"] > 500_000
    assert "max_heap_size: 500000" in entry.getMessage()


def test_a_process_that_stays_below_its_limit_lives() -> None:
    def main() -> Any:
        pid, ref = spawn_monitor(holding, 500_000, 5_000_000)
        rounds(2)
        exit(pid, "told to")
        return receive(Down(ref, pid, object)).reason

    assert run(main) == "told to"


def test_neither_trapping_exits_nor_a_finally_saves_it() -> None:
    def trapping() -> None:
        flag(trap_exit=True)
        try:
            holding(1_000_000, 500_000)
        finally:
            sleep(1_000)

    def main() -> Any:
        spawn_monitor(trapping)
        return receive(Down).reason

    assert run(main) == "killed"


def test_messages_that_wait_count() -> None:
    def stuck() -> None:
        flag(max_heap_size=1_000_000)
        receive("never")

    def main() -> Any:
        pid, _ = spawn_monitor(stuck)
        rounds()
        for number in range(20_000):
            send(pid, f"{number}" * 20)
        return receive(Down).reason

    assert run(main) == "killed"


def test_the_state_of_a_server_counts_and_each_server_has_a_limit_of_its_own() -> None:
    class Keeper(GenServer):
        def init(self, limit: int) -> None:
            flag(max_heap_size=limit)
            self.kept: list[bytes] = []

        def handle_cast(self, message: bytes) -> None:
            self.kept.append(message)

    def main() -> Any:
        small, large = Keeper.start(100_000), Keeper.start(10_000_000)
        assert small is not None
        assert large is not None
        monitor(small)
        for pid in (small, large):
            cast(pid, bytes(500_000))
        reason = receive(Down).reason
        rounds(2)
        return reason, alive(large)

    assert run(main) == ("killed", True)


def test_the_limit_can_be_taken_away() -> None:
    def main() -> Any:
        spawn(holding, 1_000, 1_000_000)
        assert flag(max_heap_size=1_000) is None
        assert flag(max_heap_size=None) == 1_000
        assert flag(max_heap_size="infinity") is None
        assert flag(max_heap_size=None) is None
        kept = [bytes(1_000) for _ in range(1_000)]
        rounds(2)
        return len(kept)

    assert run(main) == 1_000


def test_a_busy_leak_is_killed_where_there_are_time_slices() -> None:
    def leak() -> None:
        flag(max_heap_size=3_000_000)
        kept: list[bytes] = []
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if len(kept) < 100_000:  # enough, also where a busy machine lets no time slice end for long
                kept.append(bytes(1_000))

    def main() -> Any:
        spawn_monitor(leak)
        return receive(Down).reason

    assert run(main, time_slice=0.002) == "killed"


def test_a_process_that_has_not_run_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Any] = []

    class Counted(Measurement):
        def __init__(self, process: Process, limit: int) -> None:
            measured.append(process.pid)
            super().__init__(process, limit)

    monkeypatch.setattr("runtime.kernel.heap_limits.Measurement", Counted)

    def main() -> tuple[int, int]:
        pid = spawn(holding, 1_000, 1_000_000)
        rounds(3)
        idle = len(measured)
        assert record(pid).memory is not None
        rounds(3)
        return idle, len(measured)

    assert run(main) == (1, 1)


class Own(list[Any]):
    """A list with an opinion on how it is iterated."""

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("the program's code was run")

    __len__ = __iter__  # type: ignore[assignment]


@pytest.mark.parametrize(
    "make",
    [
        lambda n: [f"{i}" for i in range(n)],
        lambda n: tuple(f"{i}" for i in range(n)),
        lambda n: {f"{i}": i for i in range(n)},
        lambda n: OrderedDict((f"{i}", i) for i in range(n)),
        lambda n: {f"{i}" for i in range(n)},
        lambda n: deque(f"{i}" for i in range(n)),
        lambda n: Own(f"{i}" for i in range(n)),
    ],
    ids=["list", "tuple", "dict", "OrderedDict", "set", "deque", "subclass"],
)
def test_no_step_looks_at_all_of_a_large_container(make: Callable[[int], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    referents = gc.get_referents
    most = 0

    def counting(*objects: Any) -> list[Any]:
        nonlocal most
        found = referents(*objects)
        most = max(most, len(found))
        return found

    def main() -> tuple[int, int, int]:
        def hold(size: int) -> None:
            held = make(size)
            receive()
            del held

        pids = [spawn(hold, size) for size in (20_000, 200_000)]
        sleep(0.01)
        with monkeypatch.context() as patch:
            patch.setattr("gc.get_referents", counting)
            small, large = (measure(record(pid)) for pid in pids)
            measurement, steps = Measurement(record(pids[1])), 1
            while measurement.advance():
                steps += 1
        return small, large, steps

    small, large, steps = run(main)
    assert most <= LARGE
    assert steps < 200
    assert 4 < large / small < 20  # the table of a set grows in leaps


def test_a_mailbox_of_a_million_messages_takes_no_more_steps_than_one_of_a_thousand_times_less() -> None:
    def main() -> list[int]:
        counts = []
        for number in (10_000, 1_000_000):
            pid = spawn(receive, "never")
            sleep(0)
            mailbox = deque([*range(number)])
            record(pid).mailbox = mailbox
            measurement, steps = Measurement(record(pid)), 1
            while measurement.advance():
                steps += 1
            counts.append(steps)
            assert measurement.total > number * 8
        return counts

    few, many = run(main)
    assert few == many


def test_what_is_measured_is_shown() -> None:
    def main() -> str:
        flag(max_heap_size=10_000_000)
        rounds(2)
        return render(record(self_()).memory)

    assert int(run(main)) > 1_000
