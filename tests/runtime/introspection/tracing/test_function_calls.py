"""Calls of functions are told of while a trace runs, by either way, and nothing is different afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from runtime.introspection.reading.own_line import OwnLine
from runtime.introspection.tracing import function_calls as module
from runtime.introspection.tracing.function_calls import (
    FunctionCalls,
    MonitoredCalls,
    WrappedCalls,
    function_calls,
)
from runtime.introspection.tracing.functions import find_functions

HERE = __name__

MONITORING = pytest.param(
    MonitoredCalls,
    marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is there from Python 3.12 on"),
)
WAYS = [WrappedCalls, MONITORING]


class Order:
    """What is bought."""

    def price(self, count: int, each: float = 2.0) -> float:
        if count < 0:
            raise ValueError("less than nothing")
        return count * each

    @staticmethod
    def tax(amount: float) -> float:
        return amount / 5

    @classmethod
    def empty(cls) -> Order:
        return cls()

    @property
    def total(self) -> int:
        return 7


def down(left: int) -> int:
    return down(left - 1) if left else 0


class Heard:
    """Keeps what it is told."""

    def __init__(self, wants: bool = True) -> None:
        self.told: list[str] = []
        self.lines: list[OwnLine] = []
        self.wants = wants

    def function_called(self, function: str, arguments: Callable[[], str], caller: OwnLine) -> int | None:
        if not self.wants:
            return None
        self.told.append(f"{function.partition(':')[2]}({arguments()})")
        self.lines.append(caller)
        return len(self.told)

    def function_ended(self, function: str, result: object, number: int, seconds: float, raised: bool) -> None:
        assert seconds >= 0
        self.told.append(f"{number} {'raised' if raised else 'returned'} {result!r}")


@contextmanager
def followed(
    way: type[FunctionCalls], *names: str, show: Callable[[object], str] | None = repr, wants: bool = True
) -> Iterator[Heard]:
    heard = Heard(wants)
    calls = way(find_functions(tuple(f"{HERE}:{name}" for name in names)), heard, show)
    calls.start()
    try:
        yield heard
    finally:
        calls.stop()


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_told_with_its_arguments_its_result_and_its_caller(way: type[FunctionCalls]) -> None:
    order = Order()
    with followed(way, "Order.price", show=lambda value: "order" if value is order else repr(value)) as heard:
        assert order.price(3) == 6.0
        with pytest.raises(ValueError, match="less than nothing"):
            order.price(-1)
    assert [told.split(", each")[0] for told in heard.told] == [
        *(["Order.price(self=order, count=3)"] if way is WrappedCalls else ["Order.price(self=order, count=3"]),
        "1 returned 6.0",
        *(["Order.price(self=order, count=-1)"] if way is WrappedCalls else ["Order.price(self=order, count=-1"]),
        "3 raised ValueError('less than nothing')",
    ]
    code = heard.lines[0].code
    assert code is not None
    assert code.co_name == "test_a_call_is_told_with_its_arguments_its_result_and_its_caller"


@pytest.mark.parametrize("way", WAYS)
def test_arguments_are_told_by_choice(way: type[FunctionCalls]) -> None:
    with followed(way, "Order.tax", show=None) as heard:
        Order.tax(amount=10.0)
    assert heard.told == ["Order.tax(...)", "1 returned 2.0"]


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_of_method_works_on_and_is_put_back(way: type[FunctionCalls]) -> None:
    before = {name: vars(Order)[name] for name in ("price", "tax", "empty", "total")}
    with followed(way, *(f"Order.{name}" for name in before), show=None) as heard:
        assert Order.empty().price(2) == 4.0
        assert Order().tax(5.0) == 1.0
        assert Order().total == 7
    assert len(heard.told) == 8
    assert {name: vars(Order)[name] for name in before} == before
    Order.empty()
    assert len(heard.told) == 8


@pytest.mark.parametrize("way", WAYS)
def test_calls_within_calls_are_told_each(way: type[FunctionCalls]) -> None:
    with followed(way, "down") as heard:
        down(2)
    assert heard.told == [
        "down(left=2)",
        "down(left=1)",
        "down(left=0)",
        "3 returned 0",
        "2 returned 0",
        "1 returned 0",
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_is_not_noted_has_no_end_either(way: type[FunctionCalls]) -> None:
    with followed(way, "Order.price", wants=False) as heard:
        assert Order().price(1) == 2.0
    assert heard.told == []


def test_what_modules_have_imported_is_replaced_there_too_and_what_the_program_changed_stays_changed() -> None:
    imported = type(sys)("imported_for_a_test")
    imported.down = down  # type: ignore[attr-defined]
    sys.modules["imported_for_a_test"] = imported
    try:
        original = down
        with followed(WrappedCalls, "down", "Order.tax") as heard:
            imported.down(0)
            changed = staticmethod(lambda amount: 0.0)
            Order.tax = changed  # type: ignore[method-assign]
        assert len(heard.told) == 2
        assert imported.down is original is down
        assert vars(Order)["tax"] is changed
    finally:
        del sys.modules["imported_for_a_test"]
        Order.tax = staticmethod(lambda amount: amount / 5)  # type: ignore[method-assign]


def test_stopping_twice_does_nothing_more_and_a_class_that_cannot_be_changed_is_left_alone() -> None:
    heard = Heard()
    calls = WrappedCalls(find_functions((f"{HERE}:Order.price",)), heard, None)
    calls.start()
    calls.stop()
    calls.stop()
    calls._replace(int, "bit_length", int.bit_length, None)
    assert calls._replaced == []


def test_the_way_is_that_of_the_python_that_runs() -> None:
    kind = MonitoredCalls if sys.version_info >= (3, 12) else WrappedCalls
    assert type(function_calls([], Heard(), None)) is kind


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is there from Python 3.12 on")
def test_the_place_among_the_tools_is_given_back_and_what_is_open_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monitoring = getattr(sys, "monitoring")  # noqa: B009  # of a later Python than mypy is told of
    before = [monitoring.get_tool(tool) for tool in range(6)]
    monkeypatch.setattr(module, "OPEN", 2)
    with followed(MonitoredCalls, "down") as heard:
        down(5)
    assert len([told for told in heard.told if "returned" in told]) == 2
    assert [monitoring.get_tool(tool) for tool in range(6)] == before
