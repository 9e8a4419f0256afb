"""Asking a class of the program's for a description: when it may be, and what stands for one that it does not give."""

from __future__ import annotations

import gc
import time
import weakref

import pytest

from runtime.terms import own_repr as module
from runtime.terms.own_repr import beside_the_node, bounded, is_bounded, may_be_asked, own_repr


class Value:
    def __init__(self, held: object = None) -> None:
        self.held = held


def _asked(show: object, value: Value | None = None, kind: type = Value) -> str:
    return own_repr(value or Value(), kind, show, 0.05, 0.05)  # type: ignore[arg-type]


def _fail(value: object) -> str:
    raise KeyError


def _endless(value: object) -> str:
    while True:
        pass


@pytest.mark.parametrize(
    ("show", "text"),
    [
        (lambda value: "Value(7)", "Value(7)"),
        (lambda value: 7, "<Value whose __repr__ returned no text>"),
        (_fail, "<Value whose __repr__ raised KeyError>"),
    ],
)
def test_what_it_says_is_shown_or_why_it_says_nothing(show: object, text: str) -> None:
    assert _asked(show) == text


def test_a_value_that_is_not_small_is_not_asked() -> None:
    asked: list[object] = []
    assert _asked(asked.append, Value(["x" * 20_000])) == "<Value that is too large to be asked for its __repr__>"
    assert asked == []


def test_one_that_takes_too_long_is_stopped_and_its_class_is_not_asked_again() -> None:
    class Slow(Value):
        pass

    assert _asked(_endless, Slow(), Slow) == "<Slow whose __repr__ takes too long>"
    assert _asked(lambda value: "x", Slow(), Slow) == "<Slow that is too large to be asked for its __repr__>"


def test_a_class_that_was_slow_is_not_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    slow: dict[int, weakref.ref[type]] = {}
    monkeypatch.setattr(module, "_slow", slow)

    def leave_one() -> None:
        class Slow(Value):
            pass

        def hold(value: object) -> str:
            end = time.thread_time() + 2 * module.TOO_LONG
            while time.thread_time() < end:
                pass
            return "x"

        _asked(hold, Slow(), Slow)

    leave_one()
    gc.collect()
    assert [kind() for kind in slow.values()] == [None]


def test_code_of_the_programs_may_not_run_on_a_thread_beside_the_node() -> None:
    assert may_be_asked()
    with beside_the_node():
        with beside_the_node():  # a black box that an observer has asked for
            assert not may_be_asked()
        assert not may_be_asked()
    assert may_be_asked()


def test_a_repr_that_does_little_is_marked_by_a_decorator_that_returns_it() -> None:
    def show(value: object) -> str:
        return "x"

    assert not is_bounded(show)  # type: ignore[arg-type]
    assert bounded(show) is show
    assert is_bounded(show)  # type: ignore[arg-type]
