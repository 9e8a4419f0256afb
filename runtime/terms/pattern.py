"""What `receive` takes: patterns, turned into functions once and remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    UnionType,
    WrapperDescriptorType,
)
from typing import Any

from runtime.terms.immutable import IMMUTABLE
from runtime.terms.own_repr import bounded
from runtime.terms.ref import Ref, TimerRef
from runtime.terms.signal_handlers import is_of_handler

Matcher = Callable[[Any], bool]

FUNCTIONS = (
    *(FunctionType, BuiltinFunctionType, MethodType, MethodDescriptorType),
    *(MethodWrapperType, WrapperDescriptorType, partial),
)
"""What counts as a function, which as a pattern is a predicate."""


class Any_:
    """The type of `ANY`, the pattern that every message matches."""

    __slots__ = ()

    @bounded
    def __repr__(self) -> str:
        return "ANY"

    def __reduce__(self) -> str:
        return "ANY"


ANY = Any_()


class Matching:
    """A set of patterns in working order: `accepts(message)` says whether any of them matches.

    `stable` promises that a refused message stays refused, so that a mailbox need not be searched again.
    `newer_than` is the number of a reference of this node that every matching message contains, or 0: a message that is
    older than the reference cannot match.

    Once remembered, `first` is the type of the first pattern, and `kinds` those of all tuples in the patterns where it
    does not tell all.
    """

    __slots__ = ("accepts", "first", "kinds", "newer_than", "stable")

    first: type
    kinds: list[Any] | None

    def __init__(self, accepts: Matcher, stable: bool, newer_than: int = 0) -> None:
        self.accepts = accepts
        self.stable = stable
        self.newer_than = newer_than


_known: dict[tuple[Any, ...], Matching] = {}
_MAX_KNOWN = 1_000


def matching(patterns: tuple[Any, ...]) -> Matching:
    """Return the `Matching` of some patterns; the same object again for equal ones, where that is safe."""
    try:
        found = _known.get(patterns)
    except TypeError:  # something unhashable inside
        return _build(patterns)
    except Exception as error:  # a __hash__ of the program's
        if is_of_handler(error):
            raise
        return _build(patterns)
    if (
        found is not None
        # a named tuple equals a plain one with the same items, and matches something else
        and found.first is type(patterns[0])
        and (found.kinds is None or found.kinds == _kinds(patterns))
    ):
        return found
    found = _build(patterns)
    if found.stable:
        found.first = type(patterns[0])
        kinds = _kinds(patterns)
        found.kinds = None if kinds in ([], [found.first]) else kinds
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        _known.pop(patterns, None)  # else the key stays the other kind of tuple
        _known[patterns] = found  # last: what is half made must not be found
    return found


def _kinds(items: tuple[Any, ...]) -> list[Any]:
    """Return the type of each tuple among the items, followed by the types of the tuples inside it."""
    kinds: list[Any] = []
    for item in items:
        if isinstance(item, tuple):
            kinds.append(type(item))
            for inner in item:
                if isinstance(inner, tuple):
                    kinds.append(_kinds(item))
                    break
    return kinds


def _build(patterns: tuple[Any, ...]) -> Matching:
    newest = [_newest_reference(pattern) for pattern in patterns]
    stable = _CHANGES not in newest
    newer_than = min(newest) if stable else 0
    matchers = [compile_pattern(pattern) for pattern in patterns]
    if len(matchers) == 1:
        return Matching(matchers[0], stable, newer_than)

    def any_matches(message: Any) -> bool:
        for accepts in matchers:  # noqa: SIM110  # any() would make a generator for each message
            if accepts(message):
                return True
        return False

    return Matching(any_matches, stable, newer_than)


_CHANGES = -1


def _newest_reference(pattern: Any) -> int:
    """Return the highest number of this node's references that a pattern demands, 0 when it demands none.

    `_CHANGES` for one that may accept tomorrow what it refuses today: a function, a value that can change.
    """
    kind = type(pattern)
    if kind is Ref or kind is TimerRef:
        number: int = pattern.id if pattern.node == 0 else 0  # another node counts its own
        return number
    if kind in IMMUTABLE or pattern is ANY or isinstance(pattern, (type, UnionType)):
        return 0
    if not isinstance(pattern, tuple):
        return _CHANGES
    newest = 0
    for item in pattern:
        number = _newest_reference(item)
        if number == _CHANGES:
            return _CHANGES
        newest = max(newest, number)
    return newest


def compile_pattern(pattern: Any) -> Matcher:
    """Turn one pattern into a predicate. A guard that fails does not match, as in Erlang.

    What it raises is of a signal's handler, which has interrupted code of the program's.
    """
    if pattern is ANY:
        return lambda message: True
    if isinstance(pattern, (type, UnionType)):
        return partial(_is_instance, pattern)
    if isinstance(pattern, FUNCTIONS):
        return partial(_guarded, pattern)
    if isinstance(pattern, (tuple, list)):
        tests = [(index, compile_pattern(item)) for index, item in enumerate(pattern) if item is not ANY]
        return partial(_matches_sequence, type(pattern), len(pattern), tests)
    if isinstance(pattern, dict):
        return partial(_matches_dict, {key: compile_pattern(item) for key, item in pattern.items()})
    return partial(_equals, pattern)


def _is_instance(kind: type | UnionType, message: Any) -> bool:
    return isinstance(message, kind)


def _guarded(predicate: Callable[[Any], Any], message: Any) -> bool:
    try:
        return bool(predicate(message))
    except Exception as error:
        if is_of_handler(error):
            raise
        return False


def _equals(value: Any, message: Any) -> bool:
    if value is message:
        return True
    try:
        return bool(value == message)
    except Exception as error:  # an __eq__ of the program's
        if is_of_handler(error):
            raise
        return False


def _matches_sequence(kind: type, length: int, tests: list[tuple[int, Matcher]], message: Any) -> bool:
    """Return whether `message` is such a sequence and passes the tests, each of the item at its index."""
    if not isinstance(message, kind) or len(message) != length:  # type: ignore[arg-type]
        return False
    for index, accepts in tests:  # noqa: SIM110  # all() would make a generator for each message
        if not accepts(message[index]):  # type: ignore[index]
            return False
    return True


def _matches_dict(items: dict[Any, Matcher], message: Any) -> bool:
    if not isinstance(message, dict) or len(message) != len(items):
        return False
    return all(key in message and accepts(message[key]) for key, accepts in items.items())
