"""A bounded `repr`: it reads as `repr` does for small values, and does little for any."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import enum
import functools
import itertools
import re
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest

from runtime import Pid, Stop
from runtime.terms.bounded_repr import WORK, WORK_OF_CLASSES
from runtime.terms.crash import Crash
from runtime.terms.own_repr import beside_the_node
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


def test_the_time_is_looked_at_now_and_then_and_ends_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count()
    monkeypatch.setattr(time, "thread_time", lambda: next(looks) * 0.001)
    assert render([1, "two", [3.0]]) == "[1, 'two', [3.0]]"
    assert next(looks) == 0, "a small value costs no look"
    text = render([[0] * 15] * 15)
    assert text.count("0") < 60
    assert "..." in text
    assert next(looks) < 40


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
    # Not a measure of speed: each of these takes a hundred milliseconds or more, or never ends, when it is shown whole.
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
    """Never finishes its text, in lines of Python."""

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


class Called(AssertionError):
    """Code of the program's ran that must not."""


def fail(*_: object, **__: object) -> Any:
    raise Called


class Key:
    """A key whose hash must not be asked."""

    armed = False

    def __hash__(self) -> int:
        return fail() if Key.armed else 1


class Moment(datetime.datetime):
    """A time that cannot be made anew."""

    armed = False
    replace = fail

    def __new__(cls, *parts: Any) -> Moment:
        return fail() if cls.armed else super().__new__(cls, *parts)


class Mute(str):
    """A string of which nothing may be asked."""

    __slots__ = ()
    __len__ = __str__ = __iter__ = fail


class Hollow(types.SimpleNamespace):
    """A namespace that says it has another dictionary."""

    __dict__ = property(fail)


@dataclasses.dataclass
class Computed:
    """A dataclass, one of whose fields is a property."""

    stored: int
    computed: int


class Hue(enum.Enum):
    """An enumeration."""

    RED = 1
    __str__ = __format__ = fail


class Unhashable(type):
    """Makes classes that cannot be looked up."""

    __hash__ = __eq__ = fail


class Odd(metaclass=Unhashable):
    """A class that cannot be looked up."""

    def __repr__(self) -> str:
        return "Odd()"


def view_of_an_ordered_dict() -> Any:
    Key.armed = False
    found = collections.OrderedDict([(Key(), 1)]).items()
    Key.armed = True
    return found


def moment() -> Moment:
    Moment.armed = False
    found = Moment(2020, 1, 2)
    Moment.armed = True
    return found


def computed() -> Computed:
    found = Computed(1, 2)
    Computed.computed = property(fail)  # type: ignore[assignment]
    return found


QUIET: dict[str, tuple[Callable[[], Any], str]] = {
    "a view of an ordered dict": (view_of_an_ordered_dict, "<odict_items object at 0x"),
    "a subclass of datetime": (moment, "Moment(2020, 1, 2, 0, 0)"),
    "a key that is no plain string": (lambda: functools.partial(print, **{Mute("key"): 1}), "functools.partial("),
    "a namespace": (lambda: Hollow(a=1), "Hollow(a=1)"),
    "a field that is computed": (computed, "Computed(stored=1)"),
    "an enumeration": (lambda: Hue.RED, "<Hue.RED: 1>"),
    "a metaclass": (Odd, "Odd()"),
    "a pattern": (lambda: re.compile(Mute("a")), "re.compile('a')"),
    "a slice": (lambda: slice(Mute("a"), [1]), "slice('a', [1], None)"),
}


@pytest.mark.parametrize("kind", QUIET)
def test_no_other_code_of_the_program_runs_than_a_repr(kind: str) -> None:
    make, text = QUIET[kind]
    assert render(make()).startswith(text)


def test_one_value_that_cannot_be_shown_hides_no_other() -> None:
    assert render([range(10**5000), 1]) == "[range(0, <int of 16,610 bits>), 1]"

    class Broken(collections.OrderedDict[str, int]):
        pass

    assert render([slice(1), Broken(a=1)]) == "[slice(None, 1, None), Broken({'a': 1})]"


def test_dataclasses_structs_and_attributes_without_number_are_not_gone_through() -> None:
    wide = dataclasses.make_dataclass("Wide", [(f"f{i}", int, 0) for i in range(300)])
    assert render(wide()).endswith("f19=0, ...)")


class Waiting:
    """Must be asked only where it may wait."""

    def __init__(self, held: Any) -> None:
        self.held = held

    __repr__ = fail


class Slotted:
    """Has slots, one of them empty."""

    __slots__ = ("a", "b")

    __repr__ = fail


def test_beside_the_node_values_are_described_by_what_is_stored_in_them() -> None:
    slotted = Slotted()
    slotted.a = [Waiting(1)]  # type: ignore[attr-defined]
    with beside_the_node():
        assert render(Waiting([1, Pid.parse("<0.17.0>")])) == "<Waiting held=[1, <0.17.0>]>"
        assert render(slotted) == "<Slotted a=[<Waiting held=1>]>"
        assert render(Path("/tmp")) == repr(Path("/tmp"))
        assert render(Waiting(nested(lambda inner: Waiting(inner), 50))).count("held") == 5
        assert render(types.SimpleNamespace(**{f"a{i}": 1 for i in range(100)})).endswith("...)")
        many = Waiting(1)
        vars(many).update({f"a{i}": i for i in range(100_000)})
        assert len(render(many)) < 1_000
    assert render(Waiting(1)) == "<Waiting whose __repr__ raised Called>"


def test_a_repr_of_the_runtime_that_holds_a_value_of_the_program_is_bounded_too() -> None:
    before = time.thread_time()
    assert "too large" in render(Stop({i: i for i in range(1_000_000)}))
    assert render(Crash("ValueError", "x" * 100_000_000)).startswith("ValueError: xxx")
    assert time.thread_time() - before < 1.0  # the first takes longer than that when it is shown whole
