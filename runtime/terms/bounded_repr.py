"""A `repr` whose work is bounded, for any value.

`repr` of a list with a million items takes a second, and holds the interpreter for all of it. Here, containers are gone
through a few items at a time, long texts are cut before they are made, and a program's own ``__repr__`` is called only
where it can be stopped: on a value whose contents are small, while each of its lines looks at the time.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import functools
import gc
import os
import re
import sys
import time
import types
import weakref
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from runtime.terms.time_limit import OutOfTime, within

ITEMS = 20
"""Items of one container that are shown."""

LEVELS = 5
"""Containers within containers that are shown."""

VALUES = 600
"""Values that are shown, all together."""

TEXT = 300
"""Longest text of one value that is no container, in characters."""

MAX_TEXT = 1_000
"""Longest text of one reason, in characters."""

REASON_ITEMS = 8
"""Items of a tuple that are shown in a reason."""

PATIENCE = 0.1
"""Seconds that the program's classes may wait for something, all together, while they describe one value."""

WIDE_INTEGER = 1_024
"""Bits of the longest integer whose digits are shown: finding the digits takes the square of their number."""

WORK = 0.002
"""Seconds of processor time that the description of one value may take, with all that is in it."""

WORK_OF_CLASSES = 0.002
"""Seconds that the program's classes may take besides, all together, to describe what is in it."""

SMALL = 1_000
"""Objects that a value may consist of for its class to be asked for a description."""

SMALL_SIZE = 10_000
"""Characters and bytes in them."""

SMALL_CONTAINER = 200
"""Items in each container among them."""

Show: TypeAlias = "Callable[[BoundedRepr, Any, int], str]"


class BoundedRepr:
    """Describes one value."""

    def __init__(self) -> None:
        self._values = VALUES
        self._ends = time.thread_time() + WORK
        self._left = WORK_OF_CLASSES
        self._waits_until = time.monotonic() + PATIENCE

    def text(self, value: object, level: int = LEVELS) -> str:
        """Return what `repr` would, or the beginning of it; `level` more containers are looked into."""
        if self._values <= 0 or time.thread_time() > self._ends:
            return "..."
        self._values -= 1
        kind = type(value)
        show = static(kind, "__repr__")
        known = _KNOWN.get(show) if type(show) in _DESCRIPTORS else None
        if known is not None:
            return known(self, value, level)
        if type(show) is not types.FunctionType:
            return _of_extension(value, kind, show)
        if show.__code__ is _NAMED_TUPLE:
            return self._fields(kind, zip(static(kind, "_fields"), tuple.__iter__(value), strict=False), level)  # type: ignore[arg-type]
        generated = vars(show).get("__wrapped__")
        if generated is not None and generated.__code__.co_filename == "<string>" and dataclasses.is_dataclass(kind):
            shown = [each.name for each in dataclasses.fields(kind) if each.repr]
            return self._fields(kind, _attributes(value, shown), level)
        return self._own(value, kind, show)

    def reason(self, value: object, level: int = LEVELS) -> str:
        """Return the text of an exit reason: strings are bare, for they are atoms."""
        if type(value) is str:
            return cut(value, MAX_TEXT)
        if type(value) is not tuple:
            return self.text(value, level)
        if level <= 0 or self._values <= 0:
            return "(...)"
        self._values -= 1
        texts = [self.reason(item, level - 1) for item in value[:REASON_ITEMS]]
        return f"({', '.join([*texts, '...'] if len(value) > REASON_ITEMS else texts)})"

    def _own(self, value: object, kind: type, show: types.FunctionType) -> str:
        """Call a ``__repr__`` written in Python, where that cannot take long."""
        name = class_name(kind)
        if kind in _slow or not (show.__code__.co_filename.startswith(_RUNTIME) or is_small(value)):
            return f"<{name} that is too large to be asked for its __repr__>"
        before = time.thread_time()
        try:
            text = within(self._left, show, value, self._waits_until - time.monotonic())
            if type(text) is not str:
                return f"<{name} whose __repr__ returned no text>"
            return cut(text, TEXT)
        except OutOfTime:
            return f"<{name} whose __repr__ takes too long>"
        except BaseException as error:
            return f"<{name} whose __repr__ raised {type(error).__name__}>"
        finally:
            took = time.thread_time() - before
            self._left -= took
            self._ends += took
            if took > 2 * WORK_OF_CLASSES:
                _slow.add(kind)  # it makes long calls into C, which nothing can end: once is enough

    # -- Pieces -----------------------------------------------------------------------------------------------------

    def items(self, items: Iterable[object], length: int, level: int) -> str:
        """Return the first items with commas between them. `items` is read in one step, without code of a program."""
        if level <= 0:
            return "..." if length else ""
        texts = [self.text(item, level - 1) for item in list(islice(items, ITEMS))]
        return ", ".join([*texts, "..."] if length > len(texts) else texts)

    def pairs(self, pairs: Iterable[tuple[object, object]], length: int, level: int) -> str:
        """Return the first items of a mapping."""
        if level <= 0:
            return "..." if length else ""
        texts = [
            f"{self.text(key, level - 1)}: {self.text(value, level - 1)}" for key, value in list(islice(pairs, ITEMS))
        ]
        return ", ".join([*texts, "..."] if length > len(texts) else texts)

    def _fields(self, kind: type, fields: Iterable[tuple[str, object]], level: int) -> str:
        if level <= 0:
            return f"{class_name(kind)}(...)"
        found = list(islice(fields, ITEMS + 1))
        texts = [f"{cut(name, 100)}={self.text(value, level - 1)}" for name, value in found[:ITEMS]]
        return f"{class_name(kind)}({', '.join([*texts, '...'] if len(found) > ITEMS else texts)})"

    # -- Each kind --------------------------------------------------------------------------------------------------

    def _list(self, value: Any, level: int) -> str:
        return f"[{self.items(list.__iter__(value), list.__len__(value), level)}]"

    def _tuple(self, value: Any, level: int) -> str:
        length = tuple.__len__(value)
        return f"({self.items(tuple.__iter__(value), length, level)}{',' if length == 1 else ''})"

    def _set(self, value: Any, level: int) -> str:
        own = set if issubclass(type(value), set) else frozenset
        length = own.__len__(value)
        name = "" if type(value) is set else class_name(type(value))
        if not length:
            return f"{name or 'set'}()"
        inner = f"{{{self.items(own.__iter__(value), length, level)}}}"
        return f"{name}({inner})" if name else inner

    def _dict(self, value: Any, level: int) -> str:
        return f"{{{self.pairs(iter(dict.items(value)), dict.__len__(value), level)}}}"

    def _named_dict(self, value: Any, level: int) -> str:
        return f"{class_name(type(value))}({self._dict(value, level)})"

    def _default_dict(self, value: Any, level: int) -> str:
        factory = _FACTORY(value)
        return f"{class_name(type(value))}({self.text(factory, level - 1)}, {self._dict(value, level)})"

    def _deque(self, value: Any, level: int) -> str:
        inner = self.items(collections.deque.__iter__(value), collections.deque.__len__(value), level)
        longest = _LONGEST(value)
        return f"{class_name(type(value))}([{inner}]{'' if longest is None else f', maxlen={longest}'})"

    def _array(self, value: Any, level: int) -> str:
        length, code = array.array.__len__(value), _TYPE_CODE(value)
        inner = self.items(array.array.__iter__(value), length, level)
        return f"{class_name(type(value))}({code!r}{f', [{inner}]' if length else ''})"

    def _view(self, value: Any, level: int) -> str:
        return f"{class_name(type(value))}([{self.items(iter(value), len(value), level)}])"

    def _str(self, value: Any, level: int) -> str:
        length = str.__len__(value)
        if length <= TEXT:
            return str.__repr__(value)
        half = TEXT // 2
        head, tail = (str.__getitem__(value, part) for part in (slice(half), slice(length - half, length)))
        return repr(f"{head} ... {tail}")

    def _bytes(self, value: Any, level: int) -> str:
        own = bytes if issubclass(type(value), bytes) else bytearray
        length = own.__len__(value)
        if length <= TEXT:
            return (
                repr(own(value))
                if type(value) in (bytes, bytearray)
                else f"{class_name(type(value))} of {length} bytes"
            )
        head = own.__getitem__(value, slice(TEXT // 2))
        return f"<{class_name(type(value))} of {length:,} bytes, {bytes(head)!r} ...>"

    def _int(self, value: Any, level: int) -> str:
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= WIDE_INTEGER else f"<{class_name(type(value))} of {bits:,} bits>"

    def _exception(self, value: Any, level: int) -> str:
        arguments = _ARGUMENTS(value)
        return f"{class_name(type(value))}({self.items(iter(arguments), len(arguments), level)})"

    def _namespace(self, value: Any, level: int) -> str:
        held = object.__getattribute__(value, "__dict__")
        name = "namespace" if type(value) is types.SimpleNamespace else class_name(type(value))
        texts = [
            f"{cut(str(key), 100)}={self.text(item, level - 1)}" for key, item in list(islice(held.items(), ITEMS))
        ]
        return f"{name}({', '.join([*texts, '...'] if len(held) > ITEMS else texts)})"

    def _struct(self, value: Any, level: int) -> str:
        return self._fields(type(value), _attributes(value, _STRUCT_FIELDS(type(value))), level)

    def _partial(self, value: Any, level: int) -> str:
        if level <= 0:
            return "functools.partial(...)"
        function, arguments, keywords = (part(value) for part in _OF_PARTIAL)
        parts = [self.text(each, level - 1) for each in (function, *arguments[:ITEMS])]
        parts += [f"{cut(str(k), 100)}={self.text(v, level - 1)}" for k, v in list(islice(keywords.items(), ITEMS))]
        return f"functools.partial({', '.join(parts)})"

    def _method(self, value: Any, level: int) -> str:
        function = value.__func__
        name = cut(function.__qualname__, 200) if type(function) is types.FunctionType else "?"
        return f"<bound method {name} of {self.text(value.__self__, level - 1)}>"

    def _time(self, value: Any, level: int) -> str:
        zone = _ZONES[datetime.time if isinstance(value, datetime.time) else datetime.datetime](value)
        if zone is None or type(zone) is datetime.timezone:
            return self._plain(value, level)
        return f"{value.replace(tzinfo=None)!r} in a time zone of {class_name(type(zone))}"

    def _plain(self, value: Any, level: int) -> str:
        return cut(repr(value), TEXT)


def cut(text: str, limit: int) -> str:
    """Cut the middle out of a text longer than `limit` characters."""
    if len(text) <= limit:
        return text
    keep = (limit - 5) // 2
    return f"{text[:keep]} ... {text[-keep:]}"


def static(kind: type, name: str) -> Any:
    """Return what a class has under that name, without running code of its own; None when there is nothing."""
    for each in _mro(kind):
        found = _dict_of(each).get(name)
        if found is not None:
            return found
    return None


class_name: Callable[[type], str] = type.__dict__["__name__"].__get__
"""Return the name of a class, whatever its metaclass says."""

_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_dict_of: Callable[[type], types.MappingProxyType[str, Any]] = type.__dict__["__dict__"].__get__


def _attributes(value: object, names: Iterable[str]) -> Iterable[tuple[str, object]]:
    for name in names:
        try:
            yield name, object.__getattribute__(value, name)
        except AttributeError:
            continue  # not set yet, or deleted


def _of_extension(value: object, kind: type, show: Any) -> str:
    """Describe an instance of a type that is written in C: by itself if it is small and refers to nothing else."""
    if show is not None and not gc.is_tracked(value) and _size_of(value, kind) <= SMALL_SIZE:
        return cut(repr(value), TEXT)
    return cut(object.__repr__(value), TEXT)


def _size_of(value: object, kind: type) -> int:
    measure = static(kind, "__sizeof__")
    if type(measure) in (types.MethodDescriptorType, types.WrapperDescriptorType):
        return int(measure(value))
    return sys.maxsize


# -- Whether a class may be asked --------------------------------------------------------------------------------------


def is_small(value: object) -> bool:
    """Whether a value consists of few small things, so that no single step of describing it can take long."""
    seen: set[int] = set()
    size = 0
    left = [value]
    while left:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        kind = type(each)
        if issubclass(kind, (str, bytes, bytearray)):
            base = str if issubclass(kind, str) else bytes if issubclass(kind, bytes) else bytearray
            size += base.__len__(each)  # type: ignore[arg-type]
        elif issubclass(kind, int):
            size += int.bit_length(each) // 8  # type: ignore[arg-type]
        elif issubclass(kind, _CLOSED):
            continue
        else:
            length = static(kind, "__len__")
            if type(length) is types.WrapperDescriptorType and length(each) > SMALL_CONTAINER:
                return False
            if not gc.is_tracked(each):
                size += min(_size_of(each, kind), SMALL_SIZE + 1)
            else:
                left += gc.get_referents(each)
        if size > SMALL_SIZE or len(seen) + len(left) > SMALL:
            return False
    return True


_CLOSED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, float, complex)
"""What a description does not go into: it shows its name, or next to nothing."""

_slow: weakref.WeakSet[type] = weakref.WeakSet()
"""Classes whose ``__repr__`` has held the interpreter longer than it may."""

_RUNTIME = os.path.dirname(os.path.dirname(__file__)) + os.sep

_NAMED_TUPLE = collections.namedtuple("_Sample", ()).__repr__.__code__
"""The code that the ``__repr__`` of every named tuple shares."""

_DESCRIPTORS = (types.WrapperDescriptorType, types.FunctionType, types.MethodDescriptorType)
"""What a ``__repr__`` must be to be looked up, for the hash of anything else may be the program's code."""

_FACTORY = collections.defaultdict.__dict__["default_factory"].__get__
_LONGEST = collections.deque.__dict__["maxlen"].__get__
_TYPE_CODE = array.array.__dict__["typecode"].__get__
_ARGUMENTS = BaseException.__dict__["args"].__get__
_STRUCT_FIELDS = type(msgspec.Struct).__dict__["__struct_fields__"].__get__
_OF_PARTIAL = tuple(functools.partial.__dict__[name].__get__ for name in ("func", "args", "keywords"))
_ZONES = {kind: kind.__dict__["tzinfo"].__get__ for kind in (datetime.time, datetime.datetime)}
"""How to read attributes where a subclass may have put something else in their place."""

_VIEWS: tuple[type, ...] = (type({1: 1}.keys()), type({1: 1}.values()), type({1: 1}.items()))

_KNOWN: dict[object, Show] = {
    list.__repr__: BoundedRepr._list,
    tuple.__repr__: BoundedRepr._tuple,
    set.__repr__: BoundedRepr._set,
    frozenset.__repr__: BoundedRepr._set,
    dict.__repr__: BoundedRepr._dict,
    collections.OrderedDict.__repr__: BoundedRepr._named_dict,
    collections.Counter.__repr__: BoundedRepr._named_dict,
    collections.defaultdict.__repr__: BoundedRepr._default_dict,
    collections.deque.__repr__: BoundedRepr._deque,
    array.array.__repr__: BoundedRepr._array,
    str.__repr__: BoundedRepr._str,
    bytes.__repr__: BoundedRepr._bytes,
    bytearray.__repr__: BoundedRepr._bytes,
    int.__repr__: BoundedRepr._int,
    BaseException.__repr__: BoundedRepr._exception,
    types.SimpleNamespace.__repr__: BoundedRepr._namespace,
    msgspec.Struct.__repr__: BoundedRepr._struct,
    functools.partial.__repr__: BoundedRepr._partial,
    types.MethodType.__repr__: BoundedRepr._method,
    datetime.datetime.__repr__: BoundedRepr._time,
    datetime.time.__repr__: BoundedRepr._time,
    **dict.fromkeys([static(view, "__repr__") for view in _VIEWS], BoundedRepr._view),
    **{
        static(kind, "__repr__"): BoundedRepr._plain
        for kind in (
            bool,
            type(None),
            type(...),
            float,
            complex,
            object,
            type,
            slice,
            memoryview,
            types.FunctionType,
            types.BuiltinFunctionType,
            types.CodeType,
            types.FrameType,
            types.GeneratorType,
            types.CoroutineType,
            datetime.date,
            datetime.timedelta,
            datetime.timezone,
            re.Pattern,
        )
    },
}
"""How to describe instances of the types that have this ``__repr__``, or inherit it."""
