"""Looks at a BEAM node: its processes and its trees of supervisors, as rows, a few hundred processes at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime.introspection import wire
from runtime.introspection.beam.erlang import Beam, BeamError
from runtime.introspection.beam.text import atom_text, call_text, pid_text, text_of
from runtime.kernel.process import Pid
from runtime.terms.atom import Atom
from runtime.terms.term import Term

ITEMS = (
    "registered_name",
    "message_queue_len",
    "memory",
    "reductions",
    "status",
    "current_function",
    "initial_call",
    "trap_exit",
)
"""What a look asks of each process: all of it costs the node a microsecond, whatever the process holds."""

MOST_PROCESSES = 20_000
"""Processes that one look asks about. Of a larger node, those that were started first."""

MOST_SUPERVISORS = 300
"""Supervisors that one look asks for their children."""

ANSWERS_WITHIN = 500
"""Milliseconds that a supervisor has to tell its children."""

PATIENCE = 30.0
"""Seconds until a supervisor that did not answer, or has very many children, is asked again."""

FEW = 200
"""Children of a supervisor that is asked for its strategy: its whole state comes with the answer."""

STRATEGIES: dict[str, wire.Strategy] = {
    "one_for_one": "one_for_one",
    "one_for_all": "one_for_all",
    "rest_for_one": "rest_for_one",
    "simple_one_for_one": "dynamic",
}

MANY = 2_000
"""Children of a supervisor that is asked only now and then."""

OTHERS = "~others"
"""The key of the group of processes under no supervisor."""

NOT_OF_PROC_LIB = ("proc_lib", "init_p", 5)
"""What proc_lib says of the start of a process that it has not started."""

NOT_COUNTED: dict[str, Any] = {"messages_in": None, "messages_out": None}
"""What nobody counts there: the messages of a process."""

STATUSES: dict[str, wire.Status] = {
    "running": "running",
    "runnable": "runnable",
    "waiting": "waiting",
    "suspended": "suspended",
    "exiting": "exiting",
    "garbage_collecting": "running",
}


@dataclass
class Child:
    """A child of a supervisor: its id as text and as it is, its pid or None, and what it is."""

    id: str
    term: Term
    pid: Pid | None
    is_supervisor: bool
    state: wire.Status


@dataclass
class Family:
    """The children of a supervisor, and when they were asked for."""

    children: list[Child] = field(default_factory=list)
    """In the order that the supervisor tells: the last one was started first."""
    asked_at: float = 0.0
    answered: bool = False
    strategy: wire.Strategy | None = None
    is_told: bool = False
    """Whether it was asked how it restarts, which it is once."""


class Looks:
    """What is known of the node's processes. One thread at a time looks."""

    def __init__(self, beam: Beam) -> None:
        self.beam = beam
        self.rows: tuple[wire.Row, ...] = ()
        self.infos: dict[Pid, dict[str, Any]] = {}
        self.pids: dict[str, Pid] = {}
        """The pids by their texts."""
        self.families: dict[Pid, Family] = {}
        self.parents: dict[Pid, tuple[Pid, Child]] = {}
        """Each child's supervisor, and its place there."""
        self.total = 0
        self._calls: dict[Pid, Term] = {}
        """What each process was started with, which never changes."""
        self._restarts: dict[str, int] = {}
        self._stood: dict[str, str] = {}
        """Who stood in each place at the last look."""
        self._stood_before: dict[str, str] = {}
        self.replaced: list[tuple[str, str, str, str]] = []
        """Who has taken whose place since the last look: key, name, old pid, new pid."""

    def look(self) -> None:
        """Ask for all processes and for the children of supervisors. Raises BeamError."""
        listed = [pid for pid in self.beam.call("erlang", "processes") if isinstance(pid, Pid)]
        self.total = len(listed)
        listed = listed[:MOST_PROCESSES]
        infos = self.beam.info(listed, ITEMS)
        self.infos = {pid: info for pid, info in zip(listed, infos, strict=True) if info is not None}
        fresh = [pid for pid in self.infos if pid not in self._calls]
        known = self.beam.each("proc_lib", "translate_initial_call", fresh)
        self._calls = {pid: call for pid, call in self._calls.items() if pid in self.infos}
        self._calls.update(zip(fresh, known, strict=True))
        self.pids = {pid_text(pid): pid for pid in self.infos}
        self._ask_supervisors()
        self.rows = tuple(self._tree())

    # -- Supervisors --------------------------------------------------------------------------------------------------

    def is_supervisor(self, pid: Pid) -> bool:
        """Return whether a process has said that it is a supervisor, as those of OTP and Elixir do."""
        match self._calls.get(pid):
            case ("supervisor", _, _):
                return True
        return False

    def _ask_supervisors(self) -> None:
        supervisors = [pid for pid in self.infos if self.is_supervisor(pid)]
        self.families = {pid: self.families.get(pid, Family()) for pid in supervisors}
        now = time.monotonic()
        due = [pid for pid in supervisors if self._is_due(self.families[pid], now)]
        due.sort(key=lambda pid: self.families[pid].asked_at)
        for pid in due[:MOST_SUPERVISORS]:
            family = self.families[pid]
            family.asked_at = now
            try:
                told = self.beam.call("gen_server", "call", pid, Atom("which_children"), ANSWERS_WITHIN)
            except BeamError:
                family.answered = False
                continue
            family.answered = True
            family.children = [child for each in told if (child := _child(each)) is not None]
            if not family.is_told and len(family.children) <= FEW:
                self._ask_strategy(pid, family)
        self.parents = {
            child.pid: (pid, child)
            for pid, family in self.families.items()
            for child in family.children
            if child.pid is not None
        }

    def _ask_strategy(self, pid: Pid, family: Family) -> None:
        """Ask a supervisor once for its state, of which the strategy is kept."""
        family.is_told = True
        try:
            state = self.beam.call("sys", "get_state", pid, ANSWERS_WITHIN)
        except BeamError:
            return
        match state:
            case ("state", _, str(strategy), *_) if strategy in STRATEGIES:
                family.strategy = STRATEGIES[strategy]
            case {"__struct__": _, "strategy": _, "max_restarts": _}:
                family.strategy = "dynamic"

    @staticmethod
    def _is_due(family: Family, now: float) -> bool:
        if not family.asked_at or (family.answered and len(family.children) <= MANY):
            return True
        return now - family.asked_at > PATIENCE

    # -- Rows ---------------------------------------------------------------------------------------------------------

    def _tree(self) -> Iterable[wire.Row]:
        """Yield the rows of all trees, depth first, and then of the processes under no supervisor."""
        self._stood_before, self._stood, self.replaced = self._stood, {}, []
        placed: set[Pid] = set()
        for pid in self.families:
            if pid not in self.parents:
                yield from self._below(pid, None, None, "", 0, placed)
        rest = [pid for pid in self.infos if pid not in placed]
        if rest:
            yield wire.Row(key=OTHERS, kind="group", name="no supervisor", child_count=len(rest), **NOT_COUNTED)
            for pid in rest:
                yield self._row(pid, None, None, pid_text(pid), 1, OTHERS)
        # Who stood in a place that is empty now is remembered: the next one there has replaced it.
        left = {key: old for key, old in self._stood_before.items() if key not in self._stood}
        if len(left) <= MOST_PROCESSES:
            self._stood |= left

    def _below(
        self, top: Pid, supervisor: Pid | None, child: Child | None, above: str, depth: int, placed: set[Pid]
    ) -> Iterable[wire.Row]:
        waiting: list[tuple[Pid | None, Pid | None, Child | None, str, int]] = [(top, supervisor, child, above, depth)]
        while waiting:
            pid, supervisor, child, above, depth = waiting.pop()
            if pid is None or pid not in self.infos:
                if child is not None and supervisor is not None:
                    yield _absent(child, supervisor, above, depth)
                continue
            if pid in placed:
                continue
            placed.add(pid)
            key = self._key(pid, child, above)
            if child is not None and child.term != "undefined":
                self._stand(key, pid_text(pid))
            yield self._row(pid, supervisor, child, key, depth, above or None)
            family = self.families.get(pid)
            if family is not None:
                waiting += [(each.pid, pid, each, key, depth + 1) for each in family.children]  # the first one is last

    def _stand(self, key: str, new: str) -> None:
        """Note who stands in a place, and whom it has replaced."""
        old = self._stood_before.get(key)
        self._stood[key] = new
        if old is not None and old != new:
            self._restarts[key] = self._restarts.get(key, 0) + 1
            self.replaced.append((key, key.rpartition("/")[2], old, new))

    def _key(self, pid: Pid, child: Child | None, above: str) -> str:
        # A child without an id is one of many: its pid is all that tells it from its siblings.
        own = (child.id if child is not None and child.term != "undefined" else "") or self._name(pid, None)
        if child is not None and child.term == "undefined":
            own = pid_text(pid)
        own = own.replace("/", "\u2215")
        return f"{above}/{own}" if above else own

    def _name(self, pid: Pid, child: Child | None) -> str:
        registered = self.infos[pid].get("registered_name")
        if isinstance(registered, str):
            return atom_text(registered)
        if child is not None and child.term != "undefined":
            return child.id
        return self._call(pid) or pid_text(pid)

    def _call(self, pid: Pid) -> str:
        """Return what a process was started with."""
        call = self._calls.get(pid)
        if call == NOT_OF_PROC_LIB:
            call = self.infos[pid].get("initial_call")
        return call_text(call)

    def _row(
        self, pid: Pid, supervisor: Pid | None, child: Child | None, key: str, depth: int, above: str | None
    ) -> wire.Row:
        info = self.infos[pid]
        family = self.families.get(pid)
        registered = info.get("registered_name")
        return wire.Row(
            key=key,
            pid=pid_text(pid),
            kind="worker" if family is None else "supervisor",
            name=self._name(pid, child),
            registered_name=atom_text(registered) if isinstance(registered, str) else None,
            child_id=None if child is None or child.term == "undefined" else child.id,
            initial_call=self._call(pid),
            at=call_text(info.get("current_function")) or None,
            status=STATUSES.get(str(info.get("status")), "waiting"),
            message_queue_len=_count(info.get("message_queue_len")),
            memory=_count(info.get("memory")),
            **NOT_COUNTED,
            reductions=_count(info.get("reductions")),
            restarts=self._restarts.get(key, 0),
            supervisor=None if supervisor is None else pid_text(supervisor),
            depth=depth,
            parent_key=above,
            strategy=None if family is None else family.strategy,
            child_count=0 if family is None else len(family.children),
            not_running=0 if family is None else sum(each.pid is None for each in family.children),
        )


def _child(told: Term) -> Child | None:
    match told:
        case (term, pid, kind, _):
            stands = pid if isinstance(pid, Pid) else None
            state: wire.Status = "restarting" if pid == "restarting" else "stopped"
            name = atom_text(term) if isinstance(term, str) else text_of(term, 200)
            return Child(name, term, stands, kind == "supervisor", state)
    return None


def _absent(child: Child, supervisor: Pid, above: str, depth: int) -> wire.Row:
    return wire.Row(
        key=f"{above}/{child.id}",
        kind="supervisor" if child.is_supervisor else "worker",
        name=child.id,
        child_id=child.id,
        status=child.state,
        supervisor=pid_text(supervisor),
        depth=depth,
        parent_key=above,
        **NOT_COUNTED,
    )


def _count(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0


def names(rows: Sequence[wire.Row]) -> wire.Names:
    """Return the registered names."""
    found = sorted(
        (row.registered_name, row.pid) for row in rows if row.registered_name is not None and row.pid is not None
    )
    return wire.Names(
        names=tuple(wire.NameEntry(name=name, pid=pid) for name, pid in found[: wire.MAX_ROWS]), names_total=len(found)
    )
