"""Supervisors whose children fail again and again: no restart is left, or none was a moment ago, or it gave up.

A finding stays for half a minute after that. Without it the finding would come and go with each restart that is
forgotten, and would be gone in the very moment in which the supervisor gives up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runtime.introspection import wire
from runtime.introspection.answers.restart_budget import budget_used, used_up_at
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.log_entry import GaveUp
from runtime.introspection.reading.rows import seconds_of
from runtime.introspection.reading.supervisor_nodes import SupervisorNodes
from runtime.introspection.reading.tree_path import children_of, display_name, position_of
from runtime.introspection.threads.pace import Pace
from runtime.kernel import clock
from runtime.kernel.process import DEAD, Process
from runtime.supervision.children import Children
from runtime.terms.explanation import overdrawn

REMEMBERED = 30.0
"""Seconds for which a supervisor that had no restart left, or gave up, stays among the findings."""

MOST_LOOPS = 200
"""How many supervisors are found at most."""

EXITS_READ = 1_000
"""Events among which the failures below a supervisor are looked for: the latest."""

LONGEST_REASON = 100
"""Characters of a reason."""


@dataclass
class _Loop:
    """The supervisor at one place of the tree."""

    process: Process | None
    """The one that stands there now."""
    used_up_at: float | None = None
    gave_up: GaveUp | None = None
    failed: dict[str, str] = field(default_factory=dict)
    """What failed below it lately: the reasons by name, the last one first."""


class CrashLoops:
    """Looks for supervisors that restart again and again."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._loops: dict[str, _Loop] = {}
        """By the keys of their places."""

    def look(self, supervisors: SupervisorNodes, pace: Pace) -> None:
        """Look through all supervisors."""
        present = clock.now()
        before, found = self._loops, dict[str, _Loop]()
        for number, node in enumerate(supervisors.walk()):
            if not number & 63:
                pace.breathe()
            kept, known = children_of(node.process), before.get(node.key)
            last = None if kept is None else used_up_at(kept)
            if last is None and known is not None and known.process is node.process:
                last = known.used_up_at
            if last is not None and present - last < REMEMBERED and len(found) < MOST_LOOPS:
                found[node.key] = _Loop(node.process, last)
        for fallen in [*self._log.given_up]:
            if present - fallen.at < REMEMBERED:
                loop = found.setdefault(fallen.key, _Loop(supervisors.find(fallen.key)))
                loop.gave_up = fallen
        if found:
            self._find_failures(found)
        self._loops = found

    def _find_failures(self, loops: dict[str, _Loop]) -> None:
        """Note what failed below each, from the latest events."""
        for entry in reversed(self._log.newest(EXITS_READ)):
            if entry.kind != "exit" or not entry.fields["crashed"]:
                continue
            key = above = entry.fields["key"]
            while "/" in above:
                above = above.rpartition("/")[0]
                if (loop := loops.get(above)) is not None:
                    loop.failed.setdefault(entry.fields["name"] or key, entry.fields["reason"])

    def lints(self) -> Iterator[wire.Lint]:
        """Yield a finding for each, in words that are true now."""
        present = clock.now()
        for loop in self._loops.values():
            lint = _lint(loop, present)
            if lint is not None:
                yield lint


def _lint(loop: _Loop, present: float) -> wire.Lint | None:
    process, fallen = loop.process, loop.gave_up
    if process is not None and (process.state is DEAD or (fallen is not None and process.pid == fallen.pid)):
        process = None
    kept = None if process is None else children_of(process)
    pids = () if process is None or kept is None else (str(process.pid),)
    if process is not None and kept is not None and _is_used_up(kept):
        name, budget = _name(process), _budget(kept)
        told, weight = f"with the next failure {name} gives up ({budget})", 3
    elif fallen is not None:
        again = f"runs again as {process.pid}" if process is not None and pids else "is not running"
        more = overdrawn(fallen.allowed, fallen.seconds)
        told, weight = f"{fallen.name} gave up {present - fallen.at:.0f} s ago and {again} ({more})", 3
    elif process is not None and kept is not None and loop.used_up_at is not None:
        ago = present - loop.used_up_at
        told, weight = f"{_name(process)} was one failure from giving up {ago:.0f} s ago ({_budget(kept)} now)", 2
    else:
        return None
    return wire.Lint(kind="crash_loop", weight=weight, pids=pids, sentence=f"{_who_fails(loop)}{told}.")


def _who_fails(loop: _Loop) -> str:
    if not loop.failed:
        return ""
    name, reason = next(iter(loop.failed.items()))
    short = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
    if len(loop.failed) == 1:
        return f"{name} fails again and again ({short}): "
    return f"{name} and others fail again and again ({short}): "


def _is_used_up(kept: Children) -> bool:
    return 0 < kept.intensity.max_restarts == budget_used(kept) > 1


def _budget(kept: Children) -> str:
    intensity = kept.intensity
    return f"{budget_used(kept)} of {intensity.max_restarts} restarts in {seconds_of(intensity.max_seconds):g} s"


def _name(process: Process) -> str:
    place = position_of(process)
    return f"{display_name(process, None if place is None else place.child)} {process.pid}"
