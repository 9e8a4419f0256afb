"""Bytes in the External Term Format to values.

The bytes come from another program. Whatever they are, reading them raises ValueError at most, takes time in proportion
to their number, and makes values of a bounded number and depth.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from struct import Struct, error
from typing import Any, Literal, NoReturn

from runtime.compiled.choice import compiled
from runtime.distribution.parts import Conversion, ImproperList, Opaque, PidParts, RefParts
from runtime.terms.atom import MAX_LENGTH, Atom
from runtime.terms.text import render

MAX_DEPTH = 400
"""Levels that a term may be nested; each takes up to two frames of Python's stack."""

MAX_ITEMS = 20_000_000
"""Items that the tuples, lists and maps of one term may have, all together."""

MAX_INFLATED = 256 * 1024 * 1024
"""Bytes that a compressed term may have."""

KEPT = 4_000
"""Atoms that are kept by their bytes; when there are more, all are forgotten."""

KEPT_PIDS = 1_000
"""Pids, and control messages, that are kept by their bytes."""

_WORD = Struct(">I").unpack_from
_SIGNED = Struct(">i").unpack_from
_DOUBLE = Struct(">d").unpack_from
_PID_END = Struct(">III").unpack_from
_HALF = Struct(">H").unpack_from

Read = Callable[[bytes, int, int], tuple[Any, int]]


class TermTooLargeError(ValueError):
    """A term is well formed, but larger or deeper than is read here."""


class TermDecoder:
    """Reads terms. `binaries` says whether binaries come as str where they are UTF-8, `none` which atom is None."""

    def __init__(
        self,
        conversion: Conversion | None = None,
        binaries: Literal["text", "bytes"] = "text",
        none: Literal["nil", "undefined"] = "nil",
        max_items: int = MAX_ITEMS,
    ) -> None:
        self._pid_of: Callable[[PidParts], Any] = (lambda parts: parts) if conversion is None else conversion.pid_of
        self._ref_of: Callable[[RefParts], Any] = (lambda parts: parts) if conversion is None else conversion.ref_of
        self._constants = {b"true": True, b"false": False, none.encode(): None}
        self._as_text = binaries == "text"
        self._max_items = max_items
        self._left = 0
        """Items that the term which is being read may still have."""
        self._atoms: dict[bytes, Any] = {}
        self._pids: dict[bytes, Any] = {}
        self._controls: dict[bytes, Any] = {}
        self._last_control: tuple[bytes, Any] = (b"none", None)
        """The one that was read last, and its bytes: one message to a process follows another."""
        self._readers: dict[int, Read] = {
            70: _read_float,
            77: self._read_bit_binary,
            88: self._read_pid,
            89: lambda data, at, depth: self._skip("a port", data, at, 8, depth),
            90: self._read_newer_ref,
            97: lambda data, at, depth: (data[at + 1], at + 2),
            98: lambda data, at, depth: (_SIGNED(data, at + 1)[0], at + 5),
            99: _read_old_float,
            100: self._read_latin_atom,
            101: self._read_old_ref,
            102: lambda data, at, depth: self._skip("a port", data, at, 5, depth),
            103: self._read_old_pid,
            104: lambda data, at, depth: self._read_items(data, at + 2, data[at + 1], depth),
            105: lambda data, at, depth: self._read_items(data, at + 5, _WORD(data, at + 1)[0], depth),
            106: lambda data, at, depth: ([], at + 1),
            107: _read_string,
            108: self._read_list,
            109: self._read_binary,
            110: lambda data, at, depth: _read_big(data, at + 2, data[at + 1]),
            111: lambda data, at, depth: _read_big(data, at + 5, _WORD(data, at + 1)[0]),
            112: _read_fun,
            113: self._read_export,
            114: self._read_new_ref,
            115: lambda data, at, depth: self._read_atom(data, at + 2, data[at + 1], "latin-1"),
            116: self._read_map,
            118: lambda data, at, depth: self._read_atom(data, at + 3, _HALF(data, at + 1)[0], "utf-8"),
            119: lambda data, at, depth: self._read_atom(data, at + 2, data[at + 1], "utf-8"),
            120: lambda data, at, depth: self._skip("a port", data, at, 12, depth),
        }

    def decode(self, data: bytes) -> Any:
        """Return the one term that `data` is, with its version in front. Raises ValueError if it is something else."""
        term, end = self.decode_first(data, 0)
        if end != len(data):
            raise ValueError(f"{len(data) - end} bytes follow the term")
        return term

    @compiled("runtime.distribution._external_term")
    def decode_first(self, data: bytes, start: int) -> tuple[Any, int]:
        """Return the term that begins at `start`, and where it ends. Raises ValueError if none does."""
        if data[start : start + 1] != b"\x83":
            raise ValueError("a term begins with the version, 131")
        self._left = self._max_items
        try:
            if data[start + 1 : start + 2] == b"\x50":
                inflated, end = _inflate(data, start + 2)
                term, read = self._read(inflated, 0, 0)
                if read != len(inflated):
                    raise ValueError(f"{len(inflated) - read} bytes follow the compressed term")
                return term, end
            if data[start + 1] == 104:  # as most messages
                items, end = self._read_some(data, start + 3, data[start + 2], 0)
                term = tuple(items)
            else:
                term, end = self._read(data, start + 1, 0)
        except RecursionError:
            raise TermTooLargeError("the term is nested too deeply for the stack of its reader") from None
        except (IndexError, error):
            raise ValueError("the term is cut off") from None
        if end > len(data):
            raise ValueError("the term is cut off")
        return term, end

    def decode_outline(self, data: bytes, start: int) -> tuple[Any, ...] | None:
        """Return the tuple that begins at `start` without its last item, which is too large; None for another term."""
        if data[start : start + 2] != b"\x83\x68" or not data[start + 2]:
            return None
        self._left = self._max_items
        try:
            items, _ = self._read_some(data, start + 3, data[start + 2] - 1, 0)
        except (TermTooLargeError, RecursionError):
            return None
        return tuple(items)

    def decode_control(self, data: bytes, start: int) -> tuple[Any, int]:
        """Return the control message that begins at `start`, and where it ends, as `decode_first` does.

        Most are messages to a few processes, so those are kept by their bytes.
        """
        last, control = self._last_control
        if data.startswith(last, start):
            return control, start + len(last)
        end = _end_of_message(data, start)
        if not end:
            return self.decode_first(data, start)
        key = data[start:end]
        control = self._controls.get(key)
        if control is None:
            control, end = self.decode_first(data, start)
            if end != start + len(key):
                return control, end
            if len(self._controls) >= KEPT_PIDS:
                self._controls.clear()
            self._controls[key] = control
        self._last_control = key, control
        return control, end

    def _read(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        reader = self._readers.get(data[at])
        if reader is None:
            raise ValueError(f"no term begins with the byte {data[at]}")
        return reader(data, at, depth)

    # -- Containers ---------------------------------------------------------------------------------------------------

    def _read_items(self, data: bytes, at: int, count: int, depth: int) -> tuple[Any, int]:
        items, at = self._read_some(data, at, count, depth)
        return tuple(items), at

    def _read_some(self, data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
        """Return so many terms, the commonest of which are read here, and where they end."""
        size = len(data)
        self._left -= count
        if count > size - at or depth >= MAX_DEPTH or self._left < 0:
            self._refuse(count > size - at, depth)
        readers = self._readers
        atoms, pids = self._atoms, self._pids
        as_text = self._as_text
        items: list[Any] = []
        append = items.append
        depth += 1
        for _ in range(count):
            tag = data[at]
            if tag == 97:
                append(data[at + 1])
                at += 2
            elif tag == 119:
                end = at + 2 + data[at + 1]
                kept = atoms.get(data[at + 2 : end], atoms)
                if kept is atoms:
                    kept, end = self._read_atom(data, at + 2, data[at + 1], "utf-8")
                append(kept)
                at = end
            elif tag == 104:
                item, at = self._read_some(data, at + 2, data[at + 1], depth)
                append(tuple(item))
            elif tag == 98:
                append(_SIGNED(data, at + 1)[0])
                at += 5
            elif tag == 109 and as_text:
                end = at + 5 + _WORD(data, at + 1)[0]
                if end > size:
                    raise ValueError("the term is cut off")
                raw = data[at + 5 : end]
                try:
                    append(raw.decode())
                except UnicodeDecodeError:
                    append(raw)
                at = end
            elif tag == 88 and (pid := pids.get(data[at : at + 15 + data[at + 2]])) is not None:
                append(pid)
                at += 15 + data[at + 2]
            else:
                reader = readers.get(tag)
                if reader is None:
                    raise ValueError(f"no term begins with the byte {tag}")
                item, at = reader(data, at, depth)
                append(item)
        return items, at

    def _refuse(self, is_cut_off: bool, depth: int) -> NoReturn:
        if is_cut_off:
            raise ValueError("the term is cut off")
        if depth >= MAX_DEPTH:
            raise TermTooLargeError(f"a term is nested deeper than {MAX_DEPTH} levels")
        raise TermTooLargeError(f"a term has more than {self._max_items} items")

    def _read_list(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        items: list[Any] = []
        while data[at] == 108:  # the tail of a list may be a list
            more, at = self._read_some(data, at + 5, _WORD(data, at + 1)[0], depth)
            items.extend(more)
        if data[at] == 106:
            return items, at + 1
        tail, at = self._read(data, at, depth + 1)
        if not items:
            return tail, at
        if isinstance(tail, list):
            items.extend(tail)
            return items, at
        return ImproperList(tuple(items), tail), at

    def _read_map(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        count = _WORD(data, at + 1)[0]
        items, end = self._read_some(data, at + 5, 2 * count, depth)
        pairs = iter(items)
        try:
            result = dict(zip(pairs, pairs, strict=True))
        except TypeError:  # a list or a map is a key
            return Opaque("a map", data[at:end]), end
        if len(result) != count:  # keys that are different there are equal here: 1 and 1.0
            return Opaque("a map", data[at:end]), end
        return result, end

    # -- Atoms and binaries -------------------------------------------------------------------------------------------

    def _read_atom(self, data: bytes, at: int, size: int, encoding: str) -> tuple[Any, int]:
        end = at + size
        raw = data[at:end]
        if len(raw) != size:
            raise ValueError("the term is cut off")
        text = raw.decode(encoding)  # what it raises is a ValueError
        if len(text) > MAX_LENGTH:
            raise ValueError(f"an atom of {len(text)} characters")
        atom: Any = self._constants[raw] if raw in self._constants else Atom(text)
        if encoding == "utf-8" or raw.isascii():
            if len(self._atoms) >= KEPT:
                self._atoms.clear()
            self._atoms[raw] = atom
        return atom, end

    def _read_latin_atom(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        return self._read_atom(data, at + 3, _HALF(data, at + 1)[0], "latin-1")

    def _read_node(self, data: bytes, at: int) -> tuple[str, int]:
        if data[at] not in (100, 115, 118, 119):
            raise ValueError("the name of a node is no atom")
        atom, at = self._read(data, at, 0)
        return str(atom).lower() if atom is None or isinstance(atom, bool) else str(atom), at

    def _read_binary(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        start = at + 5
        end = start + _WORD(data, at + 1)[0]
        raw = data[start:end]
        if end > len(data):
            raise ValueError("the term is cut off")
        if self._as_text:
            try:
                return raw.decode(), end
            except UnicodeDecodeError:
                pass
        return bytes(raw), end

    def _read_bit_binary(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        end = at + 6 + _WORD(data, at + 1)[0]
        if end > len(data) or not 1 <= data[at + 5] <= 8 or end == at + 6:
            raise ValueError("a bitstring is cut off, or its last byte has no bits")
        return Opaque("a bitstring", data[at:end]), end

    # -- Pids, references, ports, funs --------------------------------------------------------------------------------

    def _read_pid(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        if data[at + 1] == 119:
            key = data[at : at + 15 + data[at + 2]]
            pid = self._pids.get(key)
            if pid is not None:
                return pid, at + len(key)
        node, end = self._read_node(data, at + 1)
        pid = self._pid_of(PidParts(node, *_PID_END(data, end)))
        if getattr(pid, "process", pid) is not None:  # one that is not there yet may come
            if len(self._pids) >= KEPT_PIDS:
                self._pids.clear()
            self._pids[data[at : end + 12]] = pid
        return pid, end + 12

    def _read_old_pid(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        node, end = self._read_node(data, at + 1)
        return self._pid_of(PidParts(node, _WORD(data, end)[0], _WORD(data, end + 4)[0], data[end + 8])), end + 9

    def _read_newer_ref(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        node, end = self._read_node(data, at + 3)
        return self._ref(data, node, _WORD(data, end)[0], end + 4, _HALF(data, at + 1)[0])

    def _read_new_ref(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        node, end = self._read_node(data, at + 3)
        return self._ref(data, node, data[end], end + 1, _HALF(data, at + 1)[0])

    def _read_old_ref(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        node, end = self._read_node(data, at + 1)
        return self._ref_of(RefParts(node, (_WORD(data, end)[0],), data[end + 4])), end + 5

    def _ref(self, data: bytes, node: str, creation: int, at: int, count: int) -> tuple[Any, int]:
        if not 1 <= count <= 5:
            raise ValueError(f"a reference of {count} words")
        words = tuple(_WORD(data, at + 4 * number)[0] for number in range(count))
        return self._ref_of(RefParts(node, words, creation)), at + 4 * count

    def _skip(self, kind: str, data: bytes, at: int, rest: int, depth: int) -> tuple[Any, int]:
        """Return what consists of a node's name and `rest` bytes as it is."""
        _, end = self._read_node(data, at + 1)
        end += rest
        if end > len(data):
            raise ValueError("the term is cut off")
        return Opaque(kind, data[at:end]), end

    def _read_export(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        end = at + 1
        for kinds in ((100, 115, 118, 119), (100, 115, 118, 119), (97, 98)):
            if data[end] not in kinds:
                raise ValueError("an exported fun names a module, a function and an arity")
            _, end = self._read(data, end, 0)
        return Opaque("a fun", data[at:end]), end


def _end_of_message(data: bytes, start: int) -> int:
    """Return where a control message ends that is a SEND or REG_SEND in its usual form; 0 for another one."""
    head = data[start : start + 5]
    at = start + 5
    try:
        if head == b"\x83h\3a\2":  # {2, Unused, To}
            if data[at] != 119:
                return 0
            at += 2 + data[at + 1]
            return at + 15 + data[at + 2] if data[at : at + 2] == b"\x58\x77" else 0
        if head == b"\x83h\4a\6" and data[at : at + 2] == b"\x58\x77":  # {6, From, Unused, Name}
            at += 15 + data[at + 2]
            if data[at] != 119:
                return 0
            at += 2 + data[at + 1]
            return at + 2 + data[at + 1] if data[at] == 119 else 0
    except IndexError:
        pass
    return 0


def _read_fun(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    end = at + 1 + _WORD(data, at + 1)[0]
    if end > len(data) or end < at + 30:
        raise ValueError("a fun is cut off")
    return Opaque("a fun", data[at:end]), end


def _read_string(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    end = at + 3 + _HALF(data, at + 1)[0]
    if end > len(data):
        raise ValueError("the term is cut off")
    return [*data[at + 3 : end]], end


def _read_big(data: bytes, at: int, size: int) -> tuple[Any, int]:
    end = at + 1 + size
    if end > len(data):
        raise ValueError("the term is cut off")
    value = int.from_bytes(data[at + 1 : end], "little")
    return -value if data[at] else value, end


def _read_float(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    return _finite(_DOUBLE(data, at + 1)[0]), at + 9


def _read_old_float(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if at + 32 > len(data):
        raise ValueError("the term is cut off")
    return _finite(float(data[at + 1 : at + 32].split(b"\0", 1)[0])), at + 32


def _finite(value: float) -> float:
    if not math.isfinite(value):
        _refuse_float(value)
    return value


def _refuse_float(value: float) -> NoReturn:
    raise ValueError(f"a float that is {render(value)}")


def _inflate(data: bytes, at: int) -> tuple[bytes, int]:
    """Return what a compressed term is compressed from, and where it ends."""
    size = _WORD(data, at)[0]
    if size > MAX_INFLATED:
        raise TermTooLargeError(f"a compressed term of {size} bytes; {MAX_INFLATED} are read")
    unpacker = zlib.decompressobj()
    try:
        inflated = unpacker.decompress(data[at + 4 :], size + 1)
    except zlib.error as problem:
        raise ValueError(f"a compressed term cannot be unpacked: {problem}") from None
    if len(inflated) != size or not unpacker.eof:
        raise ValueError(f"a compressed term has not the {size} bytes that it says")
    return inflated, len(data) - len(unpacker.unused_data)
