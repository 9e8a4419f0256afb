"""The isolation of messages: neither side of a send sees what the other changes later."""

import collections
import copy
import dataclasses
import datetime
import enum
import pickle
import queue
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import gevent.event
import gevent.lock
import gevent.pool
import gevent.queue
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import (
    AlreadyRegisteredError,
    CallError,
    NoProcessError,
    NotInProcessError,
    Pid,
    ProcessExit,
    ReceiveTimeout,
    Ref,
    SpecError,
    StartError,
    SupervisorError,
    dictionary,
    process_info,
    receive,
    self_,
    send,
)
from runtime.terms.isolation import isolate
from tests.support.in_node import in_node


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Box:
    content: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    content: Any


@dataclasses.dataclass(slots=True)
class Slotted:
    content: Any


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenSlotted:
    content: Any


class Names(dict[str, Any]):
    """A dict with attributes of its own."""


class Numbers(list[Any]):
    """A list with attributes of its own."""


class Pair(tuple[Any, ...]):
    """A tuple with attributes of its own."""


class Text(str):
    """A string with attributes of its own."""


CONSTANTS = st.sampled_from([Colour.RED, Pid(1)])
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.just(Colour.RED),
    st.just(Pid(1)),
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(collections.deque),
        st.lists(inner, max_size=3).map(Numbers),
        st.lists(inner, max_size=3).map(Pair),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
        st.dictionaries(st.text(max_size=2), inner, max_size=3).map(Names),
        st.dictionaries(st.text(max_size=2), inner, max_size=3).map(collections.OrderedDict),
        st.sets(st.integers(), max_size=3),
        st.frozensets(st.text(max_size=2), max_size=3),
        st.builds(Box, inner),
        st.builds(Frozen, inner),
        st.builds(Slotted, inner),
        st.builds(FrozenSlotted, inner),
        st.builds(Point, inner, inner),
        st.binary(max_size=3).map(bytearray),
    ),
    max_leaves=8,
)
MUTABLE = (list, dict, set, bytearray, collections.deque, Box, Slotted)


def inside(value: Any) -> Iterator[Any]:
    """Yield a value and everything in it."""
    yield value
    if isinstance(value, dict):
        children: Any = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        children = value
    elif dataclasses.is_dataclass(value):
        children = [value.content]  # type: ignore[union-attr]
    else:
        children = ()
    for child in children:
        yield from inside(child)


@given(VALUES)
def test_a_copy_is_equal_has_the_same_types_and_shares_nothing_that_can_change(value: Any) -> None:
    copied = isolate(value)
    assert copied == value
    assert [type(part) for part in inside(copied)] == [type(part) for part in inside(value)]
    theirs = {id(part) for part in inside(value) if isinstance(part, MUTABLE)}
    assert not any(id(part) in theirs for part in inside(copied))


@given(VALUES, VALUES)
def test_what_is_shared_in_one_message_is_shared_in_the_copy(one: Any, other: Any) -> None:
    shared = [one]
    copied = isolate({"a": shared, "b": (other, shared), "c": Box(shared)})
    assert copied["a"] is copied["b"][1] is copied["c"].content
    assert copied["a"] is not shared


@given(ATOMS | st.tuples(ATOMS, ATOMS) | st.tuples(st.tuples(ATOMS), ATOMS) | st.builds(Point, ATOMS, st.tuples(ATOMS)))
def test_what_cannot_change_travels_by_reference(value: Any) -> None:
    assert isolate(value) is value


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        2j,
        ...,
        object(),
        range(3),
        Ref(),
        int,
        len,
        re.compile("a"),
        datetime.date(2000, 1, 1),
        threading,
        Colour.RED,
        Colour,
    ],
)
def test_immutable_values_and_code_travel_by_reference(value: Any) -> None:
    assert isolate(value) is value
    assert isolate([value])[0] is value


def test_a_tuple_with_something_mutable_deep_inside_or_with_attributes_of_its_own_is_copied() -> None:
    inner: list[int] = [1]
    copied = isolate(("a", Point(1, ("b", inner))))
    assert copied[1].y[1] == inner
    assert copied[1].y[1] is not inner
    pair = Pair((1, 2))
    pair.note = [3]  # type: ignore[attr-defined]
    assert isolate((pair,))[0].note is not pair.note  # type: ignore[attr-defined]


def in_a_list(value: Any) -> Any:
    found = [1]
    found.append(value)
    return found


def test_cycles_lead_back_to_the_copy() -> None:
    looped: list[Any] = [1]
    looped.append(looped)
    copied = isolate(looped)
    assert copied is not looped
    assert copied[1] is copied

    table: dict[str, Any] = {}
    table["pair"] = (table, 1)
    copied = isolate(table)
    assert copied["pair"][0] is copied

    box = Box(None)
    box.content = {"me": box}
    copied = isolate(box)
    assert copied.content["me"] is copied


class Node:
    """Compared and hashed by identity."""

    def __init__(self) -> None:
        self.others: Any = None


@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_cycle_through_a_set_leads_back_to_the_copy(kind: type) -> None:
    node = Node()
    node.others = kind([node])
    for copied in (isolate(node), next(iter(isolate(node.others)))):
        assert copied is not node
        assert next(iter(copied.others)) is copied
    whole = isolate(node.others)
    assert next(iter(whole)).others is whole


def test_attributes_of_containers_and_strings_come_along() -> None:
    values: tuple[Any, ...] = (Names(a=[1]), Numbers([[1]]), Pair([[1]]), Text("t"))
    for value in values:
        value.note = ["x"]
        copied = isolate(value)
        assert type(copied) is type(value)
        assert copied == value
        assert copied.note == ["x"]
        assert copied.note is not value.note


def numbers() -> Iterator[int]:
    yield 1


def test_what_cannot_be_copied_travels_by_reference_and_what_is_around_it_does_not() -> None:
    with socket.socket() as connection:
        for leaf in (connection, threading.Lock(), numbers(), open):
            box = Box([leaf, {"inner": leaf}, [1]])
            copied = isolate(box)
            assert copied is not box
            assert copied.content is not box.content
            assert copied.content[0] is copied.content[1]["inner"] is leaf
            assert copied.content[2] is not box.content[2]


class Worker(threading.Thread):
    """A thread of a program's own class."""


@pytest.mark.parametrize(
    "handle",
    [
        *(threading.Event(), threading.Condition(), threading.Semaphore(), threading.Barrier(1), Worker()),
        *(queue.Queue(), queue.PriorityQueue(), Future()),
        *(gevent.event.Event(), gevent.event.AsyncResult(), gevent.queue.Queue(), gevent.lock.RLock()),
        *(gevent.pool.Pool(), gevent.Timeout(1)),
    ],
    ids=lambda handle: f"{type(handle).__module__}.{type(handle).__name__}",
)
def test_what_is_of_use_only_as_itself_travels_by_reference(handle: Any) -> None:
    assert isolate(handle) is handle
    assert isolate([handle])[0] is handle
    box = Box([handle])
    assert isolate(box).content[0] is handle


def test_a_program_that_runs_travels_by_reference() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as program:
        assert isolate([program])[0] is program


def test_exceptions_are_copied_with_what_they_carry() -> None:
    error: Any = ValueError("wrong", [1])
    error.detail = {"a": [2]}
    copied = isolate(error)
    assert (type(copied), copied.args, copied.detail) == (ValueError, error.args, {"a": [2]})
    assert copied.args[1] is not error.args[1]
    assert copied.detail["a"] is not error.detail["a"]


@pytest.mark.parametrize(
    "error",
    [
        NoProcessError("nobody"),
        AlreadyRegisteredError("taken", Pid(1)),
        ReceiveTimeout(1.5),
        NotInProcessError("receive"),
        CallError("timeout", "call", (Pid(1), "get", 5.0)),
        StartError(("already_started", Pid(1))),
        SupervisorError("not_found"),
        SpecError("missing_id", "a child spec needs an id"),
        ProcessExit(("shutdown", 1)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_errors_of_the_runtime_can_be_sent_and_pickled(error: BaseException) -> None:
    for copied in (isolate(error), pickle.loads(pickle.dumps(error))):
        assert copied is not error
        assert (type(copied), str(copied), copied.args) == (type(error), str(error), error.args)
        assert vars(copied) == vars(error)


@in_node
def test_what_process_info_gives_is_not_shared_with_the_process() -> None:
    send(self_(), ["message"])
    dictionary()["key"] = ["value"]
    info = process_info(self_(), "messages", "dictionary")
    assert info is not None
    info["messages"][0].append("more")
    info["dictionary"]["key"].append("more")
    assert receive() == ["message"]
    assert dictionary() == {"key": ["value"]}


def test_functions_with_bound_arguments_and_methods_do_not_share_them() -> None:
    box = Box([1])
    call = partial(in_a_list, box)
    method = box.__eq__
    calls = isolate([call, call, method, method])
    assert calls[0] is calls[1]
    assert calls[2] is calls[3]
    assert calls[0].args[0] is calls[2].__self__
    assert calls[0].args[0] is not box


class Stubborn:
    """Cannot be taken apart."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise OSError("no")


class Own:
    """Says itself how it is copied."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def __deepcopy__(self, memo: dict[int, Any]) -> "Own":
        return Own(copy.deepcopy(self.parts, memo))


def test_a_class_may_refuse_to_be_copied_or_say_how() -> None:
    stubborn, own = Stubborn(), Own([1])
    copied = isolate([stubborn, own])
    assert copied[0] is stubborn
    assert copied[1].parts == [1]
    assert copied[1].parts is not own.parts


def test_the_default_of_a_defaultdict_and_the_length_of_a_deque_are_kept() -> None:
    table: Any = collections.defaultdict(list, a=[1])
    copied = isolate(table)
    assert copied["b"] == []
    assert "b" not in table
    assert isolate(collections.deque([1, 2], maxlen=2)).maxlen == 2
    assert isolate(collections.Counter("aab")) == {"a": 2, "b": 1}
