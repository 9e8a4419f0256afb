"""A `repr` whose work is bounded, for any value.

`repr` of a list with a million items takes a second, and holds the interpreter for all of it. Here, containers are gone
through a few items at a time, long texts are cut before they are made, and a program's own ``__repr__`` is called only
where it can be stopped: on a value whose contents are small, while each of its lines looks at the time. On a thread
beside the node's, where it might wait for what only the node's thread can do, it is not called at all.
"""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import gc
import re
import time
import types
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from runtime.terms.own_repr import is_bounded, may_be_asked, own_repr
from runtime.terms.smallness import SMALL_SIZE, size_of
from runtime.terms.static_lookup import address, attributes, class_name, static, stored_names
from runtime.terms.time_limit import OutOfTime

ITEMS = 20
"""Items of one container that are shown."""

LEVELS = 5
"""Containers within containers that are shown."""

VALUES = 600
"""Values that are shown, all together."""

TEXT = 300
"""Longest text of one value that is no container, in characters."""

HEAD = 16
"""Bytes that are shown of binary data that is too long: they tell its kind. Of equal ones, one is shown."""

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

LOOKS_APART = 8
"""Values from one look at that time to the next: a look costs more than most values, and no value takes long."""

WORK_OF_CLASSES = 0.002
"""Seconds that the program's classes may take besides, all together, to describe what is in it."""

Show: TypeAlias = "Callable[[BoundedRepr, Any, int], str]"


class BoundedRepr:
    """Describes one value."""

    def __init__(self) -> None:
        self._values = VALUES
        self._until_look = LOOKS_APART
        self._ends: float | None = None  # from the first look on
        self._left = WORK_OF_CLASSES
        self._waits_until = time.monotonic() + PATIENCE

    def text(self, value: object, level: int = LEVELS) -> str:
        """Return what `repr` would, or the beginning of it; `level` more containers are looked into."""
        self._until_look -= 1
        if self._values <= 0 or level < 0 or (self._until_look <= 0 and self._is_late()):
            return "..."
        self._values -= 1
        try:
            return self._text(value, level)
        except OutOfTime:
            raise
        except Exception as error:
            return f"<{class_name(type(value))} that cannot be shown: {class_name(type(error))}>"

    def _is_late(self) -> bool:
        """Return whether the time for all of it is over."""
        present = time.thread_time()
        if self._ends is None:
            self._ends = present + WORK
        is_late = present > self._ends
        self._until_look = 0 if is_late else LOOKS_APART
        return is_late

    def _text(self, value: object, level: int) -> str:
        kind = type(value)
        # The hash of a class with a metaclass of its own may be the program's code.
        common = _COMMON.get(kind) if type(kind) is type else None
        if common is not None:
            return common(self, value, level)
        show = static(kind, "__repr__")
        known = _KNOWN.get(show) if type(show) in _DESCRIPTORS else None
        if known is not None:
            return known(self, value, level)
        if type(show) is not types.FunctionType:
            return self._of_extension(value, kind, show)
        if show.__code__ is _NAMED_TUPLE:
            return self._named_tuple(value, level)
        generated = vars(show).get("__wrapped__")
        if type(generated) is types.FunctionType and generated.__code__.co_filename == "<string>":
            fields = static(kind, "__dataclass_fields__")
            if type(fields) is dict:
                return self._fields(kind, attributes(value, _shown_fields(fields)), level)
        if is_bounded(show):
            return cut(show(value), TEXT)
        if not may_be_asked() and static(kind, "__module__") not in _SHOWN_ANYWHERE:
            return self._structure(value, kind, level)
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

    def _own(self, value: object, kind: type, show: Callable[[Any], str]) -> str:
        """Call a ``__repr__`` of a program's or a library's, where that cannot take long."""
        before = time.thread_time()
        try:
            return cut(own_repr(value, kind, show, self._left, self._waits_until - time.monotonic()), TEXT)
        finally:
            took = time.thread_time() - before
            self._left -= took
            if self._ends is not None:
                self._ends += took

    def _of_extension(self, value: object, kind: type, show: Any) -> str:
        """Describe an instance of a type that is written in C: by itself if it is small and refers to nothing else."""
        if show is None or gc.is_tracked(value) or size_of(value, kind) > SMALL_SIZE:
            return address(value)
        if kind in _PLAIN_EXTENSIONS:
            return cut(repr(value), TEXT)
        return self._own(value, kind, show) if may_be_asked() else address(value)

    def _structure(self, value: object, kind: type, level: int) -> str:
        """Describe an instance by the attributes that are stored in it."""
        if level <= 0:
            return f"<{class_name(kind)} ...>"
        found = list(islice(attributes(value, stored_names(value, 2 * ITEMS)), ITEMS + 1))
        texts = [f" {cut(name, 100)}={self.text(held, level - 1)}" for name, held in found[:ITEMS]]
        return f"<{class_name(kind)}{''.join(texts)}{' ...' if len(found) > ITEMS else ''}>"

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

    def _key(self, key: object) -> str:
        return cut(key, 100) if type(key) is str else self.text(key, 0)

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
        if type(value) not in _VIEWS:
            return address(value)  # that of an OrderedDict, which looks each key up: it calls its __hash__ and __eq__
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
        head = own.__getitem__(value, slice(HEAD))
        if len(set(head)) == 1:  # zeros, mostly
            head = head[:1]
        return f"<{class_name(type(value))} of {length:,} bytes, {bytes(head)!r} ...>"

    def _int(self, value: Any, level: int) -> str:
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= WIDE_INTEGER else f"<{class_name(type(value))} of {bits:,} bits>"

    def _exception(self, value: Any, level: int) -> str:
        arguments = _ARGUMENTS(value)
        return f"{class_name(type(value))}({self.items(iter(arguments), len(arguments), level)})"

    def _namespace(self, value: Any, level: int) -> str:
        held = _NAMESPACE(value)
        if level <= 0:
            return f"{class_name(type(value))}(...)"
        name = "namespace" if type(value) is types.SimpleNamespace else class_name(type(value))
        texts = [f"{self._key(key)}={self.text(item, level - 1)}" for key, item in list(islice(held.items(), ITEMS))]
        return f"{name}({', '.join([*texts, '...'] if len(held) > ITEMS else texts)})"

    def _named_tuple(self, value: Any, level: int) -> str:
        names = _strings(static(type(value), "_fields"))
        return self._fields(type(value), zip(names, tuple.__iter__(value), strict=False), level)

    def _struct(self, value: Any, level: int) -> str:
        return self._fields(type(value), attributes(value, _strings(_STRUCT_FIELDS(type(value)))), level)

    def _partial(self, value: Any, level: int) -> str:
        if level <= 0:
            return "functools.partial(...)"
        function, arguments, keywords = (part(value) for part in _OF_PARTIAL)
        parts = [self.text(each, level - 1) for each in (function, *arguments[:ITEMS])]
        parts += [f"{self._key(k)}={self.text(v, level - 1)}" for k, v in list(islice(keywords.items(), ITEMS))]
        return f"functools.partial({', '.join(parts)})"

    def _method(self, value: Any, level: int) -> str:
        function = value.__func__
        name = cut(function.__qualname__, 200) if type(function) is types.FunctionType else "?"
        return f"<bound method {name} of {self.text(value.__self__, level - 1)}>"

    def _time(self, value: Any, level: int) -> str:
        kind: type[Any] = datetime.time if issubclass(type(value), datetime.time) else datetime.datetime
        zone = _ZONES[kind](value)
        parts = [getattr(kind, part).__get__(value) for part in _PARTS[kind]]
        plain = repr(kind(*parts, fold=kind.fold.__get__(value)))
        if type(value) is not kind:
            plain = f"{class_name(type(value))}{plain.removeprefix(f'datetime.{kind.__name__}')}"
        if zone is None:
            return plain
        if type(zone) is datetime.timezone:
            return f"{plain[:-1]}, tzinfo={self._zone(zone, level)})"
        return f"{plain} in a time zone of {class_name(type(zone))}"

    def _zone(self, value: Any, level: int) -> str:
        if value is datetime.UTC:
            return "datetime.timezone.utc"
        offset, *name = value.__getinitargs__()
        return f"datetime.timezone({', '.join([repr(offset), *(self.text(each, level - 1) for each in name)])})"

    def _range(self, value: Any, level: int) -> str:
        parts = [value.start, value.stop, value.step]
        if type(value) is range and value.step == 1:
            parts.pop()
        return f"{class_name(type(value))}({', '.join(self.text(part, level - 1) for part in parts)})"

    def _compiled_pattern(self, value: Any, level: int) -> str:
        flags = value.flags & ~re.UNICODE.value
        return f"re.compile({self.text(value.pattern, level - 1)}{f', {re.RegexFlag(flags)!r}' if flags else ''})"

    def _enum(self, value: Any, level: int) -> str:
        found = dict(attributes(value, ("_name_", "_value_")))
        name = f"{class_name(type(value))}.{self._key(found.get('_name_'))}"
        return f"<{name}: {self.text(found.get('_value_'), level - 1)}>"

    def _address(self, value: Any, level: int) -> str:
        return address(value)

    def _function(self, value: Any, level: int) -> str:
        return f"<function {cut(value.__qualname__, TEXT)} at {id(value):#x}>"

    def _plain(self, value: Any, level: int) -> str:
        return cut(repr(value), TEXT)


def cut(text: str, limit: int) -> str:
    """Cut the middle out of a text longer than `limit` characters."""
    if len(text) <= limit:
        return text
    keep = (limit - 5) // 2
    return f"{text[:keep]} ... {text[-keep:]}"


def _shown_fields(fields: dict[Any, Any]) -> Iterable[str]:
    """Yield the names of a dataclass's fields; `dataclasses.fields` makes a tuple of all of them."""
    return (
        name
        for name, field in fields.items()
        if type(name) is str and type(field) is dataclasses.Field and field.repr and field._field_type is _FIELD  # type: ignore[attr-defined]
    )


_FIELD = dataclasses._FIELD  # type: ignore[attr-defined]
"""What a field is that is neither a ClassVar nor an InitVar."""


def _strings(names: Any) -> Iterable[str]:
    return (name for name in names if type(name) is str) if type(names) is tuple else ()


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
_NAMESPACE = types.SimpleNamespace.__dict__["__dict__"].__get__
_ZONES = {kind: kind.__dict__["tzinfo"].__get__ for kind in (datetime.time, datetime.datetime)}
"""How to read attributes where a subclass may have put something else in their place."""

_PARTS = {
    datetime.time: ("hour", "minute", "second", "microsecond"),
    datetime.datetime: ("year", "month", "day", "hour", "minute", "second", "microsecond"),
}

_PLAIN_EXTENSIONS = (decimal.Decimal,)
"""Types written in C, beside those below, that describe themselves without any other code."""

_SHOWN_ANYWHERE = ("pathlib", "uuid", "ipaddress", "fractions")
"""Modules whose values hold nothing of the program's, so that any thread may ask them for a description."""

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
    object.__repr__: BoundedRepr._address,
    types.FunctionType.__repr__: BoundedRepr._function,
    range.__repr__: BoundedRepr._range,
    slice.__repr__: BoundedRepr._range,
    re.Pattern.__repr__: BoundedRepr._compiled_pattern,
    datetime.timezone.__repr__: BoundedRepr._zone,
    enum.Enum.__repr__: BoundedRepr._enum,
    **dict.fromkeys([static(view, "__repr__") for view in _VIEWS], BoundedRepr._view),
    **{
        static(kind, "__repr__"): BoundedRepr._plain
        for kind in (
            bool,
            type(None),
            type(...),
            float,
            complex,
            type,
            memoryview,
            types.BuiltinFunctionType,
            types.CodeType,
            types.FrameType,
            types.GeneratorType,
            types.CoroutineType,
            datetime.date,
            datetime.timedelta,
        )
    },
}
"""How to describe instances of the types that have this ``__repr__``, or inherit it."""

_PLAIN_TYPES = (str, int, float, bool, type(None), bytes, tuple, list, dict, set, frozenset)
_COMMON: dict[type, Show] = {kind: _KNOWN[static(kind, "__repr__")] for kind in _PLAIN_TYPES}
"""The same for the commonest types themselves, without a look into the class."""
