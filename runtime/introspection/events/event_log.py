"""The event log: what happened on the node that is worth telling, and why.

The log keeps the last `CAPACITY` events and counts those that it dropped. An event names the event that caused it where
that is known, so that a chain can be followed: an observer kills a process, the process exits, a linked one exits with
it, its supervisor restarts it, and gives up. The hub writes the log, and any thread may read it.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from itertools import islice
from typing import Any

from runtime.introspection import wire
from runtime.introspection.events.last_known_place import LastKnownPlaces
from runtime.introspection.events.log_entry import GaveUp, LogEntry
from runtime.introspection.events.shown_reason import shown_reason
from runtime.introspection.reading.message_text import message_text
from runtime.introspection.reading.rows import seconds_of
from runtime.introspection.reading.tree_path import (
    Position,
    child_text,
    display_name,
    initial_call,
    position_of,
    text_of,
)
from runtime.introspection.threads.node_calls import ObserverTask
from runtime.kernel import clock
from runtime.kernel.instrument import Instrument, install_instrument, remove_instrument
from runtime.kernel.node import Node
from runtime.kernel.outside import OutsideBody
from runtime.kernel.process import OUTSIDE, Pid, Process
from runtime.kernel.reports import Report
from runtime.preemption.stall import Stall
from runtime.supervision.server import SupervisorServer
from runtime.terms.crash import Crash
from runtime.terms.reason import is_abnormal, is_failure, is_same
from runtime.terms.term import Term
from runtime.terms.text import render, short_call

CAPACITY = 10_000
"""How many events are kept."""

QUOTA = 25
"""How many spawns, and how many normal exits of processes that are not restarted, are logged one by one in a second."""

SHUTDOWN_QUOTA = 500
"""How many orderly exits of permanent children are logged one by one in a second. More of them mean that a large tree
is being stopped, and then the single exit is no news.
"""

MAX_FAILURES = 20_000
"""How many places have their last failure remembered."""

MAX_DEPTH = 20
"""How many steps back a cause is looked for."""


MAX_STALLS = 50
"""How many stalls are remembered, and how many supervisors that gave up."""

_UNLOGGED = frozenset((ObserverTask, OutsideBody))
"""What processes run that are not the program's own: one for each call of a web handler, for example."""


class SpawnHook(Instrument):
    """Logs spawns. With too many in a second it takes itself out, so that a busy node pays nothing for it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._is_on = False

    def switch_on(self) -> None:
        """Log spawns from now on."""
        if not self._is_on:
            self._is_on = True
            install_instrument(self)

    def switch_off(self) -> None:
        """Log no more spawns."""
        if self._is_on:
            self._is_on = False
            remove_instrument(self)

    def spawned(self, process: Process) -> None:
        """Log a spawn."""
        if not self._log.add_spawn(process):
            self.switch_off()


class EventLog(Instrument):
    """Records the events of one node.

    `failures` maps the key of a place to the time when a process there, or below it, last failed.

    Without `state`, the last message and the state of a server that crashes are not kept. Without `exception_texts`,
    exceptions and reasons are kept as the names of their classes alone.
    """

    def __init__(self, node: Node, capacity: int = CAPACITY, state: bool = True, exception_texts: bool = True) -> None:
        self.node = node
        self.state = state
        self.exception_texts = exception_texts
        self.capacity = capacity
        self.ring: deque[LogEntry] = deque()
        self.dropped = 0
        self.last = 0
        self.crashed = 0
        self.restarted = 0
        self.failures: dict[str, float] = {}
        self.past_messages = 0
        """Messages received by processes that have died."""
        self.past_reductions = 0
        self.stalls: deque[Stall] = deque(maxlen=MAX_STALLS)
        """The last stalls of the hub."""
        self.given_up: deque[GaveUp] = deque(maxlen=MAX_STALLS)
        """The last supervisors that gave up."""
        self._ids = itertools.count(1)
        self._by_pid: dict[int, int] = {}
        self._kills: dict[int, tuple[int, Term]] = {}
        self._last_words: dict[int, tuple[str, str]] = {}
        self._last_known = LastKnownPlaces()
        self._spawn_quota = self._exit_quota = QUOTA
        self._shutdown_quota = SHUTDOWN_QUOTA
        self._quiet_exits = 0
        self._spawns_told = node.spawned
        self.spawns = SpawnHook(self)
        self._spawns_logged = 0

    def shown(self, reason: Term) -> str:
        """Return what observers are shown of a reason."""
        return shown_reason(reason, self.exception_texts)

    # -- Writing ------------------------------------------------------------------------------------------------

    def add(self, kind: str, pid: Pid | None = None, cause: int | None = None, **fields: Any) -> int:
        """Log an event and return its id. In the hub only."""
        number = next(self._ids)
        ring = self.ring
        ring.append(LogEntry(number, time.time(), kind, pid, cause, fields))
        self.last = number
        if len(ring) > self.capacity:
            lost = ring.popleft()
            self.dropped += 1
            if lost.pid is not None and self._by_pid.get(lost.pid.id) == lost.id:
                del self._by_pid[lost.pid.id]
        return number

    def add_kill(self, process: Process, reason: Term) -> int:
        """Log that an observer sends an exit signal."""
        number = self.add("kill", process.pid, **self._about(process, position_of(process)), reason=self.shown(reason))
        if len(self._kills) > self.capacity:
            self._kills.clear()
        self._kills[process.pid.id] = (number, reason)
        return number

    def add_action(self, process: Process, message: str) -> int:
        """Log that an observer does something else. The name of `process` is put after the message."""
        about = self._about(process, position_of(process))
        return self.add("action", process.pid, **about, message=f"{message} {about['name']}")

    def add_stall(self, stall: Stall) -> int:
        """Log that the hub was held, or that its thread was not run."""
        self.stalls.append(stall)
        process = stall.process
        return self.add("stall", None if process is None else process.pid, **self._of_stall(stall))

    def ongoing(self, stall: Stall, time: float) -> wire.Event:
        """Return the event of a stall that is not over, which is in no log yet. From any thread."""
        process = stall.process
        pid = None if process is None else process.pid
        return LogEntry(self.last + 1, time, "stall", pid, None, self._of_stall(stall)).event()

    def _of_stall(self, stall: Stall) -> dict[str, Any]:
        process = stall.process
        about = {} if process is None else self._about(process, position_of(process))
        return {
            **about,
            "seconds": stall.seconds,
            "processor_seconds": stall.processor_seconds,
            "stall": stall.kind,
            "message": _stall_text(about.get("name") or stall.whose, stall),
            "stacktrace": stall.chain,
        }

    def tick(self) -> None:
        """Sum up what was too much to log one by one, and begin a new second. In the hub only."""
        self._spawn_quota = self._exit_quota = QUOTA
        self._shutdown_quota = SHUTDOWN_QUOTA
        self.spawns.switch_on()
        spawns = self.node.spawned - self._spawns_told - self._spawns_logged
        exits, self._quiet_exits = self._quiet_exits, 0
        self._spawns_told, self._spawns_logged = self.node.spawned, 0
        if spawns > 0:
            self.add("report", message=f"{_more(spawns)} started")
        if exits:
            self.add("report", message=f"{_more(exits)} ended normally")

    @property
    def is_due(self) -> bool:
        """Whether `tick` has something to do. May be asked from any thread."""
        return self._spawn_quota < QUOTA or self._exit_quota < QUOTA or self._shutdown_quota < SHUTDOWN_QUOTA

    # -- Hooks --------------------------------------------------------------------------------------------------

    def add_spawn(self, process: Process) -> bool:
        """Log a spawn. Return False when no more may be logged within this second."""
        self._spawns_logged += 1
        if type(process.body) not in _UNLOGGED:
            self._spawn_quota -= 1
            # its name and label come later: whoever reads the event looks them up, while the process lives
            self.add("spawn", process.pid, name=short_call(initial_call(process)))
        return self._spawn_quota > 0

    def exited(self, process: Process, reason: Term, cause: Pid | None) -> None:
        """Log an exit with its cause."""
        self.past_messages += process.messages_in
        self.past_reductions += process.reductions
        if self._exit_quota <= 0 and reason == "normal" and not process.links and not self._kills:
            self._quiet_exits += 1  # the short way, for there may be many
            return
        if self._shutdown_quota <= 0 and reason == "shutdown" and process.pid.id not in self._kills:
            self._quiet_exits += 1
            return
        if type(process.body) in _UNLOGGED:
            return
        abnormal = is_failure(reason)
        place = position_of(process)
        if not abnormal and place is not None and place.child.spec.restart == "permanent":
            self._shutdown_quota -= 1
        elif not abnormal:
            self._exit_quota -= 1
            if self._exit_quota < 0 and process.pid.id not in self._kills:
                self._quiet_exits += 1
                return
        last_known = None if place is not None else self._last_known.pop(process.pid)
        about = last_known or self._about(process, place)
        self._last_known.leave(process, about["key"])
        if abnormal:
            self.crashed += 1
            if (
                place is not None or last_known is not None or process.name is not None
            ):  # else no other process will ever stand there
                self._failed(about["key"])
        if type(reason) is Crash:
            about["stacktrace"] = reason.stacktrace
        words = self._last_words.pop(process.pid.id, None)
        if words is not None:
            about["last_message"], about["state"] = words
        event = self._cause_of_exit(process, reason, cause)
        about["reason"], about["crashed"] = self.shown(reason), abnormal
        self._by_pid[process.pid.id] = self.add("exit", process.pid, event, **about)

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        """Log what supervisors report, ``restarted``, ``restart_failed`` or ``gave_up``, and nodes that come and go."""
        if kind == "node_up":
            self.add("report", message=f"connected with {fields['node']}")
        elif kind == "program_ended":
            why = fields["why"] if self.exception_texts else self.shown(fields["reason"])
            pid = fields["pid"]
            cause = self._by_pid.get(pid.id)
            self.add("report", pid, cause, name="main", message=f"the program ends: {why}", ends_program=True)
        elif kind == "node_down":
            self.add("report", message=f"lost the connection to {fields['node']}: {fields['reason']}")
        if kind not in ("restarted", "restart_failed", "gave_up"):
            return
        supervisor: Pid = fields["supervisor"]
        process = supervisor.process
        budget = {
            "restarts_used": fields["used"],
            "max_restarts": fields["allowed"],
            "max_seconds": seconds_of(fields["seconds"]),
            "supervisor": str(supervisor),
            "reason": self.shown(fields["reason"]),
        }
        behind = self._behind(supervisor)
        if kind == "restarted":
            self._restarted(fields, budget, behind)
        elif kind == "restart_failed":
            name = render(fields["child_id"], 100)
            self.add("restart_failed", supervisor, behind, **budget, name=name, child_id=name)
        else:
            about = {} if process is None else self._about(process, position_of(process))
            self._by_pid[supervisor.id] = self.add("gave_up", supervisor, behind, **{**about, **budget})
            if about:
                allowed, seconds = fields["allowed"], budget["max_seconds"]
                self.given_up.append(GaveUp(clock.now(), supervisor, about["key"], about["name"], allowed, seconds))

    def _restarted(self, fields: dict[str, Any], budget: dict[str, Any], behind: int | None) -> None:
        self.restarted += 1
        old, new = fields["old"], fields["new"]
        pid = new if isinstance(new, Pid) else None
        process = None if pid is None else pid.process
        name = text_of(fields["child_id"])
        about = {"name": name, "child_id": name}  # of one that is dead by now
        if process is not None:
            about = self._about(process, position_of(process))
        cause = behind if old is None else self._by_pid.get(old.id, behind)
        self.add("restart", pid, cause, **{**about, **budget}, old_pid=old and str(old))

    def reported(self, report: Report) -> None:
        """Keep what the report of a crashed server says until the server's exit is logged.

        Log what supervisors report of starts and stops that failed.
        """
        fields = report.fields
        if report.kind == "server_terminated":
            if not self.state:
                return
            if len(self._last_words) > 1_000:
                self._last_words.clear()
            self._last_words[fields["pid"].id] = (message_text(fields["last_message"]), render(fields["state"]))
        elif report.kind == "max_heap_size":
            pid = fields["pid"]
            process, held, allowed = pid.process, fields["total_heap_size"], fields["max_heap_size"]
            about = {} if process is None else self._about(process, position_of(process))
            message = f"outgrew max_heap_size: it holds {held:,} of {allowed:,} bytes"
            self._by_pid[pid.id] = self.add("report", pid, message=message, **about)
        elif report.kind == "supervisor_report" and fields["context"] in ("start_error", "shutdown_error"):
            context = "did not start" if fields["context"] == "start_error" else "did not end as it should"
            self.add(
                "report",
                fields["pid"] if isinstance(fields["pid"], Pid) else None,
                child_id=render(fields["id"], 100),
                reason=self.shown(fields["reason"]),
                message=f"child {render(fields['id'], 100)} of {render(fields['supervisor'], 100)} {context}",
            )

    # -- Causes -------------------------------------------------------------------------------------------------

    def _cause_of_exit(self, process: Process, reason: Term, cause: Pid | None) -> int | None:
        """Return the event that ended a process: an observer's signal, its giving up, or the exit of another one."""
        killed, wanted = self._kills.pop(process.pid.id, (None, None))
        if killed is not None and (cause is OUTSIDE or is_same(reason, wanted)):
            return killed
        gave_up = self._by_pid.get(process.pid.id)
        if gave_up is not None:
            return gave_up
        if cause is not None:
            return self._behind(cause)
        if process.parent is None or not process.trap_exit:
            return None
        behind = self._behind(process.parent)  # its parent told it to stop, and it trapped that and stopped
        if is_abnormal(reason) and not self._is_end(behind, process.parent, reason):
            return None
        return behind

    def _is_end(self, event: int | None, pid: Pid, reason: Term) -> bool:
        """Return whether an event is the exit of that process for that reason.

        A process that traps the exit of its parent and stops for the same reason was stopped by its parent.
        """
        if event is None or not self.ring or event < self.ring[0].id:
            return False
        entry = self.ring[event - self.ring[0].id]
        return entry.kind == "exit" and entry.pid == pid and entry.fields.get("reason") == self.shown(reason)

    def _behind(self, pid: Pid, depth: int = 0) -> int | None:
        """Return the id of the event that a process reacts to now: its own exit, or a death that it deals with."""
        event = self._by_pid.get(pid.id)
        process = pid.process
        if event is not None or process is None or process.worker is None or depth > MAX_DEPTH:
            return event
        body = process.body
        if not isinstance(body, SupervisorServer):
            return None
        if body._handling_exit_of is not None:
            return self._by_pid.get(body._handling_exit_of.id)
        return None if process.parent is None else self._behind(process.parent, depth + 1)  # it is being stopped

    def _about(self, process: Process, place: Position | None) -> dict[str, Any]:
        if place is None:
            name = display_name(process) if process.body is not None else ""
            return {"name": name, "key": self._last_known.path_of(process)}
        return {
            "name": display_name(process, place.child),
            "key": self._last_known.path_of(process),
            "supervisor": str(place.supervisor.pid),
            "child_id": child_text(place.child),
        }

    def _failed(self, key: str) -> None:
        present = time.time()
        failures = self.failures
        while key:
            failures.pop(key, None)  # so that the oldest failure comes first
            failures[key] = present
            key = key.rpartition("/")[0]
        while len(failures) > MAX_FAILURES:
            del failures[next(iter(failures))]

    # -- Reading ------------------------------------------------------------------------------------------------

    def answer(self, query: wire.GetEvents) -> wire.Events:
        """Return the events that a request asks for. May be called from any thread."""
        limit = max(0, min(query.limit, self.capacity))
        last = self.last
        if query.after >= 0:
            entries = self.newest(last - query.after)
            entries = [entry for entry in entries if entry.id > query.after and entry.is_about(query.pid, query.key)]
            entries = entries[:limit]
        elif query.pid is None and query.key is None:
            entries = self.newest(limit)
        else:
            entries = [e for e in self.newest(self.capacity) if e.is_about(query.pid, query.key)][-limit:]
        return wire.Events(events=tuple(entry.event() for entry in entries), dropped=self.dropped, last=last)

    def newest(self, number: int) -> list[LogEntry]:
        """Return the latest entries, oldest first. May be called from any thread."""
        if number <= 0:
            return []
        for _ in range(20):
            try:
                return list(islice(reversed(self.ring), number))[::-1]
            except RuntimeError:  # an event came between two steps
                continue
        return list(self.ring)[-number:]


def _more(count: int) -> str:
    return "1 more process" if count == 1 else f"{count:,} more processes"


def _stall_text(name: str, stall: Stall) -> str:
    held = f"{name} held the hub for {stall.seconds:.2f} s"
    where = stall.where or "a place unknown"
    if stall.kind == "starved":
        return f"the hub's thread was not run for {stall.seconds:.2f} s: {stall.where}"
    if stall.kind == "blocked":
        return f"{held} in a call that blocks the thread, at {where}"
    used = stall.processor_seconds
    return f"{held}{'' if used is None else f' ({used:.2f} s of it on the processor)'} at {where}"
