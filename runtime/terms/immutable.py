"""Immutable types: whose values are never copied, and may be compared and shown without running the program's code."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import re
import types
import uuid
import weakref
from typing import TypeVar

IMMUTABLE: set[type] = {int, float, complex, bool, str, bytes, type(None)}
"""Types whose values never change, and whose ``__eq__`` and ``__repr__`` run none of the program's code."""

ATOMIC: set[type] = {
    *IMMUTABLE,
    *(type(Ellipsis), type(NotImplemented), object, type, range, slice, property),
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, weakref.ref),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.datetime, datetime.timezone),
    *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern),
    *(pathlib.PurePosixPath, pathlib.PosixPath, pathlib.PureWindowsPath),
}
"""Types whose values travel by reference: the immutable ones, code, and handles of use only as themselves."""

_Type = TypeVar("_Type", bound=type)


def immutable(kind: _Type) -> _Type:
    """Declare that values of a class are immutable. A decorator for the runtime's own classes, such as `Pid`."""
    IMMUTABLE.add(kind)
    ATOMIC.add(kind)
    return kind


def travels_by_reference(kind: _Type) -> _Type:
    """Declare that values of a class are never copied, although they may hold values of the program's."""
    ATOMIC.add(kind)
    return kind
