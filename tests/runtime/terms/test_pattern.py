"""Patterns: what matches, beside a naive model of the rules, and what `receive` makes of it in any order."""

from collections import deque
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import ANY, Down, Exit, Pid, Ref
from runtime.kernel.mailbox import NOTHING, take
from runtime.kernel.process import OUTSIDE, RUNNING, Process
from runtime.kernel.signals import put
from runtime.terms import pattern
from runtime.terms.pattern import Matching, matching

ATOMS = st.one_of(st.sampled_from(["a", "b", ""]), st.integers(-1, 1), st.none(), st.booleans(), st.floats(0, 1))
MESSAGES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    ),
    max_leaves=6,
)
TYPES = st.sampled_from([str, int, float, tuple, list, dict, type(None), object])
PATTERNS = st.recursive(
    st.one_of(ATOMS, TYPES, st.just(ANY), st.just(lambda message: message in ("a", 1))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    ),
    max_leaves=6,
)


def model(pattern: Any, message: Any) -> bool:
    """Whether a pattern matches, as the API puts it."""
    if pattern is ANY:
        return True
    if isinstance(pattern, type):
        return isinstance(message, pattern)
    if callable(pattern):
        return bool(pattern(message))
    if isinstance(pattern, (tuple, list)):
        return (
            isinstance(message, type(pattern))
            and len(message) == len(pattern)
            and all(model(part, item) for part, item in zip(pattern, message, strict=True))
        )
    if isinstance(pattern, dict):
        return (
            isinstance(message, dict)
            and message.keys() == pattern.keys()
            and all(model(part, message[key]) for key, part in pattern.items())
        )
    return bool(pattern == message)


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(MESSAGES, max_size=8))
def test_any_of_several_patterns_matches_what_the_rules_say(patterns: list[Any], messages: list[Any]) -> None:
    accepts = matching(tuple(patterns)).accepts
    for message in messages:
        assert accepts(message) == any(model(pattern, message) for pattern in patterns)


def one_process() -> Process:
    """A record of a process that no node runs."""
    process = Process.__new__(Process)
    process.state = RUNNING
    process.mailbox = process.saved = None
    process.messages_in = 0
    return process


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), MESSAGES),
        st.tuples(st.just("receive"), st.lists(PATTERNS, max_size=2).map(tuple)),
        st.tuples(st.just("again"), st.just(())),
    ),
    max_size=40,
)


@given(STEPS)
def test_receiving_takes_the_oldest_match_whatever_was_looked_through_before(steps: list[tuple[str, Any]]) -> None:
    process, waiting = one_process(), []
    last: tuple[Any, ...] = ()
    for step, what in steps:
        if step == "arrive":
            put(process, what)
            waiting.append(what)
            continue
        last = last if step == "again" else what
        expected = next((m for m in waiting if not last or any(model(p, m) for p in last)), NOTHING)
        taken = take(process, matching(last) if last else None)
        assert taken is expected
        if taken is not NOTHING:
            del waiting[next(index for index, message in enumerate(waiting) if message is taken)]
        assert [id(message) for message in process.messages()] == [id(message) for message in waiting]


def test_what_constant_patterns_have_refused_is_not_looked_at_again() -> None:
    looks = 0

    def counting(message: Any) -> bool:
        nonlocal looks
        looks += 1
        return bool(message == "wanted")

    process, wanted = one_process(), Matching(counting, stable=True)
    process.mailbox = deque(range(1_000))
    for _ in range(5):
        assert take(process, wanted) is NOTHING
    assert looks == 1_000
    process.mailbox.append("wanted")
    assert take(process, wanted) == "wanted"
    assert looks == 1_001
    assert process.messages() == [*range(1_000)]


def test_nor_when_the_next_message_matches_at_once() -> None:
    looks = 0

    def counting(message: Any) -> bool:
        nonlocal looks
        looks += 1
        return bool(message == "wanted")

    process, wanted = one_process(), Matching(counting, stable=True)
    process.mailbox = deque(range(1_000))
    assert take(process, matching((str,))) is NOTHING
    for _ in range(3):
        process.mailbox.append("wanted")
        assert take(process, wanted) == "wanted"
    assert looks == 1_003


def test_what_a_function_has_refused_is_asked_again_because_it_may_have_changed_its_mind() -> None:
    process, wanted = one_process(), set()
    process.mailbox = deque(["a", "b"])
    predicate = matching((lambda message: message in wanted,))
    assert take(process, predicate) is NOTHING
    wanted.add("b")
    assert take(process, predicate) == "b"


def test_equal_constant_patterns_are_turned_into_functions_once() -> None:
    assert matching(("a", (Pid, ANY))) is matching(("a", (Pid, ANY)))


def test_patterns_that_could_not_be_remembered_can_be_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = ("half made", int)
    with monkeypatch.context() as patched:
        patched.setattr(pattern, "_kinds", Mock(side_effect=MemoryError))
        with pytest.raises(MemoryError):
            matching(patterns)
    assert matching(patterns).accepts(1)


def test_patterns_that_are_equal_but_not_the_same_type_are_kept_apart() -> None:
    assert matching((1,)).accepts(True)
    assert matching((True,)).accepts(1)
    assert not matching((int,)).accepts("1")
    assert not matching(((1,),)).accepts([1])


class Point(NamedTuple):
    x: int
    y: int


def test_a_named_tuple_matches_its_own_kind_and_a_tuple_matches_both() -> None:
    assert matching((Point(ANY, 2),)).accepts(Point(1, 2))  # type: ignore[arg-type]
    assert not matching((Point(1, 2),)).accepts((1, 2))
    assert matching(((1, int),)).accepts(Point(1, 2))
    ref = Ref()
    assert matching((Down(ref, ANY, ANY),)).accepts(Down(ref, OUTSIDE, "x"))
    assert not matching((Down(ref, ANY, ANY),)).accepts(Down(Ref(), OUTSIDE, "x"))
    assert not matching((Exit(OUTSIDE, ANY),)).accepts(Down(ref, OUTSIDE, "x"))


def test_a_named_tuple_and_a_plain_one_of_the_same_items_do_not_take_each_others_place() -> None:
    named, plain = Point(1, 2), (1, 2)
    for patterns in ((named,), (plain,), (named,)):
        is_plain = type(patterns[0]) is tuple
        assert matching(patterns).accepts(plain) == is_plain
        assert matching(("x", *patterns)).accepts(plain) == is_plain
        assert matching(("x", *patterns, "y")).accepts(plain) == is_plain
        assert matching((("a", ("b", *patterns)),)).accepts(("a", ("b", plain))) == is_plain


def test_a_union_of_types_matches_the_instances_of_each() -> None:
    assert matching((int | str,)).accepts("1")
    assert matching((("a", int | None),)).accepts(("a", None))
    assert not matching((int | str,)).accepts(1.0)


def test_methods_of_built_in_values_are_predicates() -> None:
    assert matching(((2).__lt__,)).accepts(3)
    assert not matching(((2).__lt__,)).accepts(1)
    assert matching(("abc".__contains__,)).accepts("b")


@pytest.mark.parametrize("predicate", [lambda m: m.missing, lambda m: 1 / 0, lambda: True])
def test_a_predicate_that_raises_does_not_match(predicate: Any) -> None:
    assert not matching((predicate,)).accepts("x")


class HasNoHash:
    """A value that says in a way of its own that it has no hash."""

    def __hash__(self) -> int:
        raise ValueError

    def __eq__(self, other: object) -> bool:
        return other == "wanted"


def test_a_value_whose_hash_raises_is_compared_all_the_same() -> None:
    wanted = matching(("never", HasNoHash()))
    assert wanted.accepts("wanted")
    assert not wanted.accepts("other")
