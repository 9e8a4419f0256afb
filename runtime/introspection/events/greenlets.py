"""Greenlets that are no processes: those of gevent itself, which a program has whether it uses the runtime or not.

gevent reports each one that is started. A server starts one for each request, so only a weak reference and the time are
noted then. The record is made when an observer looks, and few greenlets live that long. gevent does not report raw ones
(`gevent.spawn_raw`); they are noted where gevent makes them. Those that were started before are searched for once, when
introspection is switched on. Threads may have hubs and greenlets of their own, which are noted as well.
"""

from __future__ import annotations

import gc
import re
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from types import CodeType
from typing import Any
from weakref import WeakValueDictionary, ref

import gevent.hub
from gevent import Greenlet
from gevent.hub import Hub
from greenlet import getcurrent, greenlet

from runtime.boot import run as boot_run
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.threads.chunked import Chunked, chunks
from runtime.kernel.body import name_of
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import FIRST, RECORD, PlainGreenlet, process_of
from runtime.kernel.process import DEAD, OUTSIDE, Pid, Worker, forget_process
from runtime.kernel.threads import get_ident
from runtime.terms.crash import Crash
from runtime.terms.term import Term

NAME = re.compile(r"g(\d{1,18})")
"""What observers call a greenlet: ``g7``."""


MOST_COUNTED = 10_000
"""How many greenlets are counted at once. Of more, a part is counted each time."""

FACTORIES = ("TrackedRawGreenlet", "RawGreenlet")
"""What `gevent.spawn_raw` makes a greenlet with, by the names that it knows them by."""

WAITS_FOR_MAIN = boot_run._wait.__code__
"""Where `runtime.run` waits for the end of the first process."""

_RUNTIME = __file__.rpartition("introspection")[0]


SWEEP = 100
"""So many greenlets are noted before those that have ended are dropped."""


class Greenlets(Chunked[PlainGreenlet]):
    """The greenlets of a program that are no processes, oldest first. The end of one that fails is logged.

    The main greenlet is among them, unless `runtime.run` waits in it for the program's first process. May be read from
    any thread.
    """

    def __init__(self, node: Node, log: EventLog) -> None:
        self._node = node
        self._log = log
        self._known: WeakValueDictionary[int, PlainGreenlet] = WeakValueDictionary()
        self._born: deque[tuple[ref[Any], float, Pid | None, int, str | None]] = deque()
        """Those without a record, oldest first: the greenlet, when it was started, the process that started it, the
        thread it runs in, and the initial call of a raw one.
        """
        self._sweep_at = SWEEP
        self._next = count(1).__next__
        self._tell_error = node.hub.handle_error
        self._main = PlainGreenlet(node, 0, node.hub.parent, node.started_at, node.thread)
        self._factories: dict[str, tuple[Any, Any]] = {}
        """By name, what makes raw greenlets, and what stands in its place meanwhile."""
        self._unswept: list[Any] = []
        self._threads: set[int] = set()
        """Threads besides the node's in which greenlets were started."""

    def switch_on(self) -> None:
        """Note all greenlets from now on, and those that exist already. In the node's thread."""
        hub = self._node.hub
        vars(hub.parent)[RECORD] = self._main
        for each in gc.get_objects():
            kind = type(each)
            if issubclass(kind, greenlet) and not issubclass(kind, (Hub, Worker)):
                self._found(each)
        Greenlet.add_spawn_callback(self._started)
        self._note_raw_ones()
        self._tell_error = hub.handle_error
        vars(hub)["handle_error"] = self._failed

    def switch_off(self) -> None:
        """Note no more greenlets."""
        Greenlet.remove_spawn_callback(self._started)
        for name, (factory, ours) in self._factories.items():
            if getattr(gevent.hub, name, None) is ours:  # else the program has put its own there
                setattr(gevent.hub, name, factory)
        hub = self._node.hub
        vars(hub.parent).pop(RECORD, None)
        if vars(hub).get("handle_error") == self._failed:  # else the program has put its own in front
            del vars(hub)["handle_error"]
        for chunk in self:
            for record in chunk:
                greenlet = record.worker
                if greenlet is not None:
                    vars(greenlet).pop(RECORD, None)

    def expect_end(self, record: PlainGreenlet) -> None:
        """Log the end of a greenlet that an observer kills."""
        greenlet = record.worker
        if greenlet is not None:
            record.is_killed = True
            if isinstance(greenlet, Greenlet):
                greenlet.rawlink(self._ended)

    def __len__(self) -> int:
        self._meet()
        if len(self._known) <= MOST_COUNTED:
            return sum(map(len, self))
        self._forget_ended()
        return len(self._known) + self._has_main

    def __iter__(self) -> Iterator[list[PlainGreenlet]]:
        self._meet()
        if self._has_main:
            yield [self._main]
        for known in chunks(self._known.valuerefs()):
            yield [record for each in known if (record := each()) is not None and record.state is not DEAD]

    @property
    def _has_main(self) -> bool:
        """Whether the main greenlet is the program's: it uses the hub, and the runtime does not wait in it."""
        if not greenlet.__bool__(self._node.hub):
            return False
        frame = self._main.worker.gr_frame
        while frame is not None:
            if frame.f_code is WAITS_FOR_MAIN:
                return False
            frame = frame.f_back
        return True

    def _forget_ended(self) -> None:
        """Forget some of those that have ended and that the program still refers to."""
        if not self._unswept:
            self._unswept = self._known.valuerefs()
        some, self._unswept = self._unswept[-MOST_COUNTED:], self._unswept[:-MOST_COUNTED]
        for each in some:
            record = each()
            if record is not None and record.state is DEAD:
                self._known.pop(record.pid.id - FIRST, None)

    def threads(self) -> dict[int, str]:
        """Return the other threads that have greenlets of their own: their numbers, and what they are called."""
        self._meet()
        if self._threads:
            self._threads &= {record.thread for chunk in self for record in chunk}
        names = {each.ident: each.name for each in threading.enumerate()} if self._threads else {}
        return {thread: names.get(thread, str(thread)) for thread in sorted(self._threads)}

    def of_thread(self, thread: int | None) -> Chunked[PlainGreenlet]:
        """Return the greenlets of one thread's hub, None for the node's."""
        return OfThread(self, self._node.thread if thread is None else thread)

    def pack(self, items: Sequence[PlainGreenlet]) -> array[int]:
        """Return the numbers of these greenlets."""
        return array("q", [record.pid.id for record in items])

    def unpack(self, packed: Iterable[int]) -> list[PlainGreenlet]:
        """Return those of the greenlets that live, in their order."""
        known = self._known
        found = [known.get(number - FIRST) if number != FIRST else self._main for number in packed]
        return [record for record in found if record is not None and record.state is not DEAD]

    def find(self, text: str) -> PlainGreenlet | None:
        """Return the living greenlet of a name like ``g7``. From any thread."""
        self._meet()
        name = NAME.fullmatch(text)
        number = None if name is None else int(name[1])
        if number == 0:
            return self._main if self._has_main else None
        record = None if number is None else self._known.get(number)
        return None if record is None or record.state is DEAD else record

    def running(self) -> PlainGreenlet | None:
        """Return the greenlet that runs in the node's thread now, or None. May be called from any thread."""
        thread = self._node.thread
        return next(
            (record for chunk in self for record in chunk if record.is_running and record.thread == thread), None
        )

    # -- Told by gevent -----------------------------------------------------------------------------------------

    def _started(self, greenlet: Greenlet[..., Any]) -> None:
        self._bear(greenlet, get_ident(), None)

    def _bear(self, greenlet: Any, thread: int, call: str | None) -> None:
        """Note one that is started, in as little time as possible."""
        current = getcurrent()
        process = current.process if type(current) is Worker else None
        born = self._born
        born.append((ref(greenlet), time.time(), None if process is None else process.pid, thread, call))
        if len(born) > self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Drop those that have ended before they were looked at."""
        born = self._born
        for _ in range(len(born)):
            try:
                each = born.popleft()
            except IndexError:  # an observer has looked meanwhile
                break
            greenlet = each[0]()
            if greenlet is not None and not greenlet.dead:
                born.append(each)
        self._sweep_at = 2 * len(born) + SWEEP

    def _meet(self) -> None:
        """Make the records of those that have none yet. From any thread."""
        born = self._born
        while born:
            try:
                known, started_at, starter, thread, call = born.popleft()
            except IndexError:  # another thread does the same
                return
            greenlet = known()
            if greenlet is not None and not greenlet.dead and RECORD not in vars(greenlet):
                self._note(greenlet, started_at, starter, thread, call)

    def _note_late(self, greenlet: Greenlet[..., Any]) -> None:
        """Make the record of one that fails before an observer has looked."""
        for known, started_at, starter, thread, call in [*self._born]:
            if known() is greenlet:
                self._note(greenlet, started_at, starter, thread, call)
                return

    def _note(self, greenlet: Any, started_at: float, starter: Pid | None, thread: int, call: str | None) -> None:
        try:
            spawning = getattr(greenlet, "spawning_greenlet", None)
        except Exception:  # a property of the program's
            spawning = None
        if starter is None and spawning is not None:
            process = process_of(spawning())
            # A worker has run other processes since; which one has started this greenlet was noted at once.
            starter = process.pid if isinstance(process, PlainGreenlet) else None
        number = self._next()
        record = PlainGreenlet(self._node, number, greenlet, started_at, thread, call)
        record.parent = starter
        if thread != self._node.thread:
            self._threads.add(thread)
        vars(greenlet)[RECORD] = self._known[number] = record

    def _found(self, each: Any) -> None:
        """Note a greenlet that was there before, if it is one of gevent's."""
        hub = each.parent
        if each.dead or not isinstance(hub, Hub):
            return
        if isinstance(each, Greenlet):
            self._note(each, time.time(), None, hub.thread_ident, None)
        elif not _is_of_the_runtime(each):
            self._note(each, time.time(), None, hub.thread_ident, _call_of(each))

    def _note_raw_ones(self) -> None:
        """Note each greenlet that `gevent.spawn_raw` makes. It stays what it is, and so does the function."""
        for name in FACTORIES:
            factory = getattr(gevent.hub, name, None)
            if factory is not None:
                ours = partial(self._make_raw, factory)
                self._factories[name] = factory, ours
                setattr(gevent.hub, name, ours)

    def _make_raw(self, factory: Any, function: Any, hub: Any) -> Any:
        made = factory(function, hub)
        self._bear(made, hub.thread_ident, name_of(getattr(function, "func", function)))
        return made

    def _failed(self, context: object, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        """Log the end of a greenlet that fails, where gevent's hub would only print it.

        A link to each greenlet would report it too, and change what the program sees: `Greenlet.has_links`, the order
        of its own links, and when a greenlet that nothing refers to any more is let go.
        """
        if isinstance(context, Greenlet):
            if RECORD not in vars(context):
                self._note_late(context)
            self._over(context, Crash.from_exception(error))
        self._tell_error(context, kind, error, trace)

    def _ended(self, greenlet: Greenlet[..., Any]) -> None:
        self._over(greenlet, "killed")

    def _over(self, greenlet: Greenlet[..., Any], reason: Term) -> None:
        record: PlainGreenlet | None = vars(greenlet).pop(RECORD, None)
        if record is not None:
            self._known.pop(record.pid.id - FIRST, None)
            self._log.exited(record, reason, OUTSIDE if record.is_killed else None)
            forget_process(record.pid, None)


class OfThread(Chunked[PlainGreenlet]):
    """The greenlets of one thread's hub."""

    __slots__ = ("_source", "_thread")

    def __init__(self, source: Greenlets, thread: int) -> None:
        self._source = source
        self._thread = thread

    def __len__(self) -> int:
        return sum(map(len, self))

    def __iter__(self) -> Iterator[list[PlainGreenlet]]:
        for chunk in self._source:
            yield [record for record in chunk if record.thread == self._thread]

    def pack(self, items: Sequence[PlainGreenlet]) -> array[int]:
        """Return the numbers of these greenlets."""
        return self._source.pack(items)

    def unpack(self, packed: Iterable[int]) -> list[PlainGreenlet]:
        """Return those of the greenlets that live, in their order."""
        return self._source.unpack(packed)


def _is_of_the_runtime(each: greenlet) -> bool:
    """Return whether a raw greenlet is one of the runtime's own."""
    code = _outermost(each)
    return code is not None and code.co_filename.startswith(_RUNTIME)


def _call_of(each: greenlet) -> str:
    """Return what a raw greenlet runs; once it has begun, only its code tells."""
    code = _outermost(each)
    return name_of(getattr(each, "run", each)) if code is None else code.co_name


def _outermost(each: greenlet) -> CodeType | None:
    """Return the code that a greenlet has begun with, None for one that has not begun."""
    frame, code = each.gr_frame, None
    while frame is not None:
        code, frame = frame.f_code, frame.f_back
    return code
