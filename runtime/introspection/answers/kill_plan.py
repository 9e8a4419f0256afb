"""The plan of a kill, or of several at once: who would end and who would come back.

Worked out from links, strategies and budgets. It is what would happen if nothing else did: processes that trap exits
are taken to survive a linked one's end, and starts to succeed.
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.answers.observed_node import ObservedNode
from runtime.introspection.answers.resolve import addressee
from runtime.introspection.answers.restart_budget import budget_used
from runtime.introspection.reading.tree_path import Position, children_of, name_of, position_of
from runtime.introspection.threads.chunked import dict_chunks
from runtime.introspection.threads.pace import Pace
from runtime.introspection.threads.racy_read import some
from runtime.kernel.process import Process
from runtime.supervision.child import Child
from runtime.supervision.children import Children
from runtime.supervision.dynamic import DynamicChildren

MAX_PROCESSES = 20_000
"""How many ends are followed."""

MAX_SHOWN = 500
"""How many of each kind are named."""


def answer(query: wire.GetPlan, node: ObservedNode, client: ClientCache, pace: Pace) -> wire.Plan:
    """Work out what killing a process, and the others with it that are still there, would do."""
    victim = addressee(query.pid, node)
    others = (node.find(pid) for pid in query.others[: wire.MAX_ROWS])
    return plan_of(victim, *(other for other in others if other is not None), pace=pace)


def plan_of(*victims: Process, pace: Pace | None = None) -> wire.Plan:
    """Work out what killing these processes would do. From any thread."""
    pace = pace or Pace()
    planner = Planner(victims, pace)
    planner.follow()
    return wire.Plan(
        sentence=planner.sentence(),
        kills=_related(planner.kills, pace),
        restarts=_related(planner.restarts, pace),
        gives_up=_related(planner.gives_up, pace),
    )


class Planner:
    """Follows the consequences of killing some processes."""

    def __init__(self, victims: Sequence[Process], pace: Pace) -> None:
        self.victims = victims
        self._pace = pace
        self.kills: dict[Process, None] = {}
        self.restarts: dict[Process, None] = {}
        self.gives_up: dict[Process, None] = {}
        self._restarts_of: dict[Process, int] = {}
        self._settled: set[Process] = set()
        self._shut_down: set[Process] = set()
        for victim in victims:
            self._die(victim, shut_down=False)

    def follow(self) -> None:
        """Follow every end until nothing new happens."""
        done = 0
        while done < len(self.kills):
            for process in list(self.kills)[done:]:
                done += 1
                self._outlived(process)
                if not done & 63:
                    self._pace.breathe()

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
        if restart == "temporary" or (restart == "transient" and process in self._shut_down):
            return
        kept = children_of(supervisor)
        if kept is None:
            return
        made = self._restarts_of[supervisor] = self._restarts_of.get(supervisor, 0) + 1
        if budget_used(kept) + made > kept.intensity.max_restarts:
            self.gives_up[supervisor] = None
            self._die(supervisor, shut_down=True)
            for chunk in dict_chunks(kept.children.values()):
                for each in _running(chunk):
                    self.restarts.pop(each, None)  # what it has restarted before ends with it
                self._pace.breathe()
            return
        for victim in self._group(kept, place, process):
            self._settled.add(victim)
            self._die(victim, shut_down=True)
            self.restarts[victim] = None

    def _group(self, kept: Children, place: Position, process: Process) -> list[Process]:
        """Give the processes that the strategy restarts, the one that ended among them."""
        if isinstance(kept, DynamicChildren) or kept.strategy == "one_for_one":
            return [process]
        group: list[Process] = []
        is_before = kept.strategy == "rest_for_one"
        for chunk in dict_chunks(kept.children.values()):
            if is_before and place.child in chunk:
                is_before, chunk = False, chunk[chunk.index(place.child) :]
            if not is_before:
                group += _running([child for child in chunk if child.spec.restart != "temporary"])
            self._pace.breathe()
        return group[:MAX_PROCESSES]

    def sentence(self) -> str:
        """Say it in one line."""
        kills = f"kills {len(self.kills):,}"
        places = [place for victim in self.victims if (place := position_of(victim)) is not None]
        if not places:
            them = "it" if len(self.kills) == 1 else "them"
            they_are = "it is" if len(self.victims) == 1 else "they are"
            return f"{kills}; nothing brings {them} back: {they_are} under no supervisor"
        supervisors = {place.supervisor: None for place in places}
        if len(supervisors) > 1 or len(places) < len(self.victims):
            above = _count(len(supervisors), "supervisor")
            return f"{kills}, restarts {len(self.restarts):,}, under {above}; {self._fall()}"
        supervisor = places[0].supervisor
        kept = children_of(supervisor)
        if kept is None:
            return kills
        strategy = "dynamic" if isinstance(kept, DynamicChildren) else kept.strategy
        if all(place.child.spec.restart == "temporary" for place in places):
            return f"{kills}, restarts none: {name_of(supervisor)} does not restart temporary children"
        return f"{kills}, restarts {len(self.restarts):,}: {strategy}; {self._budget(supervisor, kept)}"

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
    """Give the processes of those children that have one."""
    return [process for child in children if (pid := child.pid) is not None and (process := pid.process) is not None]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _related(processes: dict[Process, None], pace: Pace) -> tuple[wire.Related, ...]:
    related = []
    for process in list(processes)[:MAX_SHOWN]:
        pace.breathe()
        related.append(wire.Related(pid=str(process.pid), name=name_of(process)))
    return tuple(related)
