"""What is interrupted: the program's own code, also where the runtime calls it, and never a step that is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import pytest

from runtime import (
    ANY,
    Down,
    Exit,
    GenServer,
    Registry,
    alive,
    call,
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
    whereis,
)
from runtime.kernel.node import current, running_node
from runtime.kernel.process import DEAD, Process
from runtime.preemption.interruption import SIGNAL, Interruption


def spin(*_: object) -> NoReturn:
    while True:
        sum(range(100))


class LoopingEq:
    """Compared, it never answers."""

    def __eq__(self, other: object) -> bool:
        spin()

    __hash__ = None  # type: ignore[assignment]


class LoopingHash:
    """Looked up, it never answers."""

    def __hash__(self) -> int:
        spin()


class LoopingCopy:
    """Copied, it never ends."""

    def __deepcopy__(self, memo: object) -> object:
        spin()


class LoopingReduce:
    """Taken apart, it never ends."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        spin()


class Stubborn:
    """Described, it goes on for ever, and swallows what would end it."""

    def __repr__(self) -> str:
        while True:
            with suppress(BaseException):
                spin()

    def __str__(self) -> str:
        return repr(self)


class Looping(GenServer):
    """Loops when it is asked to."""

    def handle_call(self, request: object, caller: object) -> None:
        spin()


def in_eq() -> None:
    send(self_(), LoopingEq())
    receive("wanted")


def in_a_predicate() -> None:
    send(self_(), 1)
    receive(spin)


def in_an_exit_reason() -> None:
    exit(LoopingCopy())


def in_a_via_name() -> None:
    Registry.start_link(name="registry")
    whereis(("via", "registry", LoopingHash()))
    send(("via", "registry", LoopingHash()), "x")


def in_a_report() -> None:
    raise ValueError(Stubborn())


def in_a_key_of_a_reason() -> None:
    class Key:
        __lt__ = spin

    exit(("failed", {Key(): 1, Key(): 2}))


PLACES: list[Callable[[], object]] = [
    spin,
    in_eq,
    in_a_predicate,
    in_an_exit_reason,
    lambda: send(self_(), LoopingCopy()),
    lambda: send(self_(), LoopingReduce()),
    lambda: send(self_(), [{"key": LoopingCopy()}]),
    lambda: call(spawn(receive), LoopingCopy()),
    in_a_via_name,
    in_a_report,
]
NAMES = ["loop", "eq", "predicate", "reason", "copy", "reduce", "nested copy", "call", "via", "report"]


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_code_of_the_program_that_loops_is_sliced_and_can_be_killed(place: Callable[[], object]) -> None:
    def main() -> object:
        pid = spawn(place)
        for _ in range(5):
            sleep(0.001)
        assert alive(pid)
        monitor(pid)
        exit(pid, "kill")
        return receive(Down, timeout=60).reason

    assert run(main, time_slice=0.002) == "killed"


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_without_time_slices_it_is_killed_by_who_finds_that_it_holds_the_hub(place: Callable[[], object]) -> None:
    def main() -> object:
        node = running_node()
        assert node is not None
        interruption = Interruption.of(node)
        pid = spawn(place)
        process = pid.process
        assert process is not None
        monitor(pid)
        told: list[tuple[Process, object]] = []
        interruption.request(process, "kill", lambda *what: told.append(what))
        timer = threading.Thread(target=nudge, args=(interruption, process))
        timer.start()
        try:
            return receive(Down, timeout=60).reason, told == [(process, "kill")]
        finally:
            timer.join()
            interruption.close()

    assert run(main) == ("killed", True)


def nudge(interruption: Interruption, process: Process) -> None:
    """Ask again until it has ended, as the watchdog does."""
    pause = threading.Event()
    while process.state is not DEAD:
        interruption.nudge()
        pause.wait(0.005)


def test_a_process_that_traps_exits_is_interrupted_once_and_has_the_signal_as_a_message() -> None:
    def main() -> object:
        node = running_node()
        assert node is not None
        interruption = Interruption.of(node)

        def traps() -> None:
            flag(trap_exit=True)
            while current().message_queue_len == 0:  # type: ignore[union-attr]
                pass
            exit(receive(Exit).reason)

        pid = spawn(traps)
        process = pid.process
        assert process is not None
        monitor(pid)
        interruption.request(process, "stop")
        timer = threading.Thread(target=nudge, args=(interruption, process))
        timer.start()
        try:
            return receive(Down, timeout=60).reason
        finally:
            timer.join()
            interruption.close()

    assert run(main) == "stop"


def test_whoever_holds_the_hub_is_ended_and_no_other() -> None:
    def main() -> tuple[object, bool]:
        node = running_node()
        assert node is not None
        interruption = Interruption.of(node)
        innocent = spawn(receive)
        holder = spawn(spin)
        monitor(holder)

        def press() -> None:
            pause = threading.Event()
            while alive(holder):
                interruption.end_whoever_runs(interruption.hold)
                pause.wait(0.05)

        thread = threading.Thread(target=press)
        thread.start()
        try:
            reason = receive(Down, timeout=60).reason
            thread.join()
            signal.raise_signal(SIGNAL)  # one that was under way: it ends nobody else
            signal.raise_signal(SIGNAL)
            return reason, alive(innocent)
        finally:
            thread.join()
            interruption.close()

    assert run(main) == ("killed", True)


@pytest.mark.parametrize("by_force", [False, True])
def test_a_late_request_to_end_whoever_holds_the_hub_ends_nobody_else(by_force: bool) -> None:
    def main() -> tuple[object, object]:
        node = running_node()
        assert node is not None
        interruption = Interruption.of(node)
        try:
            seen = interruption.hold
            _, of_holder = spawn_monitor(spin)
            press = threading.Timer(0.05, interruption.end_whoever_runs, (seen, by_force))
            press.start()
            first = receive(Down(of_holder, ANY, ANY), timeout=60).reason
            press.join()

            def work() -> None:
                interruption.end_whoever_runs(
                    seen, by_force
                )  # as a thread may that was late to see the end of the other
                sum(range(100))

            _, of_worker = spawn_monitor(work)
            second = receive(Down(of_worker, ANY, ANY), timeout=60).reason
            return first, second
        finally:
            interruption.close()

    assert run(main) == ("killed", "normal")


def test_the_signal_is_given_back_by_the_last_of_its_users() -> None:
    before = signal.getsignal(SIGNAL)

    def main() -> None:
        node = running_node()
        assert node is not None
        ours = signal.getsignal(SIGNAL)
        assert ours != before
        first = Interruption.of(node)
        assert Interruption.of(node) is first
        first.close()
        first.close()
        assert signal.getsignal(SIGNAL) == ours

    run(main)
    assert signal.getsignal(SIGNAL) == before
