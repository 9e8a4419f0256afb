"""Answers `GetPlan`: who would end if some processes were killed, and who would come back.

It is worked out from links, strategies and budgets, and takes some things for granted, which it says: that every start
succeeds, that a supervisor that is started anew starts the same children, and that a process which traps exits survives
the end of a linked one that is not its supervisor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice

from runtime.boot.run import MainBody
from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.literal import LiteralError, read_literal
from runtime.introspection.answers.name_holders import NameHolder, lingering, surviving
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import RefusedError, addressee
from runtime.introspection.answers.restart_budget import budget_used
from runtime.introspection.reading.tree_path import Position, children_of, name_of, position_of
from runtime.introspection.threads.chunked import dict_chunks
from runtime.introspection.threads.pace import Pace
from runtime.introspection.threads.racy_read import some, values
from runtime.kernel.process import Process
from runtime.supervision.child import Child
from runtime.supervision.children import Children
from runtime.supervision.dynamic import DynamicChildren
from runtime.terms.reason import is_abnormal, is_atom
from runtime.terms.term import Term
from runtime.terms.text import reason_text

MAX_PROCESSES = 20_000
"""How many ends are followed."""

MAX_SHOWN = 500
"""How many of each kind are named."""

NAMED = 3
"""How many are named in a sentence."""


def answer(query: wire.GetPlan, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Plan:
    """Work out what a signal to a process, and to the others with it that are still there, would do."""
    try:
        reason = read_literal(query.reason, "reason")
    except LiteralError as problem:
        raise RefusedError(wire.Failed(why=str(problem), kind="bad_request")) from None
    victim = addressee(query.pid, node)
    others = (node.find(pid) for pid in query.others[: wire.MAX_ROWS])
    return plan_of(victim, *(other for other in others if other is not None), reason=reason, pace=pace)


def plan_of(*victims: Process, reason: Term = "kill", pace: Pace | None = None) -> wire.Plan:
    """Work out what an exit signal with `reason` to each of these processes would do. From any thread."""
    pace = pace or Pace()
    planner = Planner(victims, reason, pace)
    planner.follow()
    return wire.Plan(
        sentence=planner.sentence(),
        reason=reason_text(reason),
        kills=_related(planner.kills, pace),
        restarts=_related(planner.returning, pace),
        gives_up=_related(planner.gives_up, pace),
        assumes=tuple(planner.assumptions()),
    )


class Planner:
    """Follows the consequences of an exit signal to some processes."""

    def __init__(self, victims: Sequence[Process], reason: Term, pace: Pace) -> None:
        self.victims = victims
        self.reason = reason
        self._pace = pace
        self.kills: dict[Process, None] = {}
        self.returning: dict[Process, None] = {}
        """Those whose places will have a process again, once every end was followed."""
        self.absent: set[Child] = set()
        """Children that have no process now and will have one."""
        self.gives_up: dict[Process, None] = {}
        self._restarts_of: dict[Process, int] = {}
        self._restarted: dict[Process, None] = {}
        """Those that their own supervisors would start again."""
        self._settled: set[Process] = set()
        self._shut_down: set[Process] = set()
        is_kill, is_ignored = is_atom(reason, "kill"), is_atom(reason, "normal")
        self._deaf = [victim for victim in victims if victim.trap_exit and not is_kill]
        """Victims that get the signal as a message."""
        for victim in victims:
            if victim not in self._deaf and not is_ignored:
                self._die(victim, shut_down=not is_abnormal(reason))

    def follow(self) -> None:
        """Follow every end until nothing new happens."""
        done = 0
        while done < len(self.kills):
            for process in list(self.kills)[done:]:
                done += 1
                self._outlived(process)
                if not done & 63:
                    self._pace.breathe()
        for number, process in enumerate([*self.kills]):
            if self._comes_back(process):
                self.returning[process] = None
                self._bring_along(process)
            if not number & 63:
                self._pace.breathe()

    def _comes_back(self, process: Process) -> bool:
        """Return whether its place will have a process again, by its supervisor or with one that is started anew."""
        while process not in self.returning:
            place = position_of(process)
            if place is None or process not in self.kills:
                return False
            if place.supervisor not in self.kills:
                return process in self._restarted
            kept = children_of(place.supervisor)
            if kept is None or isinstance(kept, DynamicChildren):
                return False  # it starts with no children
            process = place.supervisor
        return True

    def _bring_along(self, process: Process) -> None:
        """Note the children without a process that a supervisor will start when it is started anew."""
        kept = children_of(process)
        if kept is not None and not isinstance(kept, DynamicChildren):
            for chunk in dict_chunks(kept.children.values()):
                self.absent.update(_without_process(chunk))

    def _die(self, process: Process, shut_down: bool) -> None:
        """Note that a process ends, and with it its children and all that are linked with it and trap no exits."""
        waiting = [process]
        while waiting and len(self.kills) < MAX_PROCESSES:
            dying = waiting.pop()
            if dying in self.kills:
                continue
            self.kills[dying] = None
            if shut_down:
                self._shut_down.add(dying)
            kept = children_of(dying)
            if kept is not None:
                for chunk in dict_chunks(kept.children.values()):
                    if len(self.kills) + len(waiting) >= MAX_PROCESSES:
                        break
                    below = _running(chunk)
                    self._settled.update(below)
                    waiting += below
                    self._pace.breathe()
            waiting.extend(other for other in some(dying.links, MAX_PROCESSES) if not other.trap_exit)
            if not len(self.kills) & 63:
                self._pace.breathe()

    def _outlived(self, process: Process) -> None:
        """Do what the supervisor of a process that ended would do."""
        place = position_of(process)
        if place is None or process in self._settled or place.supervisor in self.kills:
            return
        supervisor, child = place
        restart = child.spec.restart
        kept = children_of(supervisor)
        if kept is None:
            return
        if restart == "temporary" or (restart == "transient" and process in self._shut_down):
            if child.spec.significant and self._was_the_last_significant(kept):
                self._die(supervisor, shut_down=True)
            return
        made = self._restarts_of[supervisor] = self._restarts_of.get(supervisor, 0) + 1
        if budget_used(kept) + made > kept.intensity.max_restarts:
            self.gives_up[supervisor] = None
            self._die(supervisor, shut_down=True)
            return
        group = self._group(kept, place, process)
        for victim, comes_back in group:
            self._settled.add(victim)
            self._die(victim, shut_down=True)
            if comes_back:
                self._restarted[victim] = None

    def _was_the_last_significant(self, kept: Children) -> bool:
        """Return whether the supervisor shuts down after a significant child that is not restarted."""
        if kept.auto_shutdown != "all_significant":
            return kept.auto_shutdown == "any_significant"
        significant = [child for child in values(kept.children) if child.spec.significant]
        return all(process in self.kills for process in _running(significant))

    def _group(self, kept: Children, place: Position, process: Process) -> list[tuple[Process, bool]]:
        """Return the processes that the strategy ends, the one that ended among them, and whether they come back."""
        if isinstance(kept, DynamicChildren) or kept.strategy == "one_for_one":
            return [(process, True)]
        group: list[tuple[Process, bool]] = []
        is_before = kept.strategy == "rest_for_one"
        for chunk in dict_chunks(kept.children.values()):
            if is_before and place.child in chunk:
                is_before, chunk = False, chunk[chunk.index(place.child) :]
            if not is_before:
                self.absent.update(_without_process(chunk))
                group += [(each, child.spec.restart != "temporary") for child in chunk for each in _running([child])]
            self._pace.breathe()
        return group[:MAX_PROCESSES]

    # -- In words -----------------------------------------------------------------------------------------------------

    def assumptions(self) -> Iterator[str]:
        """Yield what is taken for granted, a sentence each."""
        if self._count:
            yield "Every start succeeds, and supervisors that are started anew start the children they have now."
        yield from (holder.sentence() for holder in self._holders)
        for victim in self._deaf:
            yield f"{name_of(victim)} traps exits: the signal is a message to it, and it may end of its own accord."

    @cached_property
    def _holders(self) -> list[NameHolder]:
        """Who may still have a name when that is wanted again. Once every end was followed."""
        return [
            *islice(lingering(self.returning, self.kills, self._shut_down), MAX_SHOWN),
            *islice(surviving(self.returning, self.kills, self._pace), MAX_SHOWN),
        ]

    @property
    def _count(self) -> int:
        """How many places will have a process that was started anew."""
        return len(self.returning) + len(self.absent)

    def sentence(self) -> str:
        """Say it in one line."""
        text = self._sentence()
        if any(isinstance(process.body, MainBody) for process in self.kills):
            text += "; the program ends"
        holders = self._holders
        if self._count:
            text += "; if every start succeeds"
        if holders:
            names = ", ".join(dict.fromkeys(name_of(holder.process) for holder in holders[:NAMED]))
            above = name_of(holders[0].gives_up)
            text += f" and {names} {'has' if len(holders) == 1 else 'have'} ended by then: else {above} gives up"
        return text

    def _sentence(self) -> str:
        """Say what happens, and leave out what goes without saying."""
        if not self.kills:
            return self._why_none_ends()
        kills = f"kills {len(self.kills):,}"
        places = [place for victim in self.victims if (place := position_of(victim)) is not None]
        if not places:
            them = "it" if len(self.kills) == 1 else "them"
            they_are = "it is" if len(self.victims) == 1 else "they are"
            if self._count:
                return f"{kills}, restarts {self._count:,} that are linked: {they_are} under no supervisor"
            return f"{kills}; nothing brings {them} back: {they_are} under no supervisor"
        supervisors = {place.supervisor: None for place in places}
        if len(supervisors) > 1 or len(places) < len(self.victims):
            above = _count(len(supervisors), "supervisor")
            return f"{kills}, restarts {self._count:,}, under {above}; {self._fall()}"
        supervisor = places[0].supervisor
        kept = children_of(supervisor)
        if kept is None:
            return kills
        strategy = "dynamic" if isinstance(kept, DynamicChildren) else kept.strategy
        may_stay_away = all(place.child.spec.restart != "permanent" for place in places)
        if may_stay_away and self._shut_down.issuperset(self.victims):
            what = "children that are not permanent after such an end"
            return f"{kills}, restarts {self._count or 'none'}: {name_of(supervisor)} does not restart {what}"
        if all(place.child.spec.restart == "temporary" for place in places):
            return f"{kills}, restarts none: {name_of(supervisor)} does not restart temporary children"
        return f"{kills}, restarts {self._count:,}: {strategy}; {self._budget(supervisor, kept)}"

    def _why_none_ends(self) -> str:
        if not self._deaf:
            return "kills none: a signal with the reason normal is ignored"
        names = ", ".join(name_of(victim) for victim in self._deaf[:NAMED])
        trap, get = ("traps", "gets") if len(self._deaf) == 1 else ("trap", "get")
        return f"kills none: {names} {trap} exits and {get} the signal as a message; the reason kill cannot be trapped"

    def _fall(self) -> str:
        if not self.gives_up:
            return "no budget is used up"
        return f"{', '.join(map(name_of, self.gives_up))} {'gives' if len(self.gives_up) == 1 else 'give'} up"

    def _budget(self, supervisor: Process, kept: Children) -> str:
        intensity = kept.intensity
        used = budget_used(kept)
        made = max(1, self._restarts_of.get(supervisor, 0))
        text = f"budget {used} of {intensity.max_restarts} in {intensity.max_seconds:g} s"
        if self.gives_up:
            return f"{text} is used up: {self._fall()}"
        if used + made >= intensity.max_restarts:
            return f"{text}: one more after this and {name_of(supervisor)} gives up"
        return text


def _running(children: list[Child]) -> list[Process]:
    """Return the processes of those children that have one."""
    return [process for child in children if (pid := child.pid) is not None and (process := pid.process) is not None]


def _without_process(children: list[Child]) -> list[Child]:
    """Return those of these children that have no process and would be started with the others."""
    return [child for child in children if child.pid is None]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _related(processes: dict[Process, None], pace: Pace) -> tuple[wire.Related, ...]:
    related = []
    for process in list(processes)[:MAX_SHOWN]:
        pace.breathe()
        related.append(wire.Related(pid=str(process.pid), name=name_of(process)))
    return tuple(related)
