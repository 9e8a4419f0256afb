"""Whose exception it is that ends a piece of code: its own, or that of a signal's handler."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType

import pytest

from runtime import flush, receive, run, self_, send
from runtime.terms.signal_handlers import is_of_handler


class StruckError(Exception):
    """What the handlers here raise."""


def strike(number: int, frame: FrameType | None) -> None:
    raise StruckError


def strike_as(name: str, number: int, frame: FrameType | None) -> None:
    raise StruckError(name)


class Striking:
    def __call__(self, number: int, frame: FrameType | None) -> None:
        raise StruckError

    def strike(self, number: int, frame: FrameType | None) -> None:
        raise StruckError


HANDLERS: dict[str, Callable[[int, FrameType | None], None]] = {
    "a function": strike,
    "a method": Striking().strike,
    "an object": Striking(),
    "a partial": partial(strike_as, "name"),
    "a partial of a method": partial(Striking().strike),
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


def struck() -> BaseException:
    try:
        signal.raise_signal(signal.SIGUSR1)
    except StruckError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("name", HANDLERS)
def test_what_a_handler_raises_is_its_own(name: str) -> None:
    signal.signal(signal.SIGUSR1, HANDLERS[name])
    assert is_of_handler(struck())


def test_what_a_handler_has_raised_is_its_own_where_a_call_in_c_was_begun_after_it() -> None:
    signal.signal(signal.SIGUSR1, HANDLERS["a function"])
    error = SystemError("a call returned a result with an exception set")
    assert not is_of_handler(error)
    error.__cause__ = struck()
    assert is_of_handler(error)


def test_what_other_code_raises_is_not() -> None:
    signal.signal(signal.SIGUSR1, HANDLERS["a function"])
    for raises in (lambda: [][0], partial(strike_as, "name", 1, None), lambda: int("x")):
        with pytest.raises(Exception) as caught:
            raises()
        assert not is_of_handler(caught.value)
    assert not is_of_handler(ValueError())


class Box:
    """Strikes while it is taken apart, in the middle of a copy."""

    def __init__(self) -> None:
        self.content: list[object] = [self]

    def __getstate__(self) -> object:
        signal.raise_signal(signal.SIGUSR1)
        return {"content": self.content}


class Holds:
    """An instance of a plain class."""

    def __init__(self, content: object) -> None:
        self.content = content


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], Holds])
def test_an_exception_of_a_handler_amid_the_copy_of_a_message_reaches_the_sender(
    wrap: Callable[[object], object],
) -> None:
    def main() -> object:
        with pytest.raises(StruckError):
            send(self_(), wrap(Box()))
        return receive(timeout=0, default="nothing was sent")

    signal.signal(signal.SIGUSR1, strike)
    assert run(main) == "nothing was sent"


class Value:
    """Strikes while it is compared."""

    def __eq__(self, other: object) -> bool:
        signal.raise_signal(signal.SIGUSR1)
        return True

    __hash__ = None  # type: ignore[assignment]


class Unhashable:
    """Strikes while its hash is asked for."""

    def __hash__(self) -> int:
        signal.raise_signal(signal.SIGUSR1)
        return 1


def is_struck(message: object) -> bool:
    """Accept every message; a pattern that strikes."""
    signal.raise_signal(signal.SIGUSR1)
    return True


@pytest.mark.parametrize("pattern", [is_struck, "value", Unhashable(), ("message", is_struck), ("message", "value")])
@pytest.mark.parametrize("are_saved", [False, True])
def test_an_exception_of_a_handler_amid_a_pattern_reaches_the_receiver_and_no_message_is_lost(
    are_saved: bool, pattern: object
) -> None:
    def main() -> int:
        send(self_(), ("message", Value()) if isinstance(pattern, tuple) else Value())
        if are_saved:
            receive(int, timeout=0, default=None)
        for _ in range(2):  # the message was not refused
            with pytest.raises(StruckError):
                receive(pattern, timeout=0)
        return len(flush())

    signal.signal(signal.SIGUSR1, strike)
    assert run(main) == 1
