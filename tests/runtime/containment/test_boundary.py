"""The boundary of a process itself: what no body can let through."""

import gc
import logging
import weakref
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from runtime import (
    CallError,
    Down,
    Exit,
    GenServer,
    Stop,
    alive,
    call,
    flag,
    link,
    receive,
    run,
    sleep,
    spawn,
    spawn_monitor,
)
from tests.support.contained import Unspeakable, end_of, raises
from tests.support.in_node import in_node


def test_an_exception_that_a_body_lets_through_ends_its_process_and_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> NoReturn:
        raise MemoryError

    @in_node
    def test() -> None:
        with monkeypatch.context() as patch:
            patch.setattr("runtime.kernel.body.process_crashed", broken)
            pid, _ = spawn_monitor(raises, ValueError())
            reason = receive(Down).reason
        assert reason.exception == "MemoryError"
        assert not alive(pid)
        assert end_of(lambda: None) == "normal"

    test()


@in_node
def test_links_carry_the_reason_of_a_crash_whatever_it_was() -> None:
    flag(trap_exit=True)
    pid = spawn(raises, KeyboardInterrupt())
    link(pid)
    got = receive(Exit)
    assert (got.pid, got.reason.exception) == (pid, "KeyboardInterrupt")


def test_what_a_program_raises_in_its_first_process_comes_out_of_run() -> None:
    with pytest.raises(Unspeakable):
        run(raises, Unspeakable())


@in_node
def test_a_server_that_dies_over_a_request_is_gone_without_the_garbage_collector() -> None:
    class Ending(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            if request == "raise":
                raise ValueError
            return Stop(request)

    gc.collect()
    gc.disable()
    logging.disable()  # what keeps a report keeps the server's last message
    try:
        for request in ("raise", "boom", "normal"):
            pid = Ending.start()
            assert pid is not None
            assert pid.process is not None
            server = weakref.ref(pid.process.body)
            with suppress(CallError):
                call(pid, request)
            sleep(0.01)
            assert server() is None
    finally:
        logging.disable(logging.NOTSET)
        gc.enable()
