"""What a whole program holds in memory: how many objects of which types, and which containers of modules are large.

It is taken in the hub, a little at a time, when an observer asks for it. It begins at the variables of all modules and
goes on to what these refer to, nearest first, up to a limit. Two of them tell what grew in between.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

from runtime.introspection.threads.background import BackgroundWork
from runtime.kernel.memory import LARGE, NOT_OWNED, builtin_container, referents, shallow_size
from runtime.kernel.node import Node
from runtime.kernel.threads import sleep
from runtime.terms.static_lookup import full_name

SHARE = 0.25
"""The share of time that a census may take of the hub. It is short, and a person waits for it."""

LIMIT = 150_000
"""Objects that one census looks at, at most."""

SAMPLE = 200
"""Items of a container that are looked at to tell how large they are on average."""

STEPS = 16
"""Containers of modules that one step measures."""

NEAR = 4
"""Objects that one step counts: each may refer to thousands of others."""

LOOK = 0.02
"""Seconds between two looks at whether a census is over."""

WITHIN = 8.0
"""Seconds after which it is given up: the hub is held. An observer waits ten for an answer, and is to get this one."""

OWN = ("runtime", "observer")
"""Packages whose containers are the observer's business, and not the program's."""


class Container(NamedTuple):
    """A container that a module, a class in it, or an object in it has: its place, type, length, and size in bytes."""

    place: str
    type: str
    length: int
    memory: int


class Census(NamedTuple):
    """What was found: containers by place, and by type how many objects there are and how many bytes they take."""

    containers: dict[str, Container]
    types: dict[str, tuple[int, int]]
    is_complete: bool
    """Whether everything was looked at. Else the rest lies further from the modules."""


class TypeCounts:
    """How many objects of which types were found, and how many bytes these take themselves."""

    def __init__(self) -> None:
        self._counts: dict[int, list[Any]] = {}
        """By the id of the class, whose own hash may be code of the program's: the class, its name, count and size."""

    def add(self, kind: type, count: float, size: float) -> None:
        """Count objects of a type. `size` is that of all of them."""
        counted = self._counts.get(id(kind))
        if counted is None:
            counted = self._counts[id(kind)] = [kind, full_name(kind), 0, 0]
        counted[2] += count
        counted[3] += size

    def by_name(self) -> dict[str, tuple[int, int]]:
        """Return counts and sizes by the names of types."""
        found: dict[str, tuple[int, int]] = {}
        for _, name, count, size in self._counts.values():
            before = found.get(name, (0, 0))
            found[name] = (before[0] + round(count), before[1] + round(size))
        return found


class MemoryCensus(BackgroundWork):
    """Takes a census of the program, on one node."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._work: Iterator[None] = iter(())
        self._wanted = self._begun = 0
        self._result: Census | None = None

    def take(self, within: float = WITHIN) -> Census | None:
        """Return a census that begins now, None when it took too long. Waits for it, so not from the hub."""
        self._wanted += 1
        wanted, until = self._wanted, time.monotonic() + within
        self.keep_going()
        while time.monotonic() < until:
            result = self._result
            if self._begun >= wanted and result is not None:
                return result
            self.keep_going()
            sleep(LOOK)
        return None

    # -- In the hub -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Look at a few objects. Return False when no census is wanted."""
        if next(self._work, self) is None:
            return True
        if self._begun == self._wanted:
            return False
        self._begun, self._result = self._wanted, None
        self._work = self._round()
        return True

    def pause(self, took: float, more: bool) -> float:
        """Keep to the share of time."""
        return took / SHARE if more else LOOK

    def stop(self) -> None:
        """Forget a census under way. If a client still waits for it, it begins anew."""
        self._work = iter(())
        self._result = None
        self._begun = 0

    def _round(self) -> Iterator[None]:
        modules = [(name, module) for name, module in [*sys.modules.items()] if issubclass(type(module), ModuleType)]
        containers: dict[str, Container] = {}
        for name, module in modules:
            if name.partition(".")[0] not in OWN:
                for number, found in enumerate(_containers_of(name, vars(module))):
                    containers[found.place] = found
                    if not number % STEPS:
                        yield
            yield
        types = TypeCounts()
        queue: deque[Any] = deque(vars(module) for _, module in modules)
        is_complete = True
        looked = 0
        seen = {id(types), id(containers), id(queue)}
        while queue and len(seen) < LIMIT:
            if not _look_at(queue.popleft(), queue, seen, types):
                is_complete = False
            looked += 1
            if not looked % NEAR:
                yield
        is_complete = is_complete and not queue
        while queue or seen:  # to drop all of it at once would hold the hub
            for _ in range(min(LARGE, len(queue))):
                queue.pop()
            for _ in range(min(LARGE, len(seen))):
                seen.pop()
            yield
        self._result = Census(containers, types.by_name(), is_complete)


def _containers_of(module: str, variables: dict[str, Any]) -> Iterator[Container]:
    """Yield the containers that are variables of a module, or attributes of its classes or of objects in it."""
    for name, value in [*variables.items()]:
        place = f"{'' if module == '__main__' else module + '.'}{name}"
        if name.startswith("__"):
            continue
        kind = type(value)
        if builtin_container(kind) is not None or kind is bytearray:
            yield _measured(place, value)
        elif issubclass(kind, type):
            of_class = dict(type.__dict__["__dict__"].__get__(value) or {})  # None for a class of C's never used
            name_of_module = of_class.get("__module__")
            if type(name_of_module) is str and name_of_module == module:
                yield from _attributes(place, of_class)
        elif not issubclass(kind, NOT_OWNED):
            attributes = _instance_dict(value)
            if attributes is not None and len(attributes) <= SAMPLE:
                yield from _attributes(place, attributes)


def _attributes(place: str, attributes: dict[str, Any]) -> Iterator[Container]:
    for name, value in [*attributes.items()]:
        if type(name) is not str or name.startswith("__"):
            continue
        if builtin_container(type(value)) is not None or type(value) is bytearray:
            yield _measured(f"{place}.{name}", value)


def _instance_dict(value: object) -> dict[str, Any] | None:
    """Return the attributes of an object without running a ``__getattribute__`` of the program's."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if type(found) is dict else None


def _measured(place: str, value: Any) -> Container:
    """Measure a container by a sample of its items."""
    kind = type(value)
    name = full_name(kind)
    container = builtin_container(kind)
    if container is None:
        return Container(place, name, len(value), shallow_size(value))
    length = container.__len__(value)
    sample = [*islice(container.__iter__(value), SAMPLE)]
    each = sum(map(shallow_size, sample))
    if container is dict:
        each += sum(map(shallow_size, islice(dict.values(value), SAMPLE)))
    return Container(place, name, length, shallow_size(value) + (each * length // len(sample) if sample else 0))


def _look_at(value: Any, queue: deque[Any], seen: set[int], types: TypeCounts) -> bool:
    """Count one object, and note what it refers to. Of a very large container, a sample stands for the rest.

    Return whether there was room for all that it refers to.
    """
    kind = type(value)
    if id(value) in seen or issubclass(kind, ModuleType):
        return True
    seen.add(id(value))
    types.add(kind, 1, shallow_size(value))
    container = builtin_container(kind)
    length = 0 if container is None else container.__len__(value)
    if container is None or length <= LARGE:
        room, before = max(0, LIMIT - len(seen) - len(queue)), len(queue)
        queue.extend(referents(value, room))
        return len(queue) - before < room
    items = [*islice(container.__iter__(value), SAMPLE)]
    if container is dict:
        items += islice(dict.values(value), SAMPLE)
    for item in items:
        types.add(type(item), length // SAMPLE, shallow_size(item) * (length // SAMPLE))
    return True
