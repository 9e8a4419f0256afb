"""Messages between two nodes of this package: many in one pickle, once a turn of the hub.

What a message holds must be fixed when it is sent, so what could change later is pickled at once, alone. What cannot
change, which most messages are, waits until the batch is full or the hub has a moment: then the pids and names that the
messages share are written once, and a message takes a tenth of the time.

A pickle runs code as it is loaded. It comes from a node that knows the cookie, which is as good as a shell.
"""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Callable
from typing import Any

from runtime.distribution.parts import ABSENT, Conversion, PidParts, RefParts
from runtime.terms.atom import Atom
from runtime.terms.text import render

logger = logging.getLogger("runtime.distribution")

PROTOCOL = 5

MOST = 500
"""Messages of one batch."""

ENOUGH = 128 * 1024
"""Estimated bytes of one batch."""

SIZE = 40
"""Estimated bytes of a message without its texts."""

_SIMPLE = {int, float, bool, type(None), Atom, PidParts, RefParts}


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
        self._pickler = _pickler_for(conversion)
        self._unpickler = _unpickler_for(conversion)
        self._entries: list[tuple[Any, ...]] = []
        self.size = 0
        """Estimated bytes of what waits."""

    def add(self, control: tuple[Any, ...], payload: Any) -> bool:
        """Take a message into the batch. Returns whether it is full. Raises TypeError for what cannot be pickled."""
        size = self._size_if_fixed(control)
        if size < 0:
            pieces = [self._dumps(piece) for piece in control]
            body = None if payload is ABSENT else self._dumps(payload)
            self._entries.append((pieces, body, None, None))
            size = sum(map(len, pieces)) + len(body or b"")
        elif payload is ABSENT:
            self._entries.append((control,))
        else:
            size_of_payload = self._size_if_fixed(payload)
            if size_of_payload >= 0:
                self._entries.append((control, payload))
                size += size_of_payload
            else:
                body = self._dumps(payload)
                self._entries.append((control, body, None))
                size += len(body)
        self.size += size + SIZE
        return self.size >= ENOUGH or len(self._entries) >= MOST

    def take(self) -> bytes:
        """Return the batch as bytes, and begin another one."""
        entries, self._entries, self.size = self._entries, [], 0
        file = io.BytesIO()
        self._pickler(file, PROTOCOL).dump(entries)
        return file.getvalue()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def load(self, data: bytes | memoryview, source: str) -> list[tuple[tuple[Any, ...], Any]]:
        """Return the messages of a batch, each with its payload. Raises ValueError if it is none.

        A message whose payload cannot be loaded here is left out, with an error in the log that names `source`.
        """
        try:
            entries = self._unpickler(io.BytesIO(data)).load()
            messages: list[tuple[tuple[Any, ...], Any]] = []
            for entry in entries:
                size = len(entry)
                if size == 2:
                    messages.append(entry)
                elif size == 1:
                    messages.append((entry[0], ABSENT))
                else:
                    self._load_pickled(entry, source, messages)
        except Exception as error:  # of pickle, whose errors are of any class
            raise ValueError(f"a batch of messages cannot be read: {type(error).__name__}: {error}") from error
        return messages

    # -- One message --------------------------------------------------------------------------------------------------

    def _size_if_fixed(self, value: Any) -> int:
        """Return about how many bytes a value takes whose parts can never change; -1 for another one."""
        kind = type(value)
        simple = self._simple
        if kind is tuple:
            size = 0
            for item in value:
                kind = type(item)
                if kind in simple:
                    continue
                if kind is str or kind is bytes:
                    size += len(item)
                    continue
                if kind is not tuple:
                    return -1
                inner = self._size_if_fixed(item)
                if inner < 0:
                    return -1
                size += inner
            return size
        if kind in simple:
            return 0
        if kind is str or kind is bytes:
            return len(value)
        return -1

    def _dumps(self, value: Any) -> bytes:
        file = io.BytesIO()
        try:
            self._pickler(file, PROTOCOL).dump(value)
        except Exception as error:  # of pickle, or of the program's own __reduce__
            raise TypeError(
                f"{render(value)} ({type(value).__name__}) cannot be sent to another node, since it cannot be pickled: "
                f"{error}"
            ) from error
        return file.getvalue()

    def _loads(self, data: bytes) -> Any:
        return self._unpickler(io.BytesIO(data)).load()

    def _load_pickled(self, entry: tuple[Any, ...], source: str, messages: list[tuple[tuple[Any, ...], Any]]) -> None:
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
            logger.error(
                "dropped a message from %s that cannot be unpickled here: %s: %s", source, type(error).__name__, error
            )
            return
        messages.append((control, payload))

    def _load_or_explain(self, data: bytes) -> Any:
        try:
            return self._loads(data)
        except Exception as error:
            return f"a value that cannot be unpickled here: {type(error).__name__}: {error}"


def _pickler_for(conversion: Conversion) -> Callable[[io.BytesIO, int], pickle.Pickler]:
    pid_type, ref_type = conversion.pid_type, conversion.ref_type

    class OwnPickler(pickle.Pickler):
        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, pid_type):
                return restore_pid, tuple(conversion.pid_parts(value))
            if isinstance(value, ref_type):
                return restore_ref, tuple(conversion.ref_parts(value))
            return NotImplemented

    return OwnPickler


def _unpickler_for(conversion: Conversion) -> Callable[[io.BytesIO], pickle.Unpickler]:
    restore = {
        "restore_pid": lambda *parts: conversion.pid_of(PidParts(*parts)),
        "restore_ref": lambda *parts: conversion.ref_of(RefParts(*parts)),
    }

    class OwnUnpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if module == __name__ and name in restore:
                return restore[name]
            return super().find_class(module, name)

    return OwnUnpickler
