"""Values to bytes, in the External Term Format.

Written here, since every message to a BEAM node passes it: erlang_py takes several times as long, and has no hooks for
pids and references.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import Struct
from typing import Any, Literal

from runtime.compiled.choice import compiled
from runtime.distribution.parts import Conversion, ImproperList, Opaque, PidParts, RefParts
from runtime.terms.atom import MAX_LENGTH, Atom
from runtime.terms.text import render

VERSION = b"\x83"

MAX_BIG = 1 << 19
"""Bytes that an integer may have; a BEAM takes about as many."""

KEPT_ATOMS = 2_000
"""Atoms whose bytes are kept; when there are more, all are forgotten."""

KEPT_PIDS = 1_000
"""Pids whose bytes are kept."""

_KEPT_CONTROLS = frozenset((2, 6))
"""SEND and REG_SEND; the references of other messages come once."""

_NIL = b"\x6a"
_INTEGER = Struct(">Bi").pack
_FLOAT = Struct(">Bd").pack
_BINARY = Struct(">BI").pack
_PID_END = Struct(">III").pack
_SMALL_INTEGERS = tuple(bytes((97, number)) for number in range(256))

Append = Callable[[bytes], None]
Write = Callable[[Any, Append], None]


class TermEncoder:
    """Writes terms. `none` is the atom that None goes out as."""

    def __init__(self, conversion: Conversion | None = None, none: Literal["nil", "undefined"] = "nil") -> None:
        self._conversion = conversion
        self._atoms: dict[str, bytes] = {}
        self._controls: dict[tuple[Any, ...], bytes] = {}
        self._pids: dict[object, bytes] = {}
        """The bytes of pids: by the number of this node's, by all three numbers of another's."""
        self._own_pid = None if conversion is None else conversion.pid_type
        true, false, nothing = self._atom("true"), self._atom("false"), self._atom(none)
        self._writers: dict[type, Write] = {
            str: _write_text,
            int: _write_integer,
            Atom: lambda value, append: append(self._atoms.get(value) or self._atom(value)),
            tuple: self._write_tuple,
            list: self._write_list,
            bytes: _write_bytes,
            bool: lambda value, append: append(true if value else false),
            type(None): lambda value, append: append(nothing),
            float: _write_float,
            dict: self._write_dict,
            bytearray: _write_bytes,
            PidParts: self._write_pid,
            RefParts: self._write_ref,
            ImproperList: self._write_improper_list,
            Opaque: lambda value, append: append(value.data),
        }
        self._nothing = nothing
        if self._own_pid is not None:
            self._writers.setdefault(self._own_pid, self._write_kept_pid)

    @compiled("runtime.distribution._external_term")
    def encode(self, term: object) -> bytes:
        """Return a term as bytes, the version in front. Raises TypeError for what has no counterpart."""
        parts = [VERSION]
        try:
            self._write(term, parts.append)
        except RecursionError:
            raise TypeError(
                f"{render(term)} is nested too deeply to be sent to a BEAM node, or contains itself"
            ) from None
        return b"".join(parts)

    def encode_control(self, control: tuple[Any, ...]) -> bytes:
        """Return a control message as bytes. Most are messages to a few processes, whose bytes are kept."""
        if control[0] not in _KEPT_CONTROLS:
            return self.encode(control)
        encoded = self._controls.get(control)
        if encoded is None:
            if len(self._controls) >= KEPT_ATOMS:
                self._controls.clear()
            encoded = self._controls[control] = self.encode(control)
        return encoded

    def _write(self, value: Any, append: Append) -> None:
        writer = self._writers.get(type(value))
        if writer is None:
            writer = self._writer_of(value)
        writer(value, append)

    def _writer_of(self, value: Any) -> Write:
        """Return how a value is written whose class is not one of the usual ones."""
        conversion = self._conversion
        if conversion is not None:
            if isinstance(value, conversion.pid_type):
                return self._write_kept_pid
            if isinstance(value, conversion.ref_type):
                return lambda value, append: self._write_ref(conversion.ref_parts(value), append)
        for base in (Atom, str, int, float, bytes, list, dict):
            if isinstance(value, base):
                return self._writers[base]
        try:
            if conversion is None:
                raise _no_counterpart(value)
            other = conversion.other(value)
        except TypeError:
            if isinstance(value, tuple):
                return self._write_tuple
            raise
        if other is value:
            raise _no_counterpart(value)
        return lambda _, append: self._write(other, append)

    def _write_kept_pid(self, pid: Any, append: Append) -> None:
        """Write a pid of the program's, whose bytes are kept: few of them are in most messages."""
        is_own: bool = type(pid) is self._own_pid
        key = pid.id if is_own else (pid.node, pid.id, pid.serial)
        encoded = self._pids.get(key)
        if encoded is None:
            assert self._conversion is not None
            parts: list[bytes] = []
            self._write_pid(self._conversion.pid_parts(pid), parts.append)
            if len(self._pids) >= KEPT_PIDS:
                self._pids.clear()
            encoded = self._pids[key] = b"".join(parts)
        append(encoded)

    # -- Atoms, pids, references --------------------------------------------------------------------------------------

    def _atom(self, text: str) -> bytes:
        kept = self._atoms.get(text)
        if kept is not None:
            return kept
        if len(text) > MAX_LENGTH:
            raise TypeError(f"{render(text)} is too long for an atom, which has at most {MAX_LENGTH} characters")
        data = _utf8(text)
        size = len(data)
        encoded = bytes((119, size)) + data if size < 256 else b"\x76" + size.to_bytes(2, "big") + data
        if len(self._atoms) >= KEPT_ATOMS:
            self._atoms.clear()
        self._atoms[text] = encoded
        return encoded

    def _write_pid(self, pid: PidParts, append: Append) -> None:
        append(b"\x58")
        append(self._atom(pid.node))
        append(_PID_END(pid.id, pid.serial, pid.creation))

    def _write_ref(self, ref: RefParts, append: Append) -> None:
        append(b"\x5a" + len(ref.ids).to_bytes(2, "big"))
        append(self._atom(ref.node))
        append(ref.creation.to_bytes(4, "big"))
        for word in ref.ids:
            append(word.to_bytes(4, "big"))

    # -- Containers ---------------------------------------------------------------------------------------------------

    def _write_tuple(self, value: tuple[Any, ...], append: Append) -> None:
        size = len(value)
        append(bytes((104, size)) if size < 256 else _BINARY(105, size))
        writers = self._writers
        for item in value:
            writer = writers.get(type(item))
            if writer is None:
                self._write(item, append)
            else:
                writer(item, append)

    def _write_list(self, value: list[Any], append: Append) -> None:
        if value:
            append(_BINARY(108, len(value)))
            writers = self._writers
            for item in value:
                writer = writers.get(type(item))
                if writer is None:
                    self._write(item, append)
                else:
                    writer(item, append)
        append(_NIL)

    def _write_improper_list(self, value: ImproperList, append: Append) -> None:
        if value.items:
            append(_BINARY(108, len(value.items)))
            for item in value.items:
                self._write(item, append)
        self._write(value.tail, append)

    def _write_dict(self, value: dict[Any, Any], append: Append) -> None:
        append(_BINARY(116, len(value)))
        kinds = set(map(type, value))
        if not kinds <= {str} and (len(kinds) > 1 or not kinds <= {int, Atom}):
            self._check_keys(value)
        for key, item in value.items():
            self._write(key, append)
            self._write(item, append)

    def _check_keys(self, value: dict[Any, Any]) -> None:
        """Raise TypeError when two keys would be one: a BEAM ends the connection over such a map."""
        seen: dict[bytes, object] = {}
        for key in value:
            parts: list[bytes] = []
            self._write(key, parts.append)
            encoded = b"".join(parts)
            if encoded in seen:
                raise TypeError(
                    f"the keys {render(seen[encoded])} and {render(key)} of a dict are the same key to a "
                    "BEAM node; leave one of them out"
                )
            seen[encoded] = key


def _no_counterpart(value: object) -> TypeError:
    return TypeError(
        f"{render(value)} ({type(value).__name__}) has no counterpart at a BEAM node; send a str, bytes, Atom, "
        "number, bool, None, tuple, list, dict, Pid or Ref made of it"
    )


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise TypeError(f"{render(text)} holds half a surrogate pair, which no UTF-8 text has") from None


def _write_text(value: str, append: Append) -> None:
    data = _utf8(value)
    append(_BINARY(109, len(data)) + data)


def _write_bytes(value: bytes | bytearray, append: Append) -> None:
    append(_BINARY(109, len(value)))
    append(bytes(value))


def _write_integer(value: int, append: Append) -> None:
    if 0 <= value < 256:
        append(_SMALL_INTEGERS[value])
    elif -0x80000000 <= value <= 0x7FFFFFFF:
        append(_INTEGER(98, value))
    else:
        size = (value.bit_length() + 7) // 8
        if size > MAX_BIG:
            raise TypeError(f"an integer of {size} bytes is too large for a BEAM node, which takes {MAX_BIG}")
        append(bytes((110, size)) if size < 256 else _BINARY(111, size))
        append(b"\1" if value < 0 else b"\0")
        append(abs(value).to_bytes(size, "little"))


def _write_float(value: float, append: Append) -> None:
    if not math.isfinite(value):
        raise TypeError(f"{render(value)} has no counterpart at a BEAM node, whose floats are finite")
    append(_FLOAT(70, value))
