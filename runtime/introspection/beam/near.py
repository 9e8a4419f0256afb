"""One process of a BEAM node from near: what it is tied to, what it holds, where it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.introspection import wire
from runtime.introspection.beam.erlang import Beam, BeamError
from runtime.introspection.beam.looks import Looks
from runtime.introspection.beam.text import atom_text, pid_text, text_of
from runtime.kernel.process import Pid
from runtime.terms.term import Term

ITEMS = ("links", "monitors", "monitored_by", "trap_exit", "priority", "current_stacktrace")

MOST_MESSAGES = 1_000
"""Messages of a mailbox above which it is not fetched: a call brings all of it."""

LARGEST = 8 << 20
"""Bytes of a process above which its state, messages and dictionary are not fetched."""

STATE_WITHIN = 1_000
"""Milliseconds that a process has to tell its state."""

TOO_LARGE = f"It holds more than {LARGEST >> 20} MB, so its messages and its dictionary are not fetched."
TOO_MANY = f"More than {MOST_MESSAGES:,} messages wait, so they are not fetched."

LOOPS = ("gen_server", "gen_statem", "gen_event", "supervisor")
"""Modules in whose loop a process answers `sys`. To ask another one would leave a message in its mailbox."""

MOST_RELATED = 200


def details_of(beam: Beam, looks: Looks, row: wire.Row, query: wire.GetProcess, shown: bool) -> wire.Details | None:
    """Return all that the node says about a process, None when it has ended. Raises BeamError."""
    pid = looks.pids[row.pid or ""]
    small = (row.memory or 0) <= LARGEST
    too_many = row.message_queue_len > MOST_MESSAGES
    extra = []
    if shown and small:
        extra.append("dictionary")
        if not too_many and query.messages > 0:
            extra.append("messages")
    (info,) = beam.info([pid], [*ITEMS, *extra])
    if info is None:
        return None
    state, note = _state(beam, looks, pid, row, query.state and shown)
    ancestors = [*_ancestors(looks, pid)]
    return wire.Details(
        row=row,
        links=_related(beam, looks, info.get("links", ())),
        monitors=_related(beam, looks, [_monitored(each) for each in info.get("monitors", ())]),
        monitored_by=_related(beam, looks, info.get("monitored_by", ())),
        ancestors=_related(beam, looks, ancestors),
        trap_exit=info.get("trap_exit") is True,
        priority=str(info.get("priority", "normal")),
        messages=tuple(text_of(each, 500) for each in info.get("messages", ())[: max(0, query.messages)]),
        state=state,
        state_note=note if shown else "What processes hold is not shown (--no-state).",
        withheld=not shown,
        dictionary=_dictionary(info.get("dictionary", ())),
        current_stacktrace=tuple(_frames(info.get("current_stacktrace", ()))),
        unfetched="" if not shown else TOO_LARGE if not small else TOO_MANY if too_many else "",
    )


def _state(beam: Beam, looks: Looks, pid: Pid, row: wire.Row, asked: bool) -> tuple[str | None, str]:
    if not asked:
        return None, ""
    if (row.memory or 0) > LARGEST:
        return None, f"It holds more than {LARGEST >> 20} MB, so it is not asked for its state."
    current = looks.infos[pid].get("current_function")
    if not (type(current) is tuple and current and current[0] in LOOPS):
        return None, "It is in no loop of OTP's at the moment, where it could be asked for its state."
    try:
        return text_of(beam.call("sys", "get_state", pid, STATE_WITHIN)), ""
    except BeamError:
        return None, "It did not tell its state within a second."


def _ancestors(looks: Looks, pid: Pid) -> Iterable[Pid]:
    seen = {pid}
    while (place := looks.parents.get(pid)) is not None and place[0] not in seen:
        pid = place[0]
        seen.add(pid)
        yield pid


def _monitored(told: Term) -> Term:
    match told:
        case ("process", who):
            return who
    return told


def _related(beam: Beam, looks: Looks, told: Iterable[Term]) -> tuple[wire.Related, ...]:
    found = []
    for each in [*told][:MOST_RELATED]:
        if isinstance(each, Pid):
            found.append(_relate(beam, looks, each))
        else:
            found.append(wire.Related(pid="", name=text_of(each, 100)))
    return tuple(found)


def _relate(beam: Beam, looks: Looks, pid: Pid) -> wire.Related:
    text = pid_text(pid)
    remote: Any = getattr(pid.process, "remote", None)
    if remote is not None and remote.name == beam.name:
        row = next((row for row in looks.rows if row.pid == text), None)
        return wire.Related(pid=text, name="" if row is None else row.name)
    node = "" if remote is None else remote.name
    return wire.Related(pid=str(pid), name=f"on {node}" if node else "of the observer", node=node, pid_there=text)


def _dictionary(told: Iterable[Term]) -> dict[str, str]:
    pairs = [each for each in told if type(each) is tuple and len(each) == 2]
    return {text_of(key, 100): text_of(value, 500) for key, value in pairs[:100]}


def _frames(told: Iterable[Term]) -> Iterable[wire.Frame]:
    """Yield the frames of a stack, innermost last."""
    for frame in reversed([*told]):
        match frame:
            case (str(module), str(function), arity, list(location)):
                known = {str(item[0]): item[1] for item in location if type(item) is tuple and len(item) == 2}
                file, line = known.get("file", ""), known.get("line", 0)
                text = "".join(map(chr, file)) if isinstance(file, list) else str(file)
                count = arity if type(arity) is int else len(arity) if isinstance(arity, list) else 0
                yield wire.Frame(
                    file=text or atom_text(module),
                    line=line if type(line) is int else 0,
                    function=f"{atom_text(module)}:{atom_text(function)}/{count}",
                )
