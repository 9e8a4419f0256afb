"""A program whose log cannot be written, as one that has closed its standard error, goes on."""

import logging
from collections.abc import Iterator

import pytest

from runtime import (
    Instrument,
    Supervisor,
    alive,
    await_exit,
    exit,
    install_instrument,
    receive,
    remove_instrument,
    send,
    sleep,
    spawn,
)
from tests.support.in_node import in_node


class Broken(logging.Handler):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def emit(self, record: logging.LogRecord) -> None:
        raise self.error


CLOSED = ValueError("I/O operation on closed file")


@pytest.fixture(params=[CLOSED, SystemExit(3)], ids=["ValueError", "SystemExit"])
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    handler = Broken(request.param)
    logging.getLogger("runtime").addHandler(handler)
    yield
    logging.getLogger("runtime").removeHandler(handler)


@pytest.mark.parametrize("broken", [CLOSED], indirect=True)
def test_a_supervisor_that_cannot_log_an_unexpected_message_goes_on(broken: None) -> None:
    @in_node
    def test() -> None:
        supervisor = Supervisor.start_link([])
        assert supervisor is not None
        send(supervisor, "nonsense")
        sleep(0.1)
        assert alive(supervisor)

    test()


class Raises(Instrument):
    def spawned(self, process: object) -> None:
        raise ValueError("no")

    def exited(self, process: object, reason: object, cause: object) -> None:
        raise ValueError("no")


def test_a_hook_that_raises_is_removed_and_processes_begin_and_end(broken: None) -> None:
    instrument = Raises()

    @in_node
    def test() -> None:
        for kind in (Raises(), instrument):
            waits = spawn(receive)
            install_instrument(kind)
            one = spawn(lambda: None)
            assert await_exit(one) in ("normal", "noproc")
            install_instrument(kind)
            exit(waits, "gone")
            assert await_exit(waits) in ("gone", "noproc")

    try:
        test()
    finally:
        remove_instrument(instrument)
