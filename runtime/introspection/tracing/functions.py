"""Finds the functions that a trace is to follow, by names like ``shop.orders:Order.price``, or says what is wrong."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from runtime.introspection.tracing.limits import MAX_FUNCTIONS
from runtime.terms.text import render

LONGEST = 300
"""Longest name of a function, in characters."""

FORM = "write module:function or module:Class.method, like shop.orders:Order.price"


class NoFunctionError(Exception):
    """A name is not that of a function; the text says why, in a sentence."""


class Found(NamedTuple):
    """A function: its name as it was asked for, where it stands, what stands there, and the function itself."""

    name: str
    owner: ModuleType | type
    attribute: str
    value: object
    """What stands there: the function, or the static method, class method or property that it is in."""
    function: FunctionType


def find_functions(names: tuple[str, ...]) -> list[Found]:
    """Return the functions of these names. Raises NoFunctionError. Nothing of the program's is run, or loaded."""
    if len(names) > MAX_FUNCTIONS:
        raise NoFunctionError(f"A trace follows at most {MAX_FUNCTIONS} functions, not {len(names)}.")
    return [_find(name) for name in dict.fromkeys(names)]


def _find(name: str) -> Found:
    where, colon, path = name.partition(":")
    parts = path.split(".")
    if not colon or not where or not all(parts) or len(name) > LONGEST:
        raise NoFunctionError(f"{render(name[:LONGEST])} is not the name of a function: {FORM}.")
    module = sys.modules.get(where)
    if module is None:
        near = get_close_matches(where, [*sys.modules], n=1)
        hint = f" There is {render(near[0])}." if near else ""
        raise NoFunctionError(f"The program has loaded no module {render(where)}.{hint}")
    owner: ModuleType | type = module
    for part in parts[:-1]:
        value = _attribute(owner, part, name)[1]
        if not isinstance(value, type):
            raise NoFunctionError(f"{render(part)} in {render(name)} is no class: {FORM}.")
        owner = value
    owner, value = _attribute(owner, parts[-1], name)
    function = _function_in(value)
    if function is None:
        kind = type(value).__name__
        raise NoFunctionError(f"{render(name)} is no function written in Python: it is of the type {render(kind)}.")
    return Found(name, owner, parts[-1], value, function)


def _attribute(owner: ModuleType | type, attribute: str, name: str) -> tuple[ModuleType | type, Any]:
    """Return an attribute, and the module or the class that has it, without asking the program's code for it."""
    places = type.mro(owner) if isinstance(owner, type) else [owner]
    known: list[str] = []
    for place in places:
        if attribute in vars(place):
            return place, vars(place)[attribute]
        known += vars(place)
    near = get_close_matches(attribute, known, n=1)
    hint = f" There is {render(near[0])}." if near else ""
    raise NoFunctionError(f"There is no {render(attribute)} where {render(name)} looks for it.{hint}")


def _function_in(value: object) -> FunctionType | None:
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    return value if type(value) is FunctionType else None
