"""Timers: a heap of those that are near, slots of time for the later ones, one watcher of the hub.

What is due later than a slot lasts is put into the slot of its time, unsorted, and from there into the heap when that
time begins; most timers are cancelled before, and taken out of their slots. So setting and cancelling cost the same
however many are pending. A process that waits with a timeout has at most one entry, which is looked at when it comes
due and put back when the process is by then in a later wait: a thousand calls of five seconds each make one entry. In
the heap what was cancelled stays as a dead entry until its time, or until such are the majority and swept out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from runtime.kernel import clock
from runtime.kernel.process import DEAD, RECEIVING, WAITING, Destination, Pid, Process, Timer
from runtime.terms.ref import Ref, TimerRef, next_number
from runtime.terms.term import Term

SLOTS = 16
"""Slots a second. Longer ones would keep the hub for too long when a slot with very many timers is emptied."""

NEVER = 1e12
"""Slots away that no program sees the end of: infinity, for one, has no slot."""

MANY = 1_000
"""So many dead entries are not worth sweeping out."""

INFINITY = math.inf

ALL = slice(None)

Entry = tuple[float, int, Process | Timer]
"""When it is due, its number, which orders those due together, and the process that waits or the timer."""


class Timers:
    """The pending timers of one node."""

    __slots__ = (
        "_armed",
        "_later",
        "_loop",
        "_near",
        "_send",
        "_slots",
        "_wake",
        "_watcher",
        "entries",
        "now",
        "pending",
        "stale",
        "under_way",
    )

    def __init__(self, loop: Any, wake: Callable[[Process], None], send: Callable[[Timer], None]) -> None:
        self._loop = loop
        self._wake = wake
        self._send = send
        self.pending: dict[int, Timer] = {}
        self.stale = 0
        """Entries that no process waits for any more."""
        self.under_way = 0
        """How many changes are half done. A finalizer that sets a timer in the middle of one must not sweep."""
        self._near: list[Entry] = []
        """A heap."""
        self._later: dict[int, dict[int, Entry]] = {}
        """The slots by their numbers, in each the entries by theirs."""
        self._slots: list[int] = []
        """A heap of the slots' numbers."""
        self.entries = 0
        """How many entries there are, dead ones included."""
        self.now = clock.current_clock().now
        self._watcher = self._loop.timer(0)
        self._armed: float | None = None

    def wait(self, process: Process, seconds: float, due: float | None = None) -> float:
        """Wake a process after `seconds` unless its `deadline` is cleared before. Returns when it is due."""
        if due is None:
            due = self.now() + seconds
        process.deadline = due
        entry = process.timer_at
        if entry is None or entry > due:
            self._push_wait(process, due, seconds)
            if entry is not None:
                self.stale += 1  # the later entry stays behind
        return due

    def keep(self, process: Process, due: float) -> bool:
        """Return False when it is `due`, which `wait` has returned; else the process, about to wait, is woken then.

        A finalizer may have waited in its place meanwhile. The time went on, and a limit of its own was the deadline.
        """
        while process.deadline is not due:
            left = due - self.now()
            if left <= 0:
                return False
            self.wait(process, left, due)
        return True

    def start(self, dest: Destination, message: Term, seconds: float, ref: TimerRef) -> None:
        """Send `message` to `dest` (a Pid or a name) after `seconds`."""
        if type(dest) is Pid and dest.process is None:
            return
        number = ref.id
        due = self.now() + seconds
        timer = Timer(ref, due, dest, message)
        target = dest.process if type(dest) is Pid else None
        self.under_way += 1
        try:
            own = None if target is None else target.timers
            if target is not None and own is None:
                made: dict[int, Timer] = {}
                if target.timers is None:  # no finalizer has set one meanwhile: see `signals.put`
                    target.timers = made
                target.needs_cleanup, own = True, target.timers
            self._push(due, seconds, number, timer)  # stale until it is pending
            if own is None:
                self.pending[number] = timer
            else:
                self.pending[number], own[number] = timer, timer
        finally:
            self.under_way -= 1

    def cancel(self, ref: Ref) -> float | None:
        """Stop a timer; gives the seconds that were left, None when it had fired or was cancelled before."""
        timer = self._take(ref.id)
        if timer is None:
            return None
        self._take_out(timer)
        left = timer.due - self.now()
        return left if left > 0.0 else 0.0

    def drop_all(self, process: Process) -> list[Term]:
        """Drop the timers of a process that has died: a timer dies with the pid it is for. Returns their messages."""
        timers = [*(process.timers or {}).values()]
        messages = [timer.message for timer in timers]
        for timer in timers:
            self.pending.pop(timer.ref.id, None)
            self._take_out(timer)
        process.timers = None
        return messages

    def _take(self, number: int) -> Timer | None:
        """Take a timer out; return it unless its message is sent already."""
        timer = self.pending.get(number)
        if timer is None:
            return None
        dest = timer.dest
        process = dest.process if type(dest) is Pid else None
        timers = None if process is None else process.timers
        if timers is not None and number in timers:
            del self.pending[number], timers[number]
        else:
            del self.pending[number]
        return None if timer.is_sent else timer

    def read(self, ref: Ref) -> float | None:
        """Return the seconds that are left, None for a timer that is not pending."""
        timer = self.pending.get(ref.id)
        if timer is None or timer.is_sent:
            return None
        return max(0.0, timer.due - clock.now())

    def next_due(self) -> float | None:
        """Return when the next timer is due that still counts, None without one."""
        near, slots = self._near, self._slots
        while True:
            while near:
                entry = near[0]
                if not self._is_stale(entry):
                    break
                self._pop_stale(entry)
            if not slots or (near and near[0][0] < slots[0] / SLOTS):
                return near[0][0] if near else None
            self._empty_slot()

    def fire(self) -> None:
        """Do what has come due."""
        self._armed = None
        near, slots = self._near, self._slots
        present = clock.now()
        while slots and slots[0] <= present * SLOTS:
            self._empty_slot()
        while near and near[0][0] <= present:
            entry = near[0]
            what = entry[2]
            if not self._is_stale(entry):  # else it is done, or was cancelled
                if isinstance(what, Timer):
                    if not what.is_sent:
                        self._send(what)
                    self._take(what.ref.id)
                else:
                    self._expire(what, present)
                self.stale += 1
                continue  # it is stale now; one that an exception has kept here is done again
            self._pop_stale(entry)
        self.arm()

    def look_after(self) -> None:
        """See to it that the hub calls `fire`, also when an exception has struck where that was arranged."""
        if self._armed is not None and not self._watcher.active:
            self._armed = None
        self.arm()

    def arm(self) -> None:
        """Let the hub call `fire` when there is something to do. A mock clock is moved by the node instead."""
        if self._near or self._slots:
            self._arm(INFINITY)

    def _arm(self, due: float) -> None:
        """Do so, also for what is about to be made and will be due then."""
        near, slots = self._near, self._slots
        if clock.current_clock().mock:
            return
        if near:
            due = min(due, near[0][0])
        if slots:
            due = min(due, slots[0] / SLOTS)
        if self._armed is None or due < self._armed:
            self._armed = None
            self._watcher.close()
            self._watcher = self._loop.timer(max(0.0, due - clock.now()))
            self._watcher.start(self.fire)
            self._armed = due

    def close(self) -> None:
        """Drop every timer."""
        self._watcher.close()
        for entries in (self._near, self._later, self._slots, self.pending):
            entries.clear()

    def _push(self, due: float, seconds: float, number: int, what: Process | Timer) -> None:
        """Make an entry, due in so many seconds. It counts as stale until its process or timer says that it has it.

        It comes last, after all that a finalizer may run in: while one waits, what is stale and due is dropped.
        """
        entries, stale, slots = self.entries, self.stale, len(self._slots)
        if (stale > MANY and stale * 2 > entries) or (slots > MANY and slots > 2 * entries):
            self._sweep()
        self.under_way += 1
        try:
            self._insert(due, seconds, number, what)
        finally:
            self.under_way -= 1

    def _push_wait(self, process: Process, due: float, seconds: float) -> None:
        """Make the entry that a process has for the wait in which it is, or will be."""
        self.under_way += 1
        try:
            self._push(due, seconds, next_number(), process)
            process.timer_at = due
        finally:
            self.under_way -= 1

    def _insert(self, due: float, seconds: float, number: int, what: Process | Timer) -> None:
        entry = (due, number, what)
        self.entries += 1
        if not 1 <= seconds * SLOTS < NEVER:
            self._arm_by(due)
            heappush(self._near, entry)
            return
        slot = int(due * SLOTS)
        later = self._later.get(slot)
        if later is None:
            self._arm_by(slot / SLOTS)
            made: dict[int, Entry] = {}
            heappush(self._slots, slot)  # before its entries: an empty slot does no harm
            later = self._later.setdefault(slot, made)  # a finalizer may have set a timer meanwhile
        later[number] = entry

    def _arm_by(self, when: float) -> None:
        if self._armed is None or when < self._armed:
            self._arm(when)

    def _pop_stale(self, entry: Entry) -> None:
        """Take a stale entry off the heap, unless code that ran meanwhile has done so, or put another one first."""
        near = self._near
        if near and near[0] is entry:
            heappop(near)
            self._drop()

    def _empty_slot(self) -> None:
        """Put what lies in the first slot into the heap."""
        slot = self._slots[0]
        self.under_way += 1
        try:
            while self._later.get(slot):  # a finalizer may set another one meanwhile
                entries = self._later[slot]
                for number in [*entries]:
                    entry = entries.get(number)
                    if entry is None:
                        continue  # cancelled just now
                    if self._is_stale(entry):
                        self._drop()
                    else:
                        heappush(self._near, entry)
                    entries.pop(number, None)
            if slot in self._later and not self._later[slot]:
                del self._later[slot]
            if self._slots and self._slots[0] == slot:
                heappop(self._slots)
        finally:
            self.under_way -= 1

    def _take_out(self, timer: Timer) -> None:
        """Take the entry of a timer that no longer counts out of its slot, or leave it in the heap as dead."""
        due = timer.due
        slot = self._later.get(int(due * SLOTS)) if due < INFINITY else None
        if slot is not None and slot.pop(timer.ref.id, None) is not None:
            self.entries -= 1
            return
        timer.message = None
        self.stale += 1
        if self.stale > MANY and self.stale * 2 > self.entries:
            self._sweep()

    def _drop(self) -> None:
        """Count off an entry that was taken out and no longer counts."""
        self.entries -= 1
        self.stale = max(0, self.stale - 1)

    def _expire(self, process: Process, present: float) -> None:
        deadline = process.deadline
        if deadline is None:
            process.timer_at = None
        elif deadline > present:
            self._push_wait(process, deadline, deadline - present)
        else:
            if process.state is RECEIVING or process.state is WAITING:
                self._wake(process)
            process.deadline, process.timer_at = None, None  # what is about to run finds it when it would wait again

    def _is_stale(self, entry: Entry) -> bool:
        due, _, what = entry
        if isinstance(what, Timer):
            return what.ref.id not in self.pending
        return what.state is DEAD or what.timer_at != due

    def _sweep(self) -> None:
        """Take all dead entries and empty slots out. In place, for `fire` may be at it."""
        if self.under_way:
            return
        self.under_way += 1
        try:
            self._take_out_dead()
        finally:
            self.under_way -= 1

    def _take_out_dead(self) -> None:
        """Do so, whatever a finalizer sets or cancels meanwhile."""
        while True:  # until nothing has set a timer meanwhile: see `signals.put`
            seen = [*self._near]
            kept = [entry for entry in seen if not self._is_stale(entry)]
            if self._near == seen:
                self._near[ALL] = kept
                break
        heapify(self._near)
        for slot in [*self._later]:
            entries = self._later[slot]
            for number in [*entries]:
                entry = entries.get(number)
                if entry is not None and self._is_stale(entry):
                    entries.pop(number, None)
            if not self._later[slot]:
                del self._later[slot]
        self._slots[:] = self._later
        heapify(self._slots)
        self.entries = len(self._near) + sum([len(entries) for entries in [*self._later.values()]])
        self.stale = 0
