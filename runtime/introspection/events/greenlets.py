"""Greenlets that are no processes: those of gevent itself, which a program has whether it uses the runtime or not.

gevent reports each one that is started. A server starts one for each request, so only a weak reference and the time are
noted then. The record is made when an observer looks, and few greenlets live that long. Those that were started before
are searched for once, when introspection is switched on.
"""

from __future__ import annotations

import gc
import re
import time
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any
from weakref import WeakValueDictionary, ref

from gevent import Greenlet
from greenlet import getcurrent

from runtime.introspection.events.event_log import EventLog
from runtime.introspection.threads.chunked import Chunked, chunks
from runtime.kernel.node import Node
from runtime.kernel.plain_greenlet import FIRST, RECORD, PlainGreenlet, process_of
from runtime.kernel.process import DEAD, OUTSIDE, Pid, Worker, forget_process
from runtime.kernel.threads import get_ident
from runtime.terms.crash import Crash
from runtime.terms.term import Term

NAME = re.compile(r"g(\d{1,18})")
"""What observers call a greenlet: ``g7``."""


MOST_COUNTED = 10_000
"""How many greenlets are counted exactly. Of more, some may have ended a moment ago."""


SWEEP = 1_000
"""So many greenlets are noted before those that have ended are dropped."""


class Greenlets(Chunked[PlainGreenlet]):
    """The greenlets of one node's hub that are no processes, oldest first. The end of one that fails is logged.

    May be read from any thread.
    """

    def __init__(self, node: Node, log: EventLog) -> None:
        self._node = node
        self._log = log
        self._known: WeakValueDictionary[int, PlainGreenlet] = WeakValueDictionary()
        self._born: deque[tuple[ref[Greenlet[..., Any]], float, Pid | None]] = deque()
        """Those without a record, oldest first: the greenlet, when it was started, and the process that started it."""
        self._sweep_at = SWEEP
        self._next = count(1).__next__
        self._tell_error = node.hub.handle_error

    def switch_on(self) -> None:
        """Note all greenlets from now on, and those that exist already. In the node's thread."""
        hub = self._node.hub
        for each in gc.get_objects():
            if issubclass(type(each), Greenlet) and each.parent is hub and not each.dead:
                self._note(each, time.time(), None)
        Greenlet.add_spawn_callback(self._started)
        self._tell_error = hub.handle_error
        vars(hub)["handle_error"] = self._failed

    def switch_off(self) -> None:
        """Note no more greenlets."""
        Greenlet.remove_spawn_callback(self._started)
        hub = self._node.hub
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
            greenlet.rawlink(self._ended)

    def __len__(self) -> int:
        self._meet()
        if len(self._known) > MOST_COUNTED:
            return len(self._known)
        return sum(map(len, self))

    def __iter__(self) -> Iterator[list[PlainGreenlet]]:
        self._meet()
        for known in chunks(self._known.valuerefs()):
            yield [record for each in known if (record := each()) is not None and record.state is not DEAD]

    def pack(self, items: Sequence[PlainGreenlet]) -> array[int]:
        """Return the numbers of these greenlets."""
        return array("q", [record.pid.id for record in items])

    def unpack(self, packed: Iterable[int]) -> list[PlainGreenlet]:
        """Return those of the greenlets that live, in their order."""
        found = [self._known.get(number - FIRST) for number in packed]
        return [record for record in found if record is not None and record.state is not DEAD]

    def find(self, text: str) -> PlainGreenlet | None:
        """Return the living greenlet of a name like ``g7``. From any thread."""
        self._meet()
        name = NAME.fullmatch(text)
        record = None if name is None else self._known.get(int(name[1]))
        return None if record is None or record.state is DEAD else record

    def running(self) -> PlainGreenlet | None:
        """Return the greenlet that runs at this moment, or None. From any thread."""
        return next((record for chunk in self for record in chunk if record.is_running), None)

    # -- Told by gevent -----------------------------------------------------------------------------------------

    def _started(self, greenlet: Greenlet[..., Any]) -> None:
        if get_ident() == self._node.thread:  # other threads have hubs of their own
            current = getcurrent()
            process = current.process if type(current) is Worker else None
            born = self._born
            born.append((ref(greenlet), time.time(), None if process is None else process.pid))
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
                known, started_at, starter = born.popleft()
            except IndexError:  # another thread does the same
                return
            greenlet = known()
            if greenlet is not None and not greenlet.dead and RECORD not in vars(greenlet):
                self._note(greenlet, started_at, starter)

    def _note_late(self, greenlet: Greenlet[..., Any]) -> None:
        """Make the record of one that fails before an observer has looked."""
        for known, started_at, starter in [*self._born]:
            if known() is greenlet:
                self._note(greenlet, started_at, starter)
                return

    def _note(self, greenlet: Greenlet[..., Any], started_at: float, starter: Pid | None) -> None:
        if starter is None and greenlet.spawning_greenlet is not None:
            process = process_of(greenlet.spawning_greenlet())
            # A worker has run other processes since; which one has started this greenlet was noted at once.
            starter = process.pid if isinstance(process, PlainGreenlet) else None
        number = self._next()
        record = PlainGreenlet(self._node, number, greenlet, started_at)
        record.parent = starter
        vars(greenlet)[RECORD] = self._known[number] = record

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
