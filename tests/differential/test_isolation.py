"""The compiled isolation beside its source: the same copies, the same sharing, the same faults, and nothing leaks."""

from __future__ import annotations

import collections
import copyreg
import dataclasses
import enum
import functools
import gc
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import Pid
from runtime.terms import isolation
from tests.differential.kernels import compiled, from_source

Isolate = Callable[[Any], Any]

SOURCE: Isolate = from_source(isolation).isolate


@pytest.fixture(scope="module")
def kernel() -> Isolate:
    return compiled("runtime.terms._isolation").isolate  # type: ignore[no-any-return]


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: Any
    y: Any


class Plain:
    pass


@dataclasses.dataclass(slots=True)
class Slotted:
    one: Any
    other: Any


class SlottedBelow(Slotted):
    """Has slots, and attributes besides."""


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    content: Any


class Stated:
    def __getstate__(self) -> dict[str, Any]:
        return {"state": self.__dict__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["state"])


class Copied:
    def __deepcopy__(self, memo: dict[int, Any]) -> Copied:
        result = Copied()
        memo[id(self)] = result
        result.__dict__.update({"copied": True})
        return result


class Reduced:
    def __reduce__(self) -> Any:
        return Reduced, (), {**self.__dict__}


class Refuses:
    def __reduce__(self) -> Any:
        raise TypeError("it cannot be copied")


class Made:
    """Cannot be made without an argument."""

    def __new__(cls, argument: Any) -> Made:
        made = super().__new__(cls)
        made.argument = argument  # type: ignore[attr-defined]
        return made


class Delegating:
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


@dataclasses.dataclass
class Text:
    text: str = "text"


class Numbers(list[Any]):
    """A list with attributes of its own."""


class Names(dict[Any, Any]):
    """A dict with attributes of its own."""


ATOMS: list[Any] = [None, True, 7, 2**80, 1.5, "text", b"bytes", Colour.RED, Pid(1), len, Plain, int, Ellipsis]
SIMPLE = (Plain, Stated, Copied, Reduced, Refuses, Delegating, Names)


def build(plan: list[tuple[int, list[int]]], back: list[tuple[int, int]]) -> Any:
    """Make a message from numbers: each step a value that holds earlier ones, then references back into it."""
    made: list[Any] = [*ATOMS]
    for kind, numbers in plan:
        parts = [made[number % len(made)] for number in numbers]
        made.append(_make(kind, parts))
    for one, other in back:
        _refer(made[one % len(made)], made[other % len(made)])
    return made[-1]


def _make(kind: int, parts: list[Any]) -> Any:
    first, second = ([*parts, 1, 2])[:2]
    hashable = [part for part in parts if _is_hashable(part)]
    makers: list[Callable[[], Any]] = [
        lambda: [*parts],
        lambda: (*parts,),
        lambda: dict(enumerate(parts)),
        lambda: dict.fromkeys(hashable, parts),
        lambda: set(_told_apart(hashable)),
        lambda: frozenset(_told_apart(hashable)),
        lambda: collections.deque(parts, maxlen=3),
        lambda: bytearray(b"abc"),
        lambda: Point(first, second),
        lambda: Slotted(first, second),
        lambda: SlottedBelow(first, second),
        lambda: Frozen(first),
        lambda: Made(first),
        lambda: Numbers(parts),
        lambda: functools.partial(print, *parts),
        lambda: [parts, parts],
        lambda: collections.defaultdict(list, {1: parts}),
        lambda: ValueError(*parts),
        threading.Lock,
        lambda: _with(Plain(), {"__reduce_ex__": lambda protocol: (Plain, (), {"own": True})}),
        *((lambda kind=kind: _with(kind(), dict(zip("abcdef", parts, strict=False)))) for kind in SIMPLE),
    ]
    return makers[kind % len(makers)]()


def _with(instance: Any, attributes: dict[str, Any]) -> Any:
    instance.__dict__.update(attributes)
    return instance


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _place_in_set(item: Any) -> tuple[str, str]:
    return type(item).__qualname__, repr(item) if any(item is atom for atom in ATOMS) else ""


def _told_apart(parts: list[Any]) -> list[Any]:
    """Return the parts that can be put in order: the order of a set says nothing, and most texts name an address."""
    return [*{_place_in_set(part): part for part in parts}.values()]


def _refer(one: Any, other: Any) -> None:
    if isinstance(one, (list, collections.deque)):
        one.append(other)
    elif isinstance(one, dict):
        one["back"] = other
    elif isinstance(one, (Slotted, Plain, Stated, Reduced)):
        (setattr if isinstance(one, Slotted) else _set)(one, "other", other)


def _set(one: Any, name: str, other: Any) -> None:
    one.__dict__[name] = other


def parts_of(value: Any) -> list[Any]:
    """Return what a value holds."""
    found: list[Any] = []
    if isinstance(value, dict):
        for key, item in value.items():
            found += [key, item]
    elif isinstance(value, (list, tuple, collections.deque)):
        found += value
    elif isinstance(value, (set, frozenset)):
        found += sorted(value, key=_place_in_set)
    elif isinstance(value, functools.partial):
        found += [value.func, value.args, value.keywords]
    elif isinstance(value, BaseException):
        found += value.args
    if isinstance(value, Slotted):
        found += [value.one, value.other]
    elif isinstance(value, Frozen):
        found.append(value.content)
    if not isinstance(value, (type, enum.Enum)):
        found += getattr(value, "__dict__", {}).values()
    return found


def everything(value: Any) -> Iterator[Any]:
    """Yield a value and all that it holds, each once."""
    seen: dict[int, Any] = {}
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen[id(each)] = each
            yield each
            waiting += parts_of(each)


def shape(value: Any, original: set[int]) -> list[Any]:
    """Return a picture of a value: its parts in order, what is met twice, and what was not copied."""
    numbers: dict[int, int] = {}
    picture: list[Any] = []
    keep = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if id(each) in numbers:
            picture.append(numbers[id(each)])
            continue
        numbers[id(each)] = len(numbers)
        keep.append(each)
        text = repr(each) if isinstance(each, (int, float, str, bytes, bytearray)) else ""
        picture.append((type(each), id(each) in original, text))
        waiting += parts_of(each)
    return picture


def outcome(isolate: Isolate, value: Any) -> Any:
    """Return the shape of a copy, or the exception in its place."""
    original = {id(part) for part in everything(value) if not isinstance(part, (int, float, str, bytes))}
    try:
        copied = isolate(value)
    except Exception as error:
        return type(error)
    return shape(copied, original)


PLANS = st.lists(st.tuples(st.integers(0, 26), st.lists(st.integers(0, 60), max_size=4)), min_size=1, max_size=12)
BACK = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=3)


@settings(max_examples=150, deadline=None)
@given(plan=PLANS, back=BACK)
def test_any_message_is_copied_alike(
    kernel: Isolate, plan: list[tuple[int, list[int]]], back: list[tuple[int, int]]
) -> None:
    assert outcome(kernel, build(plan, back)) == outcome(SOURCE, build(plan, back))


BOTH = pytest.mark.parametrize("which", ["source", "compiled"])


@pytest.fixture
def isolate(which: str, request: pytest.FixtureRequest) -> Isolate:
    return SOURCE if which == "source" else request.getfixturevalue("kernel")


def nested(depth: int, wrap: Callable[[Any], Any] = lambda value: [value]) -> Any:
    value: Any = []
    for _ in range(depth):
        value = wrap(value)
    return value


def boxed(value: Any) -> Any:
    return _with(Plain(), {"content": value})


@BOTH
@pytest.mark.parametrize(
    "wrap", [lambda v: [v], lambda v: (v,), lambda v: {1: v}, lambda v: collections.deque([v]), boxed]
)
def test_what_is_nested_too_deep_is_a_recursion_error(isolate: Isolate, wrap: Callable[[Any], Any]) -> None:
    deep = nested(100_000, wrap)
    with pytest.raises(RecursionError):
        isolate(deep)
    while deep:  # taken apart here: the interpreter would do it by recursion
        inner = parts_of(deep)[-1:]
        deep = inner[0] if inner else None
    assert isolate(nested(300)) == nested(300)


@BOTH
def test_code_of_the_program_that_copies_again_has_no_deeper_stack(isolate: Isolate) -> None:
    class Again:
        def __deepcopy__(self, memo: Any) -> Any:
            return isolate(nested(199, lambda value: [value] if value else [Again()]))

    with pytest.raises(RecursionError):
        isolate([Again()])


@BOTH
def test_a_class_that_changes_is_seen_as_it_is_now(isolate: Isolate) -> None:
    class Changing:
        pass

    one = _with(Changing(), {"list": []})
    assert isolate([one])[0].list is not one.list
    Changing.__deepcopy__ = lambda self, memo: self  # type: ignore[attr-defined]
    assert isolate([one])[0] is one
    del Changing.__deepcopy__  # type: ignore[attr-defined]
    assert isolate([one])[0] is not one
    copyreg.pickle(Changing, lambda each: (Text, ()))  # type: ignore[arg-type,return-value]
    try:
        assert isolate([one]) == [Text("text")]
    finally:
        del copyreg.dispatch_table[Changing]


@BOTH
def test_a_class_above_that_changes_counts_too(isolate: Isolate) -> None:
    class Above:
        pass

    class Below(Above):
        pass

    one = Below()
    assert isolate([one])[0] is not one
    Above.__deepcopy__ = lambda self, memo: self  # type: ignore[attr-defined]
    assert isolate([one])[0] is one


@BOTH
def test_an_object_that_is_also_met_through_a_weak_reference_is_copied_once(isolate: Isolate) -> None:
    class Target:
        pass

    class Holder:
        def __init__(self, target: Target) -> None:
            self.target = weakref.ref(target)

        def __reduce__(self) -> Any:
            return list, ([self.target()],)

    message: list[Any] = [Target()]
    message.append(Holder(message[0]))
    target, held = isolate(message)
    assert held == [target]


@BOTH
def test_a_dict_that_changes_while_it_is_copied_is_told(isolate: Isolate) -> None:
    class Grows:
        def __deepcopy__(self, memo: Any) -> Any:
            message["more"] = 1
            return 1

    message: dict[str, Any] = {"a": Grows(), "b": []}
    with pytest.raises(RuntimeError, match="changed size"):
        isolate(message)


@BOTH
def test_a_list_that_shrinks_while_it_is_copied_is_copied_as_far_as_it_goes(isolate: Isolate) -> None:
    class Empties:
        def __deepcopy__(self, memo: Any) -> Any:
            message.clear()
            return 1

    message: list[Any] = [Empties(), [2], [3]]
    assert isolate(message) == [1]


@BOTH
def test_the_class_of_a_class_may_have_code_for_its_hash(isolate: Isolate) -> None:
    class Meta(type):
        def __hash__(cls) -> int:
            message.clear()
            return 1

    class Odd(metaclass=Meta):
        pass

    message: list[Any] = [1, Odd(), Odd()]
    assert len(isolate(message)) <= 3


@BOTH
def test_the_handler_of_a_signal_has_its_turn_while_a_large_message_is_copied(isolate: Isolate) -> None:
    def handler(number: int, frame: Any) -> None:
        raise TimeoutError

    class Begins:
        """Starts the clock once the copy is under way: however busy the machine, it does not strike before."""

        def __deepcopy__(self, memo: Any) -> Any:
            signal.setitimer(signal.ITIMER_REAL, 0.005)

    large = [Begins(), *([number] for number in range(1_000_000))]
    before = signal.signal(signal.SIGALRM, handler)
    gc.disable()  # a callback of the collector's would swallow the exception
    try:
        with pytest.raises(TimeoutError):
            isolate(large)
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_nothing_leaks(kernel: Isolate) -> None:
    plans = [[(kind, [kind, kind + 3, 13, 14])] for kind in range(27)]
    messages = [build([(0, [1, 2]), (2, [13]), *plan], [(13, 15)]) for plan in plans]

    def copy_all(rounds: int) -> int:
        for _ in range(rounds):
            for message in messages:
                kernel(message)
        gc.collect()
        return sys.getallocatedblocks()

    before = copy_all(20)
    assert copy_all(200) - before < 200
