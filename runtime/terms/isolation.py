"""The isolation of messages: after a send, neither side sees the other's later changes.

Immutable values travel by reference, everything else is copied: containers, dataclasses, instances of any class that
can be taken apart as pickle does it. What is shared or cyclic inside one message stays so in the copy. What cannot be
copied (a socket, a lock, a generator, an open file) travels by reference, and so does what could be taken apart but is
of use only as itself (an event, a queue, a thread, a pool, a program that runs).

This is what isolation is. Where the kernel is compiled, `_isolation` does the same in less time.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable
from copyreg import __newobj__, dispatch_table  # type: ignore[attr-defined]
from enum import Enum
from functools import lru_cache, partial
from typing import Any

from runtime.compiled import choice
from runtime.terms.immutable import ATOMIC
from runtime.terms.signal_handlers import is_of_handler

_KEEP = -1
"""The memo's key for what must stay alive until the copy is done; no object has this id."""


HANDLES = frozenset(
    (
        *("threading.Event", "threading.Condition", "threading.Semaphore", "threading.Barrier", "threading.Thread"),
        *("queue.Queue", "subprocess.Popen", "concurrent.futures._base.Future", "concurrent.futures._base.Executor"),
        *("gevent.lock.RLock", "gevent.pool.GroupMappingMixin", "gevent.timeout.Timeout"),
    )
)
"""Classes whose instances are of use only as themselves, by name: a program that sends one has imported it."""


@lru_cache(maxsize=1_000)
def _is_handle(kind: type) -> bool:
    return any(f"{base.__module__}.{base.__qualname__}" in HANDLES for base in kind.__mro__)


def isolate(message: Any) -> Any:
    """Return `message`, or a copy of it that shares nothing mutable with it."""
    kind = type(message)
    if kind in ATOMIC:
        return message
    if kind is tuple:
        for item in message:
            if type(item) not in ATOMIC:
                break
        else:
            return message
    if _is_immutable(message):
        return message
    return _copy(message, {})


def _is_immutable(value: Any) -> bool:
    """Return whether a quick look tells that a value is immutable all through: atoms and enums, also in tuples."""
    kind = type(value)
    if kind in ATOMIC:
        return True
    if kind is not tuple and not (issubclass(kind, tuple) and kind.__dictoffset__ == 0):
        return issubclass(kind, (type, Enum))
    for item in tuple.__iter__(value):  # noqa: SIM110  # all() would take some of the C stack at each level
        if type(item) not in ATOMIC and not _is_immutable(item):
            return False
    return True


def _copy(value: Any, memo: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in ATOMIC:
        return value
    known = memo.get(id(value))
    if known is not None:
        return known
    copier = _COPIERS.get(kind)
    if copier is not None:
        return copier(value, memo)
    if _is_immutable(value):
        return value
    try:
        result = _copy_instance(value, memo)
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # it cannot be taken apart, or not put together again
        if is_of_handler(error):
            raise
        result = value
    memo[id(value)] = result
    return result


def _copy_tuple(value: tuple[Any, ...], memo: dict[int, Any]) -> tuple[Any, ...]:
    items = [_copy(item, memo) for item in value]
    known = memo.get(id(value))  # a cycle through the tuple has made it already
    if known is not None:
        return known  # type: ignore[no-any-return]
    for old, new in zip(value, items, strict=True):
        if old is not new:
            result = tuple(items)
            break
    else:
        result = value
    memo[id(value)] = result
    return result


def _copy_list(value: list[Any], memo: dict[int, Any]) -> list[Any]:
    result: list[Any] = []
    memo[id(value)] = result
    append = result.append
    for item in value:
        append(item if type(item) in ATOMIC else _copy(item, memo))
    return result


def _copy_dict(value: dict[Any, Any], memo: dict[int, Any]) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    memo[id(value)] = result
    for key, item in value.items():
        new_key = key if type(key) in ATOMIC else _copy(key, memo)
        result[new_key] = item if type(item) in ATOMIC else _copy(item, memo)
    return result


def _copy_set(value: set[Any], memo: dict[int, Any]) -> set[Any]:
    result: set[Any] = set()
    memo[id(value)] = result  # first: an item may lead back to it
    result.update([_copy(item, memo) for item in value])
    return result


def _copy_frozenset(value: frozenset[Any], memo: dict[int, Any]) -> frozenset[Any]:
    items = [_copy(item, memo) for item in value]
    known = memo.get(id(value))  # a cycle through an item has made it already
    if known is not None:
        return known  # type: ignore[no-any-return]
    same = all(old is new for old, new in zip(value, items, strict=True))
    memo[id(value)] = result = value if same else frozenset(items)
    return result


def _copy_bytearray(value: bytearray, memo: dict[int, Any]) -> bytearray:
    memo[id(value)] = result = bytearray(value)
    return result


def _copy_deque(value: deque[Any], memo: dict[int, Any]) -> deque[Any]:
    memo[id(value)] = result = deque(maxlen=value.maxlen)  # type: ignore[var-annotated]
    append = result.append
    for item in value:  # a generator would take some of the C stack at each level
        append(_copy(item, memo))
    return result


def _copy_method(value: types.MethodType, memo: dict[int, Any]) -> types.MethodType:
    owner = _copy(value.__self__, memo)
    memo[id(value)] = result = value if owner is value.__self__ else types.MethodType(value.__func__, owner)
    return result


def _copy_partial(value: partial[Any], memo: dict[int, Any]) -> partial[Any]:
    arguments = [_copy(item, memo) for item in value.args]
    keywords = {key: _copy(item, memo) for key, item in value.keywords.items()}
    memo[id(value)] = result = partial(value.func, *arguments, **keywords)
    return result


_COPIERS: dict[type, Callable[[Any, dict[int, Any]], Any]] = {
    tuple: _copy_tuple,
    list: _copy_list,
    dict: _copy_dict,
    set: _copy_set,
    frozenset: _copy_frozenset,
    bytearray: _copy_bytearray,
    deque: _copy_deque,
    types.MethodType: _copy_method,
    partial: _copy_partial,
}


def _copy_instance(value: Any, memo: dict[int, Any]) -> Any:
    """Copy an instance of any class, the way pickle takes it apart, piece by piece through `_copy`."""
    kind = type(value)
    if _is_handle(kind):  # type: ignore[arg-type]  # of mypy's: a class is hashable
        return value
    own = getattr(kind, "__deepcopy__", None)
    if own is not None:
        return own(value, memo)
    reducer = dispatch_table.get(kind)
    parts = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    if isinstance(parts, str):  # a global, named
        return value
    memo.setdefault(_KEEP, []).append(parts)  # else a part's id could be given to another object meanwhile
    make, arguments, state, items, pairs = (*parts, None, None, None)[:5]
    if make is __newobj__ and not any(isinstance(a, type) for a in arguments[1:]):
        result = arguments[0].__new__(arguments[0], *[_copy(item, memo) for item in arguments[1:]])
    else:
        result = make(*[_copy(item, memo) for item in arguments])
    memo[id(value)] = result
    if state is not None:
        _set_state(result, _copy(state, memo))
    if items is not None:
        for item in items:
            result.append(_copy(item, memo))
    if pairs is not None:
        for key, item in pairs:
            result[_copy(key, memo)] = _copy(item, memo)
    return result


def _set_state(result: Any, state: Any) -> None:
    if hasattr(result, "__setstate__"):
        result.__setstate__(state)
        return
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        result.__dict__.update(state)
    for name, item in (slots or {}).items():
        object.__setattr__(result, name, item)


_compiled = choice.part("runtime.terms._isolation")
if _compiled is not None:
    isolate = _compiled.isolate
