"""A failure that cannot be reported, or a value that cannot be shown, changes nothing else."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runtime import (
    ANY,
    Down,
    GenServer,
    Instrument,
    cast,
    install_instrument,
    monitor,
    receive,
    remove_instrument,
    run,
)
from runtime.terms.text import render
from tests.support.contained import Faulty, Silent, end_of, raises
from tests.support.in_node import in_node


class Refusing(logging.Handler):
    """A log handler that fails in its own way."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def emit(self, record: logging.LogRecord) -> None:
        raise self.error


@contextmanager
def logged_by(handler: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("runtime")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), MemoryError()])
def test_an_exception_while_a_crash_is_reported_changes_nothing(error: BaseException) -> None:
    @in_node
    def test() -> None:
        with logged_by(Refusing(error)):
            assert end_of(raises, ValueError("the real one")).message == "the real one"
            pid = Faulty.start("handle_cast", ValueError("the real one"))
            ref = monitor(pid)
            cast(pid, "x")
            assert receive(Down(ref, ANY, ANY)).reason.message == "the real one"

    test()


def test_an_instrument_that_raises_is_removed_and_the_process_ends_as_it_should() -> None:
    class Broken(Instrument):
        def exited(self, process: Any, reason: Any, cause: Any) -> None:
            raise SystemExit(1)

    @in_node
    def test() -> None:
        broken = Broken()
        install_instrument(broken)
        try:
            assert end_of(lambda: None) == "normal"
        finally:
            remove_instrument(broken)

    test()


def endless() -> str:
    while True:
        pass


class Endless:
    """Never finishes its text."""

    def __repr__(self) -> str:
        return endless()


class Waiting:
    """Waits without end when it is to be shown."""

    def __repr__(self) -> str:
        return str(receive())


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), RecursionError(), MemoryError()])
def test_a_value_whose_repr_raises_is_shown_as_such(error: BaseException) -> None:
    assert render([1, Silent(error)]) == f"[1, <Silent whose __repr__ raised {type(error).__name__}>]"


def test_a_value_whose_repr_never_ends_is_cut_and_others_beside_it_are_shown() -> None:
    shown = render([1, Endless(), {"two": 2}])
    assert shown == "[1, <Endless whose __repr__ takes too long>, {'two': 2}]"


def test_several_values_whose_reprs_never_end_share_one_limit_of_time() -> None:
    assert render([Endless()] * 3).count("takes too long") == 3


def test_a_tracer_of_the_programs_own_is_left_in_place() -> None:
    seen = []

    def tracer(frame: Any, event: str, argument: Any) -> None:
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        render(Silent(ValueError()))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert seen


@pytest.mark.parametrize("kind", [Endless, Waiting])
def test_a_state_that_cannot_be_shown_does_not_keep_its_server_from_ending(
    kind: type, caplog: pytest.LogCaptureFixture
) -> None:
    class Holder(GenServer):
        def init(self) -> None:
            self.value = kind()

        def handle_cast(self, message: Any) -> None:
            raise ValueError(message)

    def main() -> Any:
        pid = Holder.start()
        ref = monitor(pid)
        cast(pid, "now")
        return receive(Down(ref, ANY, ANY)).reason

    assert run(main).message == "now"
    assert f"<{kind.__name__} whose __repr__ takes too long>" in caplog.text


class Verbose(Exception):
    """Never finishes saying what is wrong."""

    def __str__(self) -> str:
        return endless()


def test_an_exception_whose_text_never_ends_is_a_reason_all_the_same() -> None:
    reason = run(lambda: end_of(raises, Verbose()))
    assert reason.exception.endswith("Verbose")
    assert "OutOfTime" in reason.message
