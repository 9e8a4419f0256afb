"""Looks at a value and its class without running any code of the program's: no property, no metaclass, no method."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

LONGEST_NAME = 200
"""Characters of a class's name that are shown."""


def static(kind: type, name: str) -> Any:
    """Return what a class has under that name; None when there is nothing."""
    for each in _mro(kind):
        found = _dict_of(each).get(name)
        if found is not None:
            return found
    return None


def class_name(kind: type) -> str:
    """Return the name of a class, or the beginning of a long one."""
    name: str = _name_of(kind)
    return name[:LONGEST_NAME]


def full_name(kind: type) -> str:
    """Return the qualified name of a class, with its module where it is not a builtin."""
    module = static(kind, "__module__")
    prefix = f"{module[:LONGEST_NAME]}." if type(module) is str and module != "builtins" else ""
    return f"{prefix}{_qualified_name_of(kind)[:LONGEST_NAME]}"


def where_defined(function: object) -> tuple[object, object]:
    """Return the module and the qualified name of a function or a class; None for what any other callable lacks."""
    if type(function) is types.MethodType:
        return where_defined(function.__func__)
    if issubclass(type(function), type):
        return _module_of(function), _qualified_name_of(function)  # type: ignore[arg-type]  # it is a class
    return _own(function, "__module__"), _own(function, "__qualname__")


def _module_of(kind: type) -> object:
    """Return the module of a class; None for one that has lost it."""
    module = static(kind, "__module__")
    if module is not None:
        return module
    try:
        return _module_in_name_of(kind)
    except AttributeError:
        return None


def _own(value: object, name: str) -> object:
    found = static(type(value), name)
    if type(found) is types.GetSetDescriptorType:  # of a kind that is written in C
        return found.__get__(value)
    return dict(attributes(value, (name,))).get(name)


def address(value: object) -> str:
    """Return what `object.__repr__` would: the class, and where the value is."""
    return f"<{full_name(type(value))} object at {id(value):#x}>"


def attributes(value: object, names: Iterable[str]) -> Iterator[tuple[str, object]]:
    """Yield those attributes that are stored in a value, with their names; what has to be computed is left out."""
    kind = type(value)
    for name in names:
        found = static(kind, name)
        getter = None if found is None else static(type(found), "__get__")
        if getter is not None and type(found) not in _STORED:
            continue
        try:
            yield name, object.__getattribute__(value, name)
        except AttributeError:
            continue  # not set yet, or deleted


def stored_names(value: object, most: int) -> list[str]:
    """Return the names of attributes that are stored in a value: in its slots, then in its dictionary."""
    names: list[str] = []
    held: dict[Any, Any] | None = None
    for each in _mro(type(value)):
        entries = _dict_of(each)
        names += [n for n, found in islice(entries.items(), most) if type(found) is types.MemberDescriptorType]
        dictionary = entries.get("__dict__")
        if held is None and type(dictionary) is types.GetSetDescriptorType:
            held = dictionary.__get__(value)
    return [*names, *(name for name in list(islice(held or (), most)) if type(name) is str)][:most]


_STORED = (types.MemberDescriptorType, types.FunctionType)
"""What may stand in a class in place of a stored attribute: a slot, and a default that is a function."""

_name_of = type.__dict__["__name__"].__get__
_qualified_name_of = type.__dict__["__qualname__"].__get__
_module_in_name_of = type.__dict__["__module__"].__get__  # of a class that is written in C
_mro = type.__dict__["__mro__"].__get__
_dict_of = type.__dict__["__dict__"].__get__
