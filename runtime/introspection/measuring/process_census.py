"""What one process holds in memory: how large each part of its state is, and how many objects of which types it has.

It is taken in the hub, a little at a time, when an observer asks for it. It begins at what the process refers to (the
attributes of a server, the variables of functions, the mailbox, the dictionary) and goes on to what these refer to,
nearest first, up to a limit. None of the program's code is run. Two of them tell what grew in between.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from itertools import islice
from types import FrameType, MemberDescriptorType
from typing import Any, NamedTuple

from runtime.introspection.measuring.memory_census import LIMIT, LOOK, NEAR, SHARE, WITHIN, TypeCounts
from runtime.introspection.reading.tree_path import text_of
from runtime.introspection.threads.background import BackgroundWork
from runtime.kernel.memory import LARGE, NOT_OWNED, STACK, builtin_container, referents, shallow_size
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Pid, Process
from runtime.kernel.threads import sleep
from runtime.otp.callbacks import Callbacks
from runtime.otp.gen_server import GenServer
from runtime.supervision.server import SupervisorServer
from runtime.terms.static_lookup import attributes, full_name, static, stored_names
from runtime.terms.text import render

SAMPLE = 500
"""Items of a large container that are looked at; the others are taken to be like them."""

DEPTH = 3
"""How far places go into each other: ``shop.cache['page']`` has a depth of three."""

MAX_ENTRIES = 100
"""Entries up to which each entry of a dict, and each attribute of an object, is a place of its own."""

MAX_PLACES = 500
"""How many places are told apart."""

_PLAIN_KEYS = (str, bytes, int, float, bool, type(None), Pid)
"""Types of keys that are shown. The text of any other may be code of the program's."""

MAX_FRAMES = 2_000
"""Frames of a stack whose variables are looked at."""

OTHERS = "(others)"
"""The place of objects that get no place of their own, because there are too many places."""

STATE = "(state)"
"""The place of all that a server holds, where it chooses what is shown of it."""


class Place(NamedTuple):
    """A part of what a process holds: where it is, its type, its items where it has some, and its size in bytes.

    The size is that of all that is in it. What several places share counts for the one that is nearest.
    """

    name: str
    type: str
    items: int | None
    memory: int


class ProcessCensus(NamedTuple):
    """What was found: places by name, and by type how many objects there are and how many bytes they take."""

    places: dict[str, Place]
    types: dict[str, tuple[int, int]]
    memory: int
    is_complete: bool
    """Whether everything was looked at. Else the rest lies further in."""


class ProcessCensuses(BackgroundWork):
    """Takes a census of one process after the other, on one node."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._waiting: deque[_Job] = deque()
        self._job: _Job | None = None

    def take(self, process: Process, within: float = WITHIN) -> ProcessCensus | None:
        """Return a census of a process that begins now. None when it took too long or the process has ended.

        Waits for it, so not from the hub.
        """
        job = _Job(process)
        self._waiting.append(job)
        until = time.monotonic() + within
        while time.monotonic() < until and not job.is_over:
            self.keep_going()
            sleep(LOOK)
        job.is_wanted = False
        return job.result

    # -- In the hub -----------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Look at a few objects. Return False when no census is wanted."""
        if self._job is None:
            if not self._waiting:
                return False
            self._job = self._waiting.popleft()
        job = self._job
        if not job.is_wanted or job.walk.process.state is DEAD:
            job.walk.give_up()
        if not job.walk.advance():
            job.result, job.is_over, self._job = job.walk.result, True, None
        return True

    def pause(self, took: float, more: bool) -> float:
        """Keep to the share of time."""
        return took / SHARE if more else LOOK

    def stop(self) -> None:
        """Forget a census under way. If a client still waits for it, it begins anew."""
        if self._job is not None and self._job.is_wanted:
            self._job.walk = Walk(self._job.walk.process)
            self._waiting.appendleft(self._job)
        self._job = None


class _Job:
    """A census that was asked for."""

    def __init__(self, process: Process) -> None:
        self.walk = Walk(process)
        self.result: ProcessCensus | None = None
        self.is_over = False
        self.is_wanted = True
        """Whether its asker still waits for it."""


class _Part:
    """A place, with what has been counted in it so far."""

    __slots__ = ("depth", "end", "identity", "items", "memory", "parent", "path", "type")

    def __init__(self, path: str, end: str, value: object, parent: int | None, depth: int) -> None:
        self.path, self.end = path, end
        self.identity = id(value)
        """Of the value that stands there: what is in it is counted in the part, and may have places of its own."""
        self.type = text_of(full_name(type(value)))
        container = builtin_container(type(value))
        self.items: int | None = None if container is None else container.__len__(value)
        self.memory = 0.0
        self.parent = parent
        self.depth = depth


class Walk:
    """The way through all that a process holds, a few objects at a time. In the node's thread alone."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.result: ProcessCensus | None = None
        self._parts: list[_Part] = []
        self._numbers: dict[str, int] = {}
        """Of the parts, by their names."""
        self._queue: deque[tuple[Any, int, float]] = deque()
        """What is still to be looked at: a value, the part it is in, and for how many like it it stands."""
        self._seen: set[int] = set()
        self._types = TypeCounts()
        self._given_up = False
        self._steps = self._look()

    def advance(self) -> bool:
        """Look at a few objects. Return False when all is done."""
        return next(self._steps, self) is None

    def give_up(self) -> None:
        """Drop everything, a little at a time, without a result."""
        self._given_up = True

    def _look(self) -> Iterator[None]:
        process = self.process
        self._seen.update(map(id, (process, self._queue, self._parts, self._types, self._seen)))
        self._begin(process)
        yield
        yield from self._variables(getattr(process.worker, "gr_frame", None))
        is_complete = True
        while self._queue and len(self._seen) < LIMIT and not self._given_up:
            for _ in range(min(NEAR, len(self._queue))):
                is_complete &= self._count(*self._queue.popleft())
            yield
        if not self._given_up:
            self.result = self._found(is_complete and not self._queue)
        while self._queue or self._seen:  # to drop all of it at once would hold the hub
            for _ in range(min(LARGE, len(self._queue))):
                self._queue.pop()
            for _ in range(min(LARGE, len(self._seen))):
                self._seen.pop()
            yield

    # -- Where it begins ------------------------------------------------------------------------------------------

    def _begin(self, process: Process) -> None:
        """Put what a process refers to directly into the queue, except the variables of its functions."""
        body: Any = process.body
        if isinstance(body, SupervisorServer):
            self._add("(children)", "", body, depth=DEPTH)
        elif not isinstance(body, GenServer):
            self._add("(code)", "", body, depth=DEPTH)
        elif static(type(body), "format_status") is not static(Callbacks, "format_status"):
            self._add(STATE, "", body, depth=DEPTH)
        else:
            self._seen.add(id(body))
            for name, value in attributes(body, _names_of(body)):
                self._add(name, "", value)
        for place, value in (
            ("(mailbox)", process.saved),
            ("(mailbox)", process.mailbox),
            ("(dictionary)", process.dictionary),
            ("(context)", process.__dict__.get("context")),
        ):
            if value:
                self._add(place, "", value, depth=1 if place == "(dictionary)" else DEPTH)

    def _variables(self, frame: FrameType | None) -> Iterator[None]:
        """Put the variables of the program's functions on a stack into the queue."""
        looked = 0
        while frame is not None and not self._given_up and looked < MAX_FRAMES:
            code = frame.f_code
            # other code than a function's may have any object of the program's for its variables
            if code.co_flags & CO_OPTIMIZED and not frame.f_globals.get("__name__", "").startswith("runtime."):
                for name, value in [*frame.f_locals.items()]:
                    if id(value) not in self._seen:
                        self._add(name, f" in {code.co_name}", value)
            frame = frame.f_back
            looked += 1
            if not looked % NEAR:
                yield

    def _add(self, path: str, end: str, value: Any, parent: int | None = None, depth: int = 1) -> None:
        """Put a value into the queue, as a place of its own while there are not too many."""
        if issubclass(type(value), NOT_OWNED):
            return
        name = text_of(path + end)
        number = self._numbers.get(name)
        if number is None and len(self._parts) < MAX_PLACES:
            number = self._numbers[name] = len(self._parts)
            self._parts.append(_Part(path, end, value, parent, depth))
        elif number is None:
            number = parent if parent is not None else self._numbers.setdefault(OTHERS, len(self._parts))
            if number == len(self._parts):
                self._parts.append(_Part(OTHERS, "", value, None, DEPTH))
        self._queue.append((value, number, 1.0))

    # -- What it counts -------------------------------------------------------------------------------------------

    def _count(self, value: Any, number: int, weight: float) -> bool:
        """Count one object, and queue what it refers to. Return whether there was room for all of that."""
        kind = type(value)
        if id(value) in self._seen or issubclass(kind, NOT_OWNED):
            return True
        self._seen.add(id(value))
        size = shallow_size(value) * weight
        part = self._parts[number]
        part.memory += size
        self._types.add(kind, weight, size)
        container = builtin_container(kind)
        length = 0 if container is None else container.__len__(value)
        if length > LARGE:
            self._queue.extend((item, number, weight * length / SAMPLE) for item in _sample(container, value))
            return True
        if container is None and not gc.is_tracked(value):
            return True  # a text, a number: it refers to nothing
        if part.depth < DEPTH and part.identity == id(value):
            self._enter(value, number, part)
        room, before = max(0, LIMIT - len(self._seen) - len(self._queue)), len(self._queue)
        self._queue.extend((item, number, weight) for item in referents(value, room))
        return len(self._queue) - before < room

    def _enter(self, value: Any, number: int, part: _Part) -> None:
        """Make places of what is in a dict or an object, ahead of all else that it refers to."""
        kind = type(value)
        if issubclass(kind, dict):
            if dict.__len__(value) <= MAX_ENTRIES:
                for key, item in [*dict.items(value)]:
                    if any(type(key) is each for each in _PLAIN_KEYS):  # a metaclass may have its own ``__eq__``
                        self._add(f"{part.path}[{render(key, 100)}]", part.end, item, number, part.depth + 1)
        elif builtin_container(kind) is None:
            names = stored_names(value, MAX_ENTRIES + 1)
            if len(names) <= MAX_ENTRIES:
                for name, item in attributes(value, names):
                    self._add(f"{part.path}.{name}", part.end, item, number, part.depth + 1)

    def _found(self, is_complete: bool) -> ProcessCensus:
        parts = self._parts
        for part in reversed(parts):
            if part.parent is not None:
                parts[part.parent].memory += part.memory
        places = {
            name: Place(name, parts[number].type, parts[number].items, round(parts[number].memory))
            for name, number in self._numbers.items()
        }
        own = shallow_size(self.process) + (0 if self.process.worker is None else STACK)
        return ProcessCensus(
            places,
            self._types.by_name(),
            own + round(sum(part.memory for part in parts if part.parent is None)),
            is_complete,
        )


def _sample(container: Any, value: Any) -> list[Any]:
    items = [*islice(container.__iter__(value), SAMPLE)]
    if container is dict:
        items += islice(dict.values(value), SAMPLE)
    return items


def _names_of(body: object) -> Iterator[str]:
    """Yield the names of a server's attributes without those that are the runtime's own."""
    for name in stored_names(body, MAX_PLACES):
        slot = static(type(body), name)
        if type(slot) is not MemberDescriptorType or not slot.__objclass__.__module__.startswith("runtime."):
            yield name
