"""Answers of a node that means harm: every field of every answer, filled with every value that did damage once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import inspect

from runtime.introspection import wire

EVIL = "\x1b]0;owned\x07\x1b[31m\u202e\u200b\x9b2J\r\n\x00"
"""Text that sets a window's title, changes colours, turns the direction of writing and clears the screen."""

HOSTILE: tuple[object, ...] = (
    *(None, True, -1, 2**53, 10**18, 2**64 - 1, -(2**63)),
    *(math.nan, math.inf, -math.inf, 1e300, -1e300, -1.0),
    *(EVIL, "", "x" * 10_000, "x" * 30_000, b"\xff"),
    *([], [[[]]], {}, {"a": {}}, [None], [EVIL]),
)
"""Values that are put into every field."""

Raw = dict[str, object]
_Path = tuple[str | int, ...]


def full(kind: type[wire.Frozen]) -> Raw:
    """Return a harmless value of that type as it is encoded, with all of its fields filled."""
    value = _full(_type_of(kind))
    assert isinstance(value, dict)
    return value


def answers() -> list[type[wire.Answer]]:
    """Return the types of all answers that a reply may carry."""
    return list(get_args(get_type_hints(wire.Reply)["answer"]))


def with_evil_text(kind: type[wire.Answer]) -> Raw:
    """Return an answer with `EVIL` in every text that may hold whatever the program says."""
    value = full(kind)
    for path, field in _leaves(_type_of(kind), ()):
        if isinstance(field, inspect.StrType) and field.pattern is None:
            _put(value, path, EVIL)
    return value


def extreme(kind: type[wire.Answer], largest: bool) -> Raw:
    """Return an answer in which every figure is as large, or as small, as its field allows."""
    value = full(kind)
    for path, field in _leaves(_type_of(kind), ()):
        if isinstance(field, inspect.FloatType | inspect.IntType):
            limit = field.le if largest else field.ge
            endless = math.inf if isinstance(field, inspect.FloatType) else 2**63 - 1
            _put(value, path, limit if limit is not None else endless if largest else -endless)
    return value


def hostile(kind: type[wire.Answer]) -> Iterator[tuple[str, Raw]]:
    """Yield answers of that type with one field changed, each with a name that says which field and how."""
    whole = full(kind)
    for path, _ in _leaves(_type_of(kind), ()):
        for bad in HOSTILE:
            value = deepcopy(whole)
            _put(value, path, bad)
            yield f"{'.'.join(map(str, path))}={bad!r:.40}", value


def encoded(answer: object) -> bytes:
    """Return the body of a frame with `answer` in it."""
    return msgspec.msgpack.encode({"id": 1, "answer": answer})


@cache
def _type_of(kind: type[wire.Frozen]) -> inspect.Type:
    return inspect.type_info(kind)


def _full(kind: inspect.Type) -> object:
    match kind:
        case inspect.StructType(fields=fields, tag_field=tag_field, tag=tag):
            filled = {field.encode_name: _full(field.type) for field in fields}
            return {tag_field: tag, **filled} if tag_field is not None else filled
        case inspect.UnionType(types=types):
            return _full(_chosen(types))
        case inspect.StrType(pattern=pattern):
            return "text" if pattern is None else "<0.17.0>"
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.VarTupleType(item_type=item):
            return [_full(item)]
        case inspect.DictType():
            return {"text": "text"}
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 1
        case inspect.FloatType():
            return 1.0
    raise AssertionError(f"no sample of {kind}")


def _leaves(kind: inspect.Type, path: _Path) -> Iterator[tuple[_Path, inspect.Type]]:
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _leaves(field.type, (*path, field.encode_name))
        case inspect.UnionType(types=types):
            yield from _leaves(_chosen(types), path)
        case inspect.VarTupleType(item_type=item):
            yield path, kind
            yield from _leaves(item, (*path, 0))
        case inspect.DictType(value_type=value):
            yield path, kind
            yield from _leaves(value, (*path, "text"))
        case _:
            yield path, kind


def _chosen(types: tuple[inspect.Type, ...]) -> inspect.Type:
    return next(each for each in types if not isinstance(each, inspect.NoneType))


def _put(value: Any, path: _Path, new: object) -> None:
    *way, last = path
    for step in way:
        value = value[step]
    value[last] = new
