"""Asks a class of the program's for a description, where that takes little or can be stopped."""

from __future__ import annotations

import time
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from gevent.monkey import get_original

from runtime.terms.smallness import is_small
from runtime.terms.static_lookup import class_name
from runtime.terms.time_limit import OutOfTime, within

TOO_LONG = 0.004
"""Seconds of processor time after which a class is not asked again."""

F = TypeVar("F", bound="Callable[..., str]")


def bounded(show: F) -> F:
    """Mark a ``__repr__`` that does little whatever its object refers to, and runs no code of the program's."""
    _bounded.add(show.__code__)
    return show


def is_bounded(show: types.FunctionType) -> bool:
    """Return whether a ``__repr__`` was marked as such."""
    return show.__code__ in _bounded


@contextmanager
def beside_the_node() -> Iterator[None]:
    """While the block runs, no class is asked on this thread: it might wait for what only the node's thread can do."""
    me = _get_ident()
    is_outermost = me not in _threads_beside
    _threads_beside.add(me)
    try:
        yield
    finally:
        if is_outermost:
            _threads_beside.discard(me)


def may_be_asked() -> bool:
    """Return whether code of the program's may run on this thread."""
    return _get_ident() not in _threads_beside


def own_repr(value: object, kind: type, show: Callable[[Any], str], seconds: float, patience: float) -> str:
    """Return what a class says of its instance, or in pointed brackets why it was not asked, or was stopped.

    It may compute for `seconds` and wait for `patience` seconds.
    """
    name = class_name(kind)
    if _is_slow(kind) or not is_small(value):
        return f"<{name} that is too large to be asked for its __repr__>"
    before = time.thread_time()
    try:
        text = within(seconds, show, value, patience)
        return text if type(text) is str else f"<{name} whose __repr__ returned no text>"
    except OutOfTime:
        return f"<{name} whose __repr__ takes too long>"
    except BaseException as error:
        return f"<{name} whose __repr__ raised {class_name(type(error))}>"
    finally:
        if time.thread_time() - before > TOO_LONG:
            _slow[id(kind)] = weakref.ref(kind)  # it makes long calls into C, which nothing can end: once is enough


def _is_slow(kind: type) -> bool:
    found = _slow.get(id(kind))
    return found is not None and found() is kind


_get_ident = get_original("_thread", "get_ident")

_bounded: set[types.CodeType] = set()

_threads_beside: set[int] = set()

_slow: dict[int, weakref.ref[type]] = {}
"""Classes whose ``__repr__`` has held the interpreter too long; by id, for the hash of a class may be a program's."""
