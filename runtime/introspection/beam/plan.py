"""What killing processes of a BEAM node would do, worked out from links, traps and supervisors."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.introspection import wire
from runtime.introspection.beam.erlang import Beam, BeamError
from runtime.introspection.beam.looks import FEW, Child, Looks
from runtime.introspection.beam.text import pid_text
from runtime.kernel.process import Pid
from runtime.terms.term import Term

MOST_FOLLOWED = 2_000
"""Processes that are followed."""

UNLESS = "if every start succeeds and no supervisor gives up: how many restarts are left is not known"
"""What the sentence of a plan takes for granted."""

ASSUMED = "Every start succeeds, and no supervisor uses up its restarts: how many it has left is not known."

ANSWERS_WITHIN = 500
"""Milliseconds that a supervisor has to tell how it restarts a child."""


def plan_of(beam: Beam, looks: Looks, victims: Sequence[Pid]) -> wire.Plan:
    """Return who would end and who would come back. Raises BeamError."""
    kills: dict[Pid, None] = {}
    waiting = [*victims]
    while waiting and len(kills) < MOST_FOLLOWED:
        batch = [pid for pid in dict.fromkeys(waiting) if pid not in kills][:MOST_FOLLOWED]
        kills |= dict.fromkeys(batch)
        waiting = []
        for info in beam.info(batch, ["links"]):
            waiting += [pid for pid in (info or {}).get("links", ()) if _ends_with(looks, pid) and pid not in kills]
        waiting += _children(looks, batch)
        waiting += [other for pid in batch for other in _siblings(beam, looks, pid, kills)]
    returning = [pid for pid in kills if _comes_back(beam, looks, pid, kills)]
    names = {row.pid: row.name for row in looks.rows}
    if returning:
        sentence = f"kills {len(kills):,}, restarts {len(returning):,}; {UNLESS}"
    else:
        sentence = f"kills {len(kills):,}; nothing is known to bring {'it' if len(kills) == 1 else 'them'} back"
    return wire.Plan(
        sentence=sentence,
        kills=_related(kills, names),
        restarts=_related(returning, names),
        assumes=(ASSUMED,) if returning else (),
    )


def _ends_with(looks: Looks, pid: Term) -> bool:
    """Return whether the exit signal ends a linked process: it is one of the node, and traps no exits."""
    info = looks.infos.get(pid) if isinstance(pid, Pid) else None
    return info is not None and info.get("trap_exit") is not True


def _children(looks: Looks, pids: Sequence[Pid]) -> list[Pid]:
    """Return the children of those of these that are supervisors: they end with them."""
    families = [looks.families[pid] for pid in pids if pid in looks.families]
    return [child.pid for family in families for child in family.children if child.pid is not None]


def _siblings(beam: Beam, looks: Looks, pid: Pid, kills: dict[Pid, None]) -> list[Pid]:
    """Return the processes that a supervisor ends when it restarts a child, as its strategy says.

    One that allows no restart at all, as the one of OTP's own servers, ends itself.
    """
    place = looks.parents.get(pid)
    if place is None or place[0] in kills:
        return []
    supervisor, child = place
    family = looks.families[supervisor]
    if _restart_of(beam, looks, supervisor, child) not in ("permanent", "transient"):
        return []
    match _state_of(beam, supervisor):
        case ("state", _, _, _, _, 0, *_) | {"__struct__": _, "max_restarts": 0}:
            return [supervisor]
    if family.strategy not in ("one_for_all", "rest_for_one"):
        return []
    others = family.children
    if family.strategy == "rest_for_one":  # the last one was started first
        others = others[: next((n for n, each in enumerate(others) if each.pid == pid), 0)]
    return [each.pid for each in others if each.pid is not None and each.pid not in kills]


def _comes_back(beam: Beam, looks: Looks, pid: Pid, kills: dict[Pid, None]) -> bool:
    place = looks.parents.get(pid)
    if place is None:
        return False
    supervisor, child = place
    if supervisor in kills:
        return child.term != "undefined" and _comes_back(beam, looks, supervisor, kills)
    return _restart_of(beam, looks, supervisor, child) in ("permanent", "transient")


def _restart_of(beam: Beam, looks: Looks, supervisor: Pid, child: Child) -> str:
    """Return the restart type of a child, empty where it is not known.

    It is read from the supervisor's state. A question that a supervisor does not know would end it: those of Elixir do
    not know all that OTP's do.
    """
    if len(looks.families[supervisor].children) > FEW:
        return ""
    match _state_of(beam, supervisor):
        case ("state", _, "simple_one_for_one", (_, dict(specs)), *_):
            kept = next(iter(specs.values()), None)
        case ("state", _, _, (_, dict(specs)), *_):
            kept = specs.get(child.term)
        case {"__struct__": _, "children": dict(children)}:
            kept = children.get(child.pid)
            return str(kept[1]) if type(kept) is tuple and len(kept) == 5 else ""
        case _:
            return ""
    return str(kept[4]) if type(kept) is tuple and len(kept) > 4 and kept[0] == "child" else ""


def _state_of(beam: Beam, supervisor: Pid) -> Term:
    """Return the state of a supervisor, None where it does not tell it in time."""
    try:
        return beam.call("sys", "get_state", supervisor, ANSWERS_WITHIN)
    except BeamError:
        return None


def _related(pids: Sequence[Pid] | dict[Pid, None], names: dict[str | None, str]) -> tuple[wire.Related, ...]:
    return tuple(wire.Related(pid=pid_text(pid), name=names.get(pid_text(pid), "")) for pid in [*pids][:500])
