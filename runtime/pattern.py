"""What `receive` takes: patterns, turned into functions once and remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType
from typing import Any

from runtime.pid import Pid, Ref, TimerRef

Matcher = Callable[[Any], bool]

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, MethodDescriptorType, partial)
"""What counts as a function, which as a pattern is a predicate."""


class Any_:
    """The type of `ANY`, the pattern that every message matches."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ANY"

    def __reduce__(self) -> str:
        return "ANY"


ANY = Any_()


class Matching:
    """A set of patterns in working order: `accepts(message)` says whether any of them matches.

    `stable` promises that a message once refused stays refused, so that a mailbox need not be looked through again.
    `newer_than` is the number of a reference that every message has in it that matches, 0 when there is none: what
    came before that reference was made cannot match.
    """

    __slots__ = ("accepts", "newer_than", "stable")

    def __init__(self, accepts: Matcher, stable: bool, newer_than: int = 0) -> None:
        self.accepts = accepts
        self.stable = stable
        self.newer_than = newer_than


_known: dict[tuple[Any, ...], Matching] = {}
_MAX_KNOWN = 1_000


def matching(patterns: tuple[Any, ...]) -> Matching:
    """Give the `Matching` of some patterns; the same object again for equal ones, where that is safe."""
    try:
        found = _known.get(patterns)
    except TypeError:  # something unhashable inside
        return _build(patterns)
    if found is None or not found.stable:
        found = _build(patterns)
        if found.stable:
            if len(_known) >= _MAX_KNOWN:
                _known.clear()
            _known[patterns] = found
    return found


def _build(patterns: tuple[Any, ...]) -> Matching:
    matchers = [compile_pattern(pattern) for pattern in patterns]
    stable = all(_is_constant(pattern) for pattern in patterns)
    newer_than = min(map(_newest_reference, patterns)) if stable else 0
    if len(matchers) == 1:
        return Matching(matchers[0], stable, newer_than)

    def any_matches(message: Any) -> bool:
        return any(accepts(message) for accepts in matchers)

    return Matching(any_matches, stable, newer_than)


def _newest_reference(pattern: Any) -> int:
    """Give the highest number of the references that a pattern demands, 0 when it demands none."""
    if isinstance(pattern, tuple):
        return max(map(_newest_reference, pattern), default=0)
    return pattern.id if isinstance(pattern, Ref) else 0


def _is_constant(pattern: Any) -> bool:
    kind = type(pattern)
    if isinstance(pattern, tuple):
        return all(_is_constant(item) for item in pattern)
    return isinstance(pattern, type) or pattern is ANY or kind in _CONSTANT


_CONSTANT: set[type] = {str, int, float, bool, bytes, type(None), Pid, Ref, TimerRef}


def constant_type(kind: type) -> type:
    """Declare that values of `kind` never change and compare by value; a class decorator for the runtime's own."""
    _CONSTANT.add(kind)
    return kind


def compile_pattern(pattern: Any) -> Matcher:
    """Turn one pattern into a predicate that never raises: a guard that fails does not match, as in Erlang."""
    if pattern is ANY:
        return lambda message: True
    if isinstance(pattern, type):
        return partial(_is_instance, pattern)
    if isinstance(pattern, FUNCTIONS):
        return partial(_guarded, pattern)
    if isinstance(pattern, (tuple, list)):
        return partial(_matches_sequence, type(pattern), len(pattern), [compile_pattern(item) for item in pattern])
    if isinstance(pattern, dict):
        return partial(_matches_dict, {key: compile_pattern(item) for key, item in pattern.items()})
    return partial(_equals, pattern)


def _is_instance(kind: type, message: Any) -> bool:
    return isinstance(message, kind)


def _guarded(predicate: Callable[[Any], Any], message: Any) -> bool:
    try:
        return bool(predicate(message))
    except Exception:
        return False


def _equals(value: Any, message: Any) -> bool:
    if value is message:
        return True
    try:
        return bool(value == message)
    except Exception:  # somebody's __eq__
        return False


def _matches_sequence(kind: type, length: int, items: list[Matcher], message: Any) -> bool:
    if not isinstance(message, kind) or len(message) != length:  # type: ignore[arg-type]
        return False
    return all(accepts(part) for accepts, part in zip(items, message, strict=True))  # type: ignore[call-overload]


def _matches_dict(items: dict[Any, Matcher], message: Any) -> bool:
    if not isinstance(message, dict) or len(message) != len(items):
        return False
    return all(key in message and accepts(message[key]) for key, accepts in items.items())
