"""An exception of any kind ends the process that raised it, and no other."""

from contextlib import suppress
from typing import Any

import pytest
from greenlet import GreenletExit

from runtime import (
    ANY,
    ChildSpec,
    Crash,
    Down,
    GenServer,
    Supervisor,
    alive,
    call,
    cast,
    flag,
    monitor,
    receive,
    register,
    self_,
    send,
    sleep,
    spawn,
    stop,
)
from tests.support.contained import Faulty, Unspeakable, end_of, raises, script
from tests.support.in_node import in_node


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("wrong"), "ValueError"),
        (SystemExit(3), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GreenletExit(), "greenlet.GreenletExit"),
        (GeneratorExit(), "GeneratorExit"),
        (StopIteration(), "StopIteration"),
        (BaseExceptionGroup("several", [SystemExit(1)]), "BaseExceptionGroup"),
        (Unspeakable(), "tests.support.contained.Unspeakable"),
    ],
)
def test_an_exception_of_any_kind_ends_its_process_alone(error: BaseException, name: str) -> None:
    @in_node
    def test() -> None:
        other = spawn(receive)
        reason = end_of(raises, error)
        assert isinstance(reason, Crash)
        assert reason.exception == name
        assert alive(other)

    test()


@in_node
def test_endless_recursion_ends_its_process_alone() -> None:
    def deeper(level: int) -> int:
        return deeper(level + 1) + 1

    reason = end_of(deeper, 0)
    assert reason.exception == "RecursionError"
    assert len(reason.stacktrace) < 50
    assert end_of(lambda: None) == "normal"


def test_a_process_that_takes_all_memory_ends_and_the_others_go_on() -> None:
    printed = script(
        """
        import logging, resource
        from runtime import Down, GenServer, call, receive, run, spawn_monitor

        logging.disable()

        class Counter(GenServer):
            def init(self):
                self.count = 0
            def handle_call(self, request, caller):
                self.count += 1
                return self.count

        def in_one_piece():
            return bytearray(1 << 40)

        def in_small_pieces():
            pieces = []
            while True:
                pieces.append([bytearray(50) for _ in range(20)])

        def main():
            counter = Counter.start_link()
            with open("/proc/self/statm") as sizes:
                limit = int(sizes.read().split()[0]) * resource.getpagesize() + (50 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            for leak in (in_one_piece, *[in_small_pieces] * 5):
                spawn_monitor(leak)
                print(receive(Down).reason.exception, call(counter, "next"))

        run(main)
        """
    )
    assert printed == "".join(f"MemoryError {number}\n" for number in range(1, 7))


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), GreenletExit()])
@pytest.mark.parametrize("where", ["handle_call", "handle_cast", "handle_info", "terminate", "format_status"])
def test_an_exception_in_a_callback_ends_its_server_alone(where: str, error: BaseException) -> None:
    @in_node
    def test() -> None:
        pid = Faulty.start(where, error)
        ref = monitor(pid)
        match where:
            case "handle_call":
                with suppress(Exception):
                    call(pid, "x")
            case "handle_cast":
                cast(pid, "x")
            case "handle_info":
                send(pid, "x")
            case "terminate":
                with suppress(Exception):
                    stop(pid)
            case "format_status":
                with suppress(Exception):
                    stop(pid, "bad")
        reason = receive(Down(ref, ANY, ANY)).reason
        assert reason == "bad" if where == "format_status" else isinstance(reason, Crash)
        assert call(Faulty.start_link("nowhere", error), "x") == "fine"

    test()


def test_a_terminate_that_hangs_is_cut_when_the_time_of_its_shutdown_is_over() -> None:
    class Clinging(GenServer):
        def init(self) -> None:
            flag(trap_exit=True)
            register("clinging", self_())

        def terminate(self, reason: Any) -> None:
            while True:
                with suppress(BaseException):
                    sleep(1_000)

    @in_node
    def test() -> None:
        supervisor = Supervisor.start_link([ChildSpec(id="c", start=(Clinging.start_link,), shutdown=2.0)])
        ref = monitor("clinging")
        stop(supervisor, "shutdown")
        assert receive(Down(ref, ANY, ANY)).reason == "killed"

    test()
