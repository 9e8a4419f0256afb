"""Answers about a BEAM node: from the last look where that is enough, else by asking the node."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from runtime.introspection import wire
from runtime.introspection.answers.literal import LiteralError, read_literal
from runtime.introspection.beam.erlang import Beam, BeamError
from runtime.introspection.beam.looks import MOST_PROCESSES, Looks, names
from runtime.introspection.beam.near import details_of
from runtime.introspection.beam.plan import plan_of
from runtime.introspection.beam.text import text_of
from runtime.introspection.moment.answers import answer as answer_of_moment
from runtime.introspection.moment.moment import Moment
from runtime.kernel.mailbox import receive
from runtime.kernel.outside import from_outside
from runtime.kernel.process import Pid
from runtime.kernel.processes import demonitor, exit, monitor
from runtime.kernel.signals import Down
from runtime.kernel.threads import new_lock
from runtime.terms.atom import Atom
from runtime.terms.pattern import ANY

SHARE = 0.05
"""The share of its time that the node works for observers at most: looks are that much apart."""

FASTEST = 1.0
"""Seconds between two looks, at least."""

ENDS_WITHIN = 2.0
"""Seconds that are waited for the end of a process that was sent an exit signal."""

MOST_EVENTS = 2_000

UNTOLD = ("messages", "spawned", "exited", "crashed", "cpu_time", "hub_lag", "timers", "remains", "lint_count")
"""Figures that no question finds out there; what the bridge has seen itself, as restarts, is told."""

NOT_KNOWN = "A BEAM node does not tell that."

NOT_SEARCHED = "A BEAM node is not searched for what looks wrong."

NOT_TRACED = "A BEAM node is not traced from here."

NOT_ASKED = "A BEAM node is not asked for its cluster; a Python node of that cluster shows it."


@dataclass(frozen=True)
class Facts:
    """What never changes while the node runs."""

    name: str
    release: str
    started_at: float
    os_pid: int


class BeamAnswers:
    """Answers the questions of all observers, one at a time. From any thread."""

    def __init__(self, beam: Beam, name: str, facts: Facts, read_only: bool, state: bool) -> None:
        self.beam = beam
        self.name = name
        self.facts = facts
        self.read_only = read_only
        self.state = state
        self.events: deque[wire.Event] = deque(maxlen=MOST_EVENTS)
        self._ids = itertools.count(1)
        self._lock = new_lock()
        self._looks = Looks(beam)
        self._looked_at = 0.0
        self._seen_at = time.time()
        """When the node was last looked at: what is told is from then."""
        self._took = 0.0
        self._ended: dict[str, int] = {}
        """The events of the ends that were seen, by pid."""
        self._memory = self._run_queue = 0
        self._before: dict[str, wire.Row] = {}

    def answer(self, query: wire.Query) -> wire.AnyAnswer:
        """Answer a question or carry out a command; what goes wrong is an answer, too."""
        with self._lock:
            try:
                return self._answer(query)
            except BeamError as error:
                return wire.Failed(why=f"{error}.")

    def _answer(self, query: wire.Query) -> wire.AnyAnswer:
        self._look_when_due()
        match query:
            case wire.GetProcess():
                return self._process(query)
            case wire.GetPlan(pid=pid, others=others):
                victims = [self._pid(each) for each in (pid, *others) if each == pid or each in self._looks.pids]
                return (
                    self._gone(pid)
                    if victims[0] is None
                    else plan_of(self.beam, self._looks, [v for v in victims if v])
                )
            case wire.Exit() | wire.Suspend() | wire.Resume():
                return self._act(query)
            case wire.GetLints():
                return wire.Failed(why=NOT_SEARCHED, kind="unsupported")
            case wire.GetMemory() | wire.GetProcessMemory() | wire.GetWaits():
                return wire.Failed(why=NOT_KNOWN, kind="unsupported")
            case wire.StartTrace():
                return wire.Failed(why=NOT_TRACED, kind="unsupported")
            case wire.GetCluster() | wire.GetNodePlan():
                return wire.Failed(why=NOT_ASKED, kind="unsupported")
        return answer_of_moment(query, self._moment(), self.events, "That cannot be done to a BEAM node from here.")

    def _pid(self, text: str) -> Pid | None:
        return self._looks.pids.get(text)

    @staticmethod
    def _gone(pid: str) -> wire.Failed:
        return wire.Failed(why=f"There is no process {pid[:64]} on the node.", kind="noproc")

    # -- Looking ------------------------------------------------------------------------------------------------------

    def _look_when_due(self) -> None:
        pause = max(FASTEST, self._took / SHARE)
        if time.monotonic() - self._looked_at >= pause:
            self.look()

    def look(self) -> None:
        """Look at the node. Raises BeamError."""
        begun = time.monotonic()
        self._before = {row.key: row for row in self._looks.rows}
        self._looks.look()
        memory = self.beam.call("erlang", "memory", Atom("total"))
        queue = self.beam.call("erlang", "statistics", Atom("run_queue"))
        self._memory = memory if type(memory) is int else 0
        self._run_queue = queue if type(queue) is int else 0
        self._looked_at, self._seen_at = time.monotonic(), time.time()
        self._took = self._looked_at - begun
        for key, name, old, new in self._looks.replaced:
            self._log("restart", pid=new, name=name, key=key, old_pid=old, cause=self._ended.pop(old, None))

    def _log(self, kind: Any, **fields: Any) -> int:
        number = next(self._ids)
        self.events.append(wire.Event(id=number, time=time.time(), kind=kind, **fields))
        return number

    def _moment(self) -> Moment:
        looks = self._looks
        return Moment(
            time=self._seen_at,
            stats=self._stats(),
            settings={
                "runs": f"Erlang/OTP {self.facts.release}",
                "looked at": f"each {max(FASTEST, self._took / SHARE):.1f} s; a look took {self._took:.2f} s",
                "share of the node's time": f"at most {SHARE:.0%}",
            },
            rows=looks.rows,
            total=len(looks.rows),
            names=names(looks.rows),
            before=self._before,
        )

    def _stats(self) -> wire.NodeStats:
        rows = self._looks.rows
        total = self._looks.total
        scope = (
            "no message counts" if total <= MOST_PROCESSES else f"the first {MOST_PROCESSES:,} of {total:,} processes"
        )
        return wire.NodeStats(
            name=self.name,
            time=self._seen_at,
            started_at=self.facts.started_at,
            os_pid=self.facts.os_pid,
            process_count=total,
            supervisor_count=len(self._looks.families),
            run_queue=max(0, self._run_queue),
            reductions=sum(row.reductions for row in rows),
            restarted=sum(row.restarts for row in rows),
            rss=max(0, self._memory),
            names=sum(row.registered_name is not None for row in rows),
            last_event=self.events[-1].id if self.events else 0,
            read_only=self.read_only,
            scope=scope,
            untold=UNTOLD,
        )

    # -- One process --------------------------------------------------------------------------------------------------

    def _process(self, query: wire.GetProcess) -> wire.AnyAnswer:
        row = next((row for row in self._looks.rows if row.pid == query.pid), None)
        if row is None:
            return self._gone(query.pid)
        return details_of(self.beam, self._looks, row, query, self.state) or self._gone(query.pid)

    def _act(self, command: wire.Exit | wire.Suspend | wire.Resume) -> wire.Done | wire.Failed:
        if self.read_only:
            return wire.Failed(why="This node is watched read-only: nothing is changed.", kind="read_only")
        pid = self._pid(command.pid)
        if pid is None:
            return self._gone(command.pid)
        if isinstance(command, wire.Exit):
            try:
                value = read_literal(command.reason, "reason")
            except LiteralError as problem:
                return wire.Failed(why=str(problem), kind="bad_request")
            return self._exit(pid, command.pid, Atom(value) if isinstance(value, str) else value)
        action = "suspend" if isinstance(command, wire.Suspend) else "resume"
        current = self._looks.infos[pid].get("current_function")
        if not (type(current) is tuple and current and str(current[0]).startswith("gen_")) and action == "suspend":
            why = f"{command.pid} is in no loop of OTP's, so it would not take the order to suspend."
            return wire.Failed(why=why, kind="unsupported")
        self.beam.call("sys", action, pid, 1_000)
        return wire.Done(sentence=f"{command.pid} was told to {action}.", event=self._log("action", pid=command.pid))

    def _exit(self, pid: Pid, text: str, reason: Any) -> wire.Done:
        row = next((row for row in self._looks.rows if row.pid == text), None)
        about = {"pid": text, "name": "" if row is None else row.name, "key": None if row is None else row.key}
        event = self._log("kill", reason=text_of(reason, 200), **about)
        ended = from_outside("exit", lambda: _send_exit(pid, reason))
        if ended is None:
            return wire.Done(sentence=f"Sent {text_of(reason, 200)} to {text}, which lives on.", event=event)
        self._ended[text] = self._log("exit", reason=text_of(ended[0], 500), crashed=True, cause=event, **about)
        self._looked_at = 0.0
        return wire.Done(sentence=f"Killed {text}." if reason == "kill" else f"Ended {text}.", event=event)


def _send_exit(pid: Pid, reason: Any) -> tuple[Any] | None:
    """Send an exit signal; return the reason of the end, None where the process lives on."""
    ref = monitor(pid)
    exit(pid, reason)
    down = receive(Down(ref, ANY, ANY), timeout=ENDS_WITHIN, default=None)
    if down is None:
        demonitor(ref, flush=True)
        return None
    return (down.reason,)
