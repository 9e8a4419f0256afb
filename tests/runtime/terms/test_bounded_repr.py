"""A bounded `repr`: it reads as `repr` does for small values, and does little for any."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import functools
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest

from runtime import Pid
from runtime.terms.bounded_repr import WORK, WORK_OF_CLASSES, is_small
from runtime.terms.crash import Crash
from runtime.terms.text import reason_text, render


class Point(NamedTuple):
    """A named tuple."""

    x: Any
    y: Any = 0


@dataclasses.dataclass
class Held:
    """A dataclass."""

    items: Any
    secret: str = dataclasses.field(default="hidden", repr=False)


class Order(msgspec.Struct):
    """A struct."""

    number: Any


class Named:
    """Has a ``__repr__`` of its own."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"Named {self.name!r}"


class Chatty(list[Any]):
    """A list whose methods must not be asked."""

    def __len__(self) -> int:
        raise AssertionError

    def __iter__(self) -> Any:
        raise AssertionError


SMALL = [
    None,
    True,
    -17,
    10**300,
    1.5,
    2j,
    "text",
    "caf\udce9",
    b"bytes",
    bytearray(b"bytes"),
    [],
    [1, [2, [3]]],
    (),
    (1,),
    (1, "two"),
    {1, 2},
    set(),
    frozenset(),
    frozenset({1}),
    {"b": 1, "a": {2: 3}},
    collections.OrderedDict(),
    collections.Counter("aab"),
    collections.defaultdict(int, a=1),
    collections.deque([1, 2]),
    collections.deque([1], maxlen=3),
    array.array("i", [1, 2]),
    array.array("d"),
    {"a": 1}.keys(),
    {"a": 1}.items(),
    range(3),
    slice(1, 2),
    Point(1, "two"),
    Held([1]),
    Order(7),
    Named("x"),
    types.SimpleNamespace(a=1),
    ValueError("a", 2),
    KeyError("a"),
    functools.partial(int, "3", base=8),
    datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
    datetime.date(2020, 1, 2),
    Path("/tmp"),
    UUID(int=3),
    int,
    len,
    render,
    Pid.parse("<0.17.0>"),
]


@pytest.mark.parametrize("value", SMALL, ids=lambda value: type(value).__name__)
def test_a_small_value_reads_as_repr_says_it(value: object) -> None:
    shown = repr(value)
    if isinstance(value, collections.OrderedDict):
        shown = shown.replace("()", "({})")
    assert render(value) == shown


def test_an_exception_class_and_its_instances_read_alike_wherever_they_stand() -> None:
    assert render({"error": [ValueError("x")]}) == "{'error': [ValueError('x')]}"


def nested(around: Callable[[Any], Any], levels: int) -> Any:
    """Return a value with so many levels, each put `around` the one before."""
    value: Any = 1
    for _ in range(levels):
        value = around(value)
    return value


BIG: dict[str, Callable[[], Any]] = {
    "dict": lambda: {f"key {i * 7919 % 1_000_003}": i for i in range(1_000_000)},
    "set": lambda: set(range(1_000_000)),
    "bytes": lambda: b"\0" * 200_000_000,
    "bytearray": lambda: bytearray(200_000_000),
    "str": lambda: "\x1b" * 100_000_000,
    "int": lambda: 1 << 3_000_000,
    "an int in a list": lambda: [1 << 3_000_000],
    "dataclass": lambda: Held([float(i) for i in range(1_000_000)]),
    "namedtuple": lambda: Point(list(range(1_000_000))),
    "struct": lambda: Order(list(range(1_000_000))),
    "counter": lambda: collections.Counter(range(1_000_000)),
    "ordered dict": lambda: collections.OrderedDict.fromkeys(range(1_000_000)),
    "default dict": lambda: collections.defaultdict(list, dict.fromkeys(range(1_000_000))),
    "deque": lambda: collections.deque(range(1_000_000)),
    "array": lambda: array.array("d", bytes(80_000_000)),
    "keys": lambda: dict.fromkeys(range(1_000_000)).keys(),
    "namespace": lambda: types.SimpleNamespace(**{f"a{i}": i for i in range(100_000)}),
    "exception": lambda: ValueError(list(range(1_000_000))),
    "partial": lambda: functools.partial(print, *range(1_000_000)),
    "method": lambda: Named(list(range(1_000_000))).__repr__,
    "its own repr": lambda: Named(list(range(1_000_000))),
    "its own repr, deep": lambda: Named({"a": [Named({"b": [list(range(1_000_000))]})]}),
    "its own repr of many small": lambda: Named([[[0] * 150 for _ in range(150)] for _ in range(150)]),
    "nest": lambda: nested(lambda inner: [inner], 100_000),
    "shared nest": lambda: nested(lambda inner: (inner,) * 8, 60),
    "many wide": lambda: [[[[list(range(50))] * 50] * 50] * 50] * 50,
}


@pytest.mark.parametrize("kind", BIG)
def test_the_work_for_a_value_is_bounded_however_big_it_is(kind: str) -> None:
    value = BIG[kind]()
    spent = []
    for show in (render, reason_text):
        before = time.thread_time()
        text = show(value)
        spent.append(time.thread_time() - before)
        assert 0 < len(text) <= 1_000
    # Not a measure of speed: each of these takes from a hundred milliseconds to for ever when it is shown whole.
    assert max(spent) < 0.05
    while isinstance(value, list) and value and isinstance(value[0], list):
        value = value.pop()  # else the deep nest would be let go of in one recursion


def test_methods_of_a_container_are_not_asked() -> None:
    assert render(Chatty([1, 2])) == "[1, 2]"


def test_a_program_class_called_list_is_not_taken_for_a_list() -> None:
    kind = type("list", (), {"__len__": lambda self: 1 / 0, "__iter__": lambda self: 1 / 0})
    assert "list object at 0x" in render(kind())


class Metaclass(type):
    """Lies about its classes."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise AssertionError

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(name)


class Lying(metaclass=Metaclass):
    """Raises whatever is asked of its class."""

    def __repr__(self) -> str:
        return "Lying()"


def test_a_metaclass_is_not_asked() -> None:
    assert render(Lying()) == "Lying()"


class Spinning:
    """Takes for ever to be shown, in lines of Python."""

    def __repr__(self) -> str:
        while True:
            pass


class Verbose:
    """Makes a long text."""

    def __repr__(self) -> str:
        return "x" * 10_000_000


class Numb:
    """Has no text."""

    def __repr__(self) -> Any:
        return 7


def test_a_class_that_takes_too_long_is_named_and_what_stands_beside_it_is_shown() -> None:
    assert render([1, Spinning(), {"two": 2}]) == "[1, <Spinning whose __repr__ takes too long>, {'two': 2}]"
    assert len(render(Verbose(), 100)) <= 100
    assert render(Numb()) == "<Numb whose __repr__ returned no text>"


class Stubborn:
    """Takes long in C, where nothing can end it; counts how often it is asked."""

    asked = 0

    def __repr__(self) -> str:
        Stubborn.asked += 1
        return str(sum(range(3_000_000)))


def test_a_class_that_could_not_be_stopped_is_not_asked_again() -> None:
    assert WORK_OF_CLASSES <= WORK
    for _ in range(3):
        render(Stubborn())
    assert Stubborn.asked == 1


def test_what_consists_of_little_is_small() -> None:
    assert is_small(Named(["x"] * 100))
    assert not is_small(Named(["x"] * 1_000))
    assert not is_small(Named("x" * 20_000))
    assert not is_small(Named([[f"{i} {j}" for i in range(100)] for j in range(100)]))


def test_reasons_show_strings_bare_and_bound_what_is_in_them() -> None:
    assert reason_text(("shutdown", ("x", 1))) == "(shutdown, (x, 1))"
    assert reason_text(tuple("abcdefghij")) == "(a, b, c, d, e, f, g, h, ...)"


def test_a_crash_keeps_the_beginning_of_what_its_exception_was_made_with() -> None:
    huge = Crash.from_exception(ValueError({i: i for i in range(1_000_000)}))
    assert huge.message.startswith("({0: 0, 1: 1,")
    assert len(huge.message) <= 2_000
    assert Crash.from_exception(KeyError("x")).message == "'x'"
    assert Crash.from_exception(ValueError(42)).message == "42"
    assert Crash.from_exception(ValueError("x" * 10_000)).message.startswith("xxx")
    with pytest.raises(UnicodeDecodeError) as raised:
        (b"\xff" * 100_000).decode()
    assert "can't decode byte 0xff in position 0" in Crash.from_exception(raised.value).message
