"""The orderly stop of a node: who is told, in which order, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime import (
    NOREPLY,
    ChildSpec,
    DynamicSupervisor,
    Exit,
    GenServer,
    Supervisor,
    call,
    flag,
    now,
    receive,
    run,
    self_,
    sleep,
    spawn,
    start_child,
)
from runtime.boot.stopping import GRACE, ProgramStop
from runtime.kernel.clock import MockClock, use_clock
from runtime.kernel.node import this_node
from runtime.preemption.interruption import Interruption


class Recorder(GenServer):
    """Says when it stops."""

    def init(self, name: str, stopped: list[str]) -> None:
        flag(trap_exit=True)
        self.name = name
        self.stopped = stopped

    def terminate(self, reason: object) -> None:
        self.stopped.append(self.name if reason == "shutdown" else f"{self.name} {reason}")


def member(name: str, stopped: list[str]) -> ChildSpec:
    return ChildSpec(id=name, start=(lambda: Recorder.start_link(name, stopped),))


def test_trees_that_are_linked_to_the_first_process_stop_each_in_reverse_start_order() -> None:
    stopped: list[str] = []

    def main() -> None:
        for tree in "123":
            Supervisor.start_link([member(f"{tree}{name}", stopped) for name in "abc"])

    run(main)
    assert sorted(stopped) == sorted(f"{tree}{name}" for tree in "123" for name in "abc")
    assert all([name for name in stopped if name[0] == tree] == [f"{tree}{name}" for name in "cba"] for tree in "123")


def test_trees_without_a_link_to_the_first_process_are_stopped_newest_first_too() -> None:
    stopped: list[str] = []

    def main() -> None:
        for tree in "123":
            Supervisor.start([member(f"{tree}{name}", stopped) for name in "ab"])

    run(main)
    assert stopped == ["3b", "3a", "2b", "2a", "1b", "1a"]


def test_the_newest_of_many_trees_is_stopped_before_what_it_was_built_upon() -> None:
    stopped: list[str] = []

    def main() -> None:
        top = DynamicSupervisor.start()
        start_child(top, member("dynamic", stopped))
        Supervisor.start([member("built upon it", stopped)])

    run(main)
    assert stopped == ["built upon it", "dynamic"]


def test_what_no_supervisor_stops_is_told_to_and_killed_when_it_does_not() -> None:
    told: list[object] = []

    def deaf() -> None:
        flag(trap_exit=True)
        while True:
            told.append(receive())

    def main() -> None:
        spawn(deaf)
        sleep(0.01)

    with use_clock(MockClock()):
        run(main)
    assert [type(message) for message in told] == [Exit]


@pytest.mark.parametrize("start", [Supervisor.start_link, Supervisor.start])
def test_a_supervisor_that_starts_a_child_for_ever_does_not_keep_the_program_from_ending(
    start: Callable[..., object],
) -> None:
    stopped: list[str] = []

    class Late(GenServer):
        def init(self) -> None:
            receive()

    def main() -> None:
        def build() -> None:
            specs = [member("inner", stopped), Late]
            inner = ChildSpec(id="inner", type="supervisor", start=(Supervisor.start_link, specs))
            start([member("first", stopped), member("second", stopped), inner])

        spawn(build)
        sleep(0.01)

    with use_clock(MockClock()):
        run(main)
    assert stopped == ["inner", "second", "first"]


def test_a_supervisor_that_waits_for_a_server_of_another_is_ended_and_the_server_is_not_blamed() -> None:
    stopped: list[str] = []

    class Busy(Recorder):
        def handle_call(self, request: object, caller: object) -> object:
            return NOREPLY

    def main() -> None:
        def ask() -> None:
            call("busy", "for ever", timeout=None)

        busy = ChildSpec(id="busy", start=(lambda: Busy.start_link("busy", stopped, name="busy"),))
        Supervisor.start([busy])
        spawn(lambda: Supervisor.start([member("first", stopped), ChildSpec(id="asks", start=(ask,))]))
        sleep(0.01)

    with use_clock(MockClock()):
        run(main)
    assert stopped[-1] == "busy"


@pytest.mark.parametrize("start", [Supervisor.start, Supervisor.start_monitor])
def test_a_tree_has_all_the_time_that_its_children_may_take(start: Callable[..., object]) -> None:
    stopped: list[str] = []

    class Slow(Recorder):
        def terminate(self, reason: object) -> None:
            sleep(15)
            super().terminate(reason)

    def main() -> None:
        def slow(name: str) -> ChildSpec:
            return ChildSpec(id=name, start=(lambda: Slow.start_link(name, stopped),), shutdown=20.0)

        inner = ChildSpec(id="inner", type="supervisor", start=(Supervisor.start_link, [slow("a"), slow("b")]))
        spawn(lambda: (start([inner]), receive()))  # it lives, and is not linked with the tree
        sleep(1)
        dynamic = DynamicSupervisor.start()
        start_child(dynamic, slow("c"))

    with use_clock(MockClock()):
        run(main)
    assert stopped == ["c", "b", "a"]


def test_what_no_supervisor_stops_is_told_newest_first() -> None:
    told: list[int] = []

    def waits(number: int) -> None:
        flag(trap_exit=True)
        receive(Exit)
        told.append(number)

    def main() -> None:
        for number in range(3):
            spawn(waits, number)
        sleep(0.01)

    run(main)
    assert told == [2, 1, 0]


def test_a_start_function_that_never_returns_does_not_keep_the_program_from_ending() -> None:
    def main() -> None:
        spawn(lambda: Supervisor.start_link([ChildSpec(id="late", start=(receive,))]))
        sleep(0.01)

    with use_clock(MockClock()):
        assert run(main) is None


# -- A stop that is asked for ------------------------------------------------------------------------------------------


def test_the_first_process_is_told_once_and_the_first_reason_counts() -> None:
    told: list[object] = []

    def main() -> bool:
        flag(trap_exit=True)
        node, process = this_node(), self_().process
        assert process is not None
        stop = ProgramStop(node, process, Interruption.of(node))
        before = stop.is_requested
        stop.request(("shutdown", "first"))
        stop.request("second")
        told.append(receive(Exit).reason)
        told.append(receive(Exit, timeout=0.05, default="no more"))
        stop.close()
        return not before and stop.is_requested and stop.reason == ("shutdown", "first")

    assert run(main)
    assert told == [("shutdown", "first"), "no more"]


def test_a_deaf_process_has_the_grace_and_no_more() -> None:
    def deaf() -> None:
        flag(trap_exit=True)
        while True:
            receive()

    def main() -> float:
        spawn(deaf)
        sleep(0.01)
        return now()

    with use_clock(MockClock()):
        begun = run(main)
        assert now() - begun == GRACE


def test_a_stop_is_heard_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(function: Callable[..., None], arguments: tuple[object, ...]) -> int:
        raise RuntimeError("can't start new thread")

    def main() -> object:
        flag(trap_exit=True)
        process, interruption = self_().process, Interruption.of(this_node())
        assert process is not None
        stop = ProgramStop(this_node(), process, interruption)
        try:
            stop.request("shutdown")
            return receive(Exit, timeout=60).reason
        finally:
            stop.close()
            interruption.close()

    monkeypatch.setattr("runtime.boot.stopping.start_thread", refuse)
    assert run(main) == "shutdown"
