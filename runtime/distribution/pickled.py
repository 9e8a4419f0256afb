"""Messages between two nodes of this package: many in one pickle, once a turn of the hub.

What a message holds must be fixed when it is sent, so what could change later is pickled at once, alone. What cannot
change, which most messages are, waits until the batch is full or the hub has a moment: then the pids and names that the
messages share are written once, and a message takes a tenth of the time.

What most nodes say most of the time are sends, casts, calls and replies with small contents. These stand in a batch as
short entries: a number that says what it is, and plain values. Messages in a row to one receiver share an entry. A
batch without pids and without anything that was pickled alone is read by pickle alone, without a call of Python code.

A pickle runs code as it is loaded. It comes from a node that knows the cookie, which is as good as a shell.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from copyreg import dispatch_table
from typing import Any

from runtime.compiled.choice import compiled
from runtime.distribution import unreadable
from runtime.distribution.frames import BATCH, LONGEST, PLAIN_BATCH, too_long
from runtime.distribution.parts import ABSENT, Conversion, ImproperList, PidParts, RefParts
from runtime.distribution.unreadable import UNREADABLE, UnreadableReason, content_of, explain, missing, outlines
from runtime.terms.atom import Atom
from runtime.terms.immutable import ATOMIC
from runtime.terms.log import Log
from runtime.terms.static_lookup import class_name
from runtime.terms.text import render

logger = Log("runtime.distribution")

PROTOCOL = 5

BATCH_MESSAGES = 500
"""Messages after which a batch is full."""

BATCH_BYTES = 128 * 1024
"""Estimated bytes after which a batch is full."""

USUAL_BYTES = 60
"""Estimated bytes of a message that is like most."""

SHORT_TEXT = 200
"""Characters that a short text has fewer than."""

SHORT_ITEMS = 20
"""Items that a short tuple, list or dict has at most."""

LONGEST_MESSAGE = LONGEST - 2 * BATCH_BYTES
"""Bytes of one message: it travels in a batch, with others."""

ITEM_BYTES = 5
"""Estimated bytes of an item of a tuple, beside what it holds."""

SHORT_LEVELS = 3
"""Levels of containers that a short message may have."""

MOST_ESTIMATED = 8 * 1024 * 1024
"""Estimated bytes from which a message is pickled at once: whether it is too long is known when it is sent."""

LEVELS = 50
"""Levels of tuples that are looked through; what is nested deeper is pickled at once."""

FIXED = frozenset((1, 2, 4, 6, 19, 20, 33, 35, 36))
"""The control messages whose own parts can never change: all but those that hold a reason, or start a process."""

SHORT_CAST, SHORT_SEND, SHORT_CALL, SHORT_REPLY = 1, 2, 3, 4
"""What a short entry is. It begins with this number where others begin with a control message.

    (SHORT_CAST, name or number of the receiver, [content, ...])
    (SHORT_SEND, name or number of the receiver, [message, ...])
    (SHORT_CALL, name or number of the server, number of the caller, number of the call, request)
    (SHORT_REPLY, number of the call, reply)

A call is monitored as well, under its number, until its reply is sent.
"""

_SIMPLE = {int, float, bool, type(None), type(ABSENT), Atom, PidParts, RefParts}


def restore_pid(*parts: Any) -> object:
    """Stand in a pickle for `Conversion.pid_of`, which each node replaces it by."""
    return PidParts(*parts)


def restore_ref(*parts: Any) -> object:
    """Stand in a pickle for `Conversion.ref_of`, which each node replaces it by."""
    return RefParts(*parts)


class Batches:
    """Collects what is sent into batches, and takes batches apart."""

    def __init__(self, conversion: Conversion) -> None:
        self._simple = _SIMPLE | {conversion.pid_type, conversion.ref_type}
        self._handles = (conversion.pid_type, conversion.ref_type)
        self._pickler = _pickler_for(conversion)
        self._unpickler = _unpickler_for(conversion)
        self._entries: list[tuple[Any, ...]] = []
        self.count = 0
        """Messages in it."""
        self._has_pickled = False
        """Whether an entry holds what was pickled when it was sent."""
        self._is_plain = True
        """Whether all entries are short, and none holds a pid or a reference."""
        self._large = 0
        """Estimated bytes of what is larger than most."""
        self.taken: tuple[Any, ...] | None = None
        """What `take` has returned as bytes, until these are where they belong."""
        self._run: list[Any] = []
        """The messages of the last entry, if more may follow there."""
        self._run_kind = 0
        """What these are, 0 when nothing may follow."""
        self._run_to: str | int = 0
        """For whom they are."""

    @property
    def size(self) -> int:
        """Return about how many bytes wait."""
        return self.count * USUAL_BYTES + self._large

    @property
    def is_full(self) -> bool:
        """Whether it ends before more is added."""
        return self.count >= BATCH_MESSAGES or self.count * USUAL_BYTES + self._large >= BATCH_BYTES

    def add(self, control: tuple[Any, ...], payload: Any) -> None:
        """Take a message into the batch. Raises TypeError for what cannot be pickled."""
        if control[0] not in FIXED:
            return self._add_slowly(control, payload)
        # What follows says the same as `_size_if_fixed`, for what most messages are, in half the time.
        simple, kind = self._simple, type(payload)
        if kind is tuple:
            if len(payload) > SHORT_ITEMS:
                return self._add_slowly(control, payload)
            for item in payload:
                kind = type(item)
                if kind in simple or (kind is str and len(item) < SHORT_TEXT):
                    continue
                if kind is not tuple or len(item) > SHORT_ITEMS:
                    return self._add_slowly(control, payload)
                for inner in item:
                    kind = type(inner)
                    if kind not in simple and (kind is not str or len(inner) >= SHORT_TEXT):
                        return self._add_slowly(control, payload)
        elif kind not in simple:
            return self._add_slowly(control, payload)
        self._entries += ((control, payload),)  # no call: see `Connection.send`
        self._is_plain, self._run_kind = False, 0
        self.count += 1
        return None

    @compiled("runtime.distribution._exchange")
    def add_to_run(self, kind: int, receiver: str | int, content: Any, is_own: bool = True) -> bool:
        """Take a message of a run: SHORT_CAST or SHORT_SEND. Returns False, with nothing done, if it is not short.

        `is_own`: nothing changes the content any more, as it is a copy. Otherwise only what never changes is taken.
        """
        if type(content) is tuple and len(content) < SHORT_ITEMS:  # says the same as `_is_short`, for most messages
            for item in content:
                kind_of = type(item)
                if kind_of not in _SIMPLE and (kind_of is not str or len(item) >= SHORT_TEXT):
                    if not (is_own and self._is_short(content)):
                        return False
                    break
        elif not ((is_own or type(content) in ATOMIC) and self._is_short(content)):
            return False
        if receiver != self._run_to or kind != self._run_kind:
            run: list[Any] = []
            self._entries.append((kind, receiver, run))  # first: what is added to a run must be in the batch
            self._run, self._run_kind, self._run_to = run, kind, receiver
        self._run.append(content)
        self.count += 1
        return True

    def add_short(self, entry: tuple[Any, ...]) -> bool:
        """Take a SHORT_CALL or SHORT_REPLY. Returns False, with nothing done, if what it holds last is not short."""
        if not self._is_short(entry[-1]):
            return False
        self._entries.append(entry)
        self._run_kind = 0
        self.count += 1
        return True

    def _is_short(self, value: Any, levels: int = SHORT_LEVELS) -> bool:
        """Return whether a value is small and consists of plain values, pids and references."""
        kind = type(value)
        if kind in _SIMPLE:
            return True
        if kind is str or kind is bytes:
            return len(value) < SHORT_TEXT
        if kind is tuple or kind is list:
            items = value
        elif kind is dict:
            items = [*value, *value.values()]
        elif isinstance(value, self._handles):
            self._is_plain = False
            return True
        else:
            return False
        if not levels or len(items) > SHORT_ITEMS:
            return False
        for item in items:
            kind = type(item)
            if (
                kind not in _SIMPLE
                and not (kind is str and len(item) < SHORT_TEXT)
                and not self._is_short(item, levels - 1)
            ):
                return False
        return True

    def _add_slowly(self, control: tuple[Any, ...], payload: Any) -> None:
        size = self._size_if_fixed(control)
        if size < 0:
            pieces = [self._dumps(piece) for piece in control]
            body = None if payload is ABSENT else self._dumps(payload)
            size = sum(map(len, pieces)) + len(body or b"")
            entry: tuple[Any, ...] = (pieces, body, None, None)
        else:
            size_of_payload = self._size_if_fixed(payload)
            if 0 <= size_of_payload < MOST_ESTIMATED:
                size, entry = size + size_of_payload, (control, payload)
            else:
                body = self._dumps(payload)
                size, entry = size + len(body), (control, body, None)
        if size > LONGEST_MESSAGE:
            raise too_long(size, LONGEST_MESSAGE)
        self._has_pickled |= len(entry) > 2
        self._entries += (entry,)  # no call: see `Connection.send`
        self._is_plain, self._run_kind = False, 0
        self.count += 1
        self._large += size

    def take(self) -> tuple[int, bytes]:
        """Return the batch as bytes, with the first byte of its frame, and begin another one.

        It is kept in `taken`, for `put_back`, until the caller has set that to None. What is raised here, as where the
        stack or the memory has no room, leaves the batch as it is. A message that holds what turns out to have no
        counterpart at the other node is left out, with an error in the log.
        """
        entries, has_pickled, is_plain = self._entries, self._has_pickled, self._is_plain
        # Another batch begins first: a destructor or a signal handler that runs during what follows may send, too.
        taken = (entries, self.count, self._large, has_pickled, is_plain)
        self.taken, self._entries, self.count, self._large, self._run_kind = taken, [], 0, 0, 0
        self._has_pickled, self._is_plain = False, True
        try:
            return self.bytes_of(entries, has_pickled, is_plain)
        except BaseException:  # as `put_back`, without a call: there may be no room for one
            (_, count, large, _, _), self.taken = taken, None
            self._entries = entries + self._entries if self._entries else entries
            self.count += count
            self._large += large
            self._has_pickled |= has_pickled
            self._is_plain &= is_plain
            raise

    def bytes_of(self, entries: list[tuple[Any, ...]], has_pickled: bool, is_plain: bool) -> tuple[int, bytes]:
        """Return entries as a batch, with the first byte of its frame."""
        if is_plain:
            return PLAIN_BATCH, pickle.dumps(entries, PROTOCOL)
        try:
            return BATCH, self.pickled((entries, has_pickled))
        except (TypeError, ValueError):
            return BATCH, self.pickled((self._sendable(entries), has_pickled))

    def put_back(self) -> None:
        """Put in again what was taken out and has gone nowhere, before the rest."""
        taken = self.taken
        if taken is not None:
            (entries, count, large, has_pickled, is_plain), self.taken = taken, None
            self._entries, self._run_kind = entries + self._entries, 0
            self.count += count
            self._large += large
            self._has_pickled |= has_pickled
            self._is_plain &= is_plain

    def pickled(self, value: object) -> bytes:
        """Return a value as it travels. Raises what pickle and the value do."""
        file = io.BytesIO()
        self._pickler(file, PROTOCOL).dump(value)
        return file.getvalue()

    def _sendable(self, entries: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return the entries without the messages that cannot be pickled, each of which is logged."""
        kept = []
        for entry in entries:
            if entry[0] in (SHORT_CAST, SHORT_SEND):
                kept.append((*entry[:2], [content for content in entry[2] if self._is_sendable(content)]))
            elif self._is_sendable(entry):
                kept.append(entry)
        return kept

    def _is_sendable(self, value: object) -> bool:
        try:
            self.pickled(value)
        except (TypeError, ValueError) as error:
            logger.error("a message could not be sent to another node, and was dropped: %s", error)
            return False
        return True

    def load_plain(self, data: bytes | memoryview) -> list[tuple[Any, ...]]:
        """Return the entries of a batch of short ones alone. Raises ValueError for anything else."""
        try:
            return [*pickle.loads(data)]
        except Exception as error:  # of pickle, whose errors are of any class
            raise unreadable.batch_error(error) from error

    def load(self, data: bytes | memoryview) -> list[tuple[Any, ...]]:
        """Return the entries of a batch: control messages with their payloads, and short ones.

        Raises ValueError for anything else. A message whose payload cannot be loaded here becomes one that is
        UNREADABLE.
        """
        try:
            entries, has_pickled = self._unpickler(io.BytesIO(data)).load()
            if not has_pickled:
                return [*entries]
            messages: list[tuple[Any, ...]] = []
            for entry in entries:
                if len(entry) == 2 or type(entry[0]) is int:
                    messages.append(entry)
                else:
                    self._load_pickled(entry, messages)
        except Exception as error:  # of pickle, whose errors are of any class
            raise unreadable.batch_error(error) from error
        return messages

    # -- One message --------------------------------------------------------------------------------------------------

    def _size_if_fixed(self, value: Any, levels: int = LEVELS) -> int:
        """Return about how many bytes a value takes whose parts can never change; -1 for another one."""
        kind = type(value)
        if kind in self._simple:
            return 0
        if kind is bytes or (kind is str and value.isascii()):
            return len(value)
        if kind is str:
            return len(value.encode("utf-8", "surrogatepass"))
        if kind is not tuple and kind is not ImproperList:
            if isinstance(value, self._handles):
                self._simple.add(kind)
                return 0
            return -1
        if not levels:
            return -1
        size = ITEM_BYTES * len(value)
        for item in value:
            inner = self._size_if_fixed(item, levels - 1)
            if inner < 0:
                return -1
            size += inner
        return size

    def _dumps(self, value: Any) -> bytes:
        file = io.BytesIO()
        try:
            self._pickler(file, PROTOCOL).dump(value)
        except Exception as error:  # of pickle, or of the program's own __reduce__
            what = content_of(value)
            raise TypeError(
                f"{render(what)} ({class_name(type(what))}) cannot be sent to another node, since it cannot be "
                f"pickled: {error}"
            ) from error
        return file.getvalue()

    def _loads(self, data: bytes) -> Any:
        for _ in range(2):
            with suppress(Exception):  # of a signal's handler, for one: then it can be loaded when that is done again
                return self._unpickler(io.BytesIO(data)).load()
        return self._unpickler(io.BytesIO(data)).load()

    def _load_pickled(self, entry: tuple[Any, ...], messages: list[tuple[Any, ...]]) -> None:
        """Read a message that was pickled in pieces. A signal is not lost over a piece that this node cannot load."""
        control, body = entry[:2]
        if len(entry) == 4:
            control = tuple(map(self._load_or_explain, control))
        if body is None:
            messages.append((control, ABSENT))
            return
        try:
            payload = self._loads(body)
        except Exception as error:  # a class that this node does not have, or the program's own __setstate__
            control, payload = (UNREADABLE, control, explain(error)), self._outline(body)
        messages.append((control, payload))

    def _outline(self, data: bytes) -> Any:
        try:
            return outlines(self._unpickler, _RESTORING)(io.BytesIO(data)).load()
        except Exception:  # it is no pickle
            return ABSENT

    def _load_or_explain(self, data: bytes) -> Any:
        try:
            return self._loads(data)
        except Exception as error:
            return UnreadableReason(f"a value that cannot be unpickled here: {type(error).__name__}: {error}")


class _Reducers(dict[type, Callable[[Any], Any]]):
    """How instances are taken apart, by class: the node's own ways first, then those that programs have registered."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        return dispatch_table[kind]


def _pickler_for(conversion: Conversion) -> Callable[[io.BytesIO, int], pickle.Pickler]:
    reducers = _Reducers()
    for kind in _with_subclasses(conversion.pid_type):
        reducers[kind] = lambda pid: (restore_pid, tuple(conversion.pid_parts(pid)))
    for kind in _with_subclasses(conversion.ref_type):
        reducers[kind] = lambda ref: (restore_ref, tuple(conversion.ref_parts(ref)))
    reducers[Atom] = lambda atom: (Atom, (str(atom),))

    class OwnPickler(pickle.Pickler):
        dispatch_table = reducers

    return OwnPickler


def _with_subclasses(kind: type) -> Iterator[type]:
    yield kind
    each: type
    for each in kind.__subclasses__():
        yield from _with_subclasses(each)


_RESTORING = frozenset((__name__, function.__name__) for function in (restore_pid, restore_ref))


def _unpickler_for(conversion: Conversion) -> type[pickle.Unpickler]:
    restore = {
        "restore_pid": lambda *parts: conversion.pid_of(PidParts(*parts)),
        "restore_ref": lambda *parts: conversion.ref_of(RefParts(*parts)),
    }

    class OwnUnpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if module == __name__ and name in restore:
                return restore[name]
            try:
                return super().find_class(module, name)
            except (ImportError, AttributeError) as error:
                raise missing(module, name, error) from error

    return OwnUnpickler
