"""Facts about a process, each a label with some spans: for the panel beside the tree and the view of one process."""

from __future__ import annotations

from collections.abc import Sequence

from observer.drawing.advice import ADVICE
from observer.drawing.columns import OVERLOADED, group_text, mailbox_tone, status_of, worth_telling
from observer.drawing.frames import own_frame, place
from observer.model.row_history import RowHistory
from observer.text import tones, units
from observer.text.budget import budget, is_spent
from observer.text.safe_text import safe
from observer.text.sparkline import sparkline
from runtime.introspection.wire import Details, Event, Related, Row, Sender

Fact = tuple[str, list[tuple[str, str]]]

SPARK = 16
"""Cells of a sparkline among the facts."""


def facts(row: Row, details: Details | None, history: RowHistory | None, time: float) -> list[Fact]:
    """Return what is worth knowing about a row, most important first. `details` is None until they have arrived."""
    if row.kind == "group":
        note = [] if row.machine_state is None else [("Note", [(safe(row.machine_state), tones.WARN)])]
        return [("Group", [(safe(group_text(row)), tones.TEXT)]), *note]
    found = [_identity(row), _activity(row, history, time)]
    if row.machine_state is not None:
        found.append(("Machine", [("in the state ", tones.MUTED), (safe(row.machine_state), tones.TEXT)]))
    if details is not None and details.waiting_for is not None:
        found.append(("Waits for", [("⧗ ", tones.WARN), *related([details.waiting_for])]))
    if row.kind == "supervisor":
        found.append(supervision(row))
    if row.pid is not None and row.kind != "greenlet":
        found.append(_mailbox(row, history))
        found += senders(details) if details is not None else []
        found.append(_memory(row, history))
    if row.doing is not None:
        found.append(("Doing", _doing(row, time)))
    if row.kind != "greenlet":
        found.append(_place(row, details))
    elif details is not None and details.parent is not None:
        found.append(("Started by", related([details.parent])))
    if details is not None:
        found += _relations(details)
    return found


def more_facts(details: Details) -> list[Fact]:
    """Return the facts that only the view of one process has room for: names, flags, work done."""
    row = details.row
    if row.kind == "greenlet":
        return [("Work", [(_seen(row), tones.TEXT)])]
    unanswered = [("Unanswered", [(unanswered_text(details), tones.WARN)])] if details.unanswered else []
    names = [
        (kind, name)
        for kind, name in (("registered", row.registered_name), ("label", row.label), ("child id", row.child_id))
        if name
    ]
    flags = [f"priority {details.priority}", "traps exits" if details.trap_exit else "does not trap exits"]
    if details.max_heap_size:
        flags.append(f"max_heap_size {details.max_heap_size:,}")
    work = f"{row.reductions:,} reductions  {_seen(row)}"
    spans = [span for kind, name in names for span in ((f"{kind} ", tones.MUTED), (f"{safe(name)}  ", tones.TEXT))]
    advice = [
        ("Advice", [(f"{kind}: ", tones.BAD), (ADVICE[kind], tones.TEXT)]) for kind in row.lints if kind in ADVICE
    ]
    return [
        *senders(details),
        *unanswered,
        *advice,
        ("Names", spans or [("none", tones.FAINT)]),
        ("Flags", [("  ".join(flags), tones.TEXT)]),
        ("Work", [(work, tones.TEXT)]),
    ]


def unanswered_text(details: Details) -> str:
    """Return how many calls of a server no case of its `handle_call`, or of a machine's state, took: of which kinds."""
    kinds = f": {safe(', '.join(details.unanswered_kinds))}" if details.unanswered_kinds else ""
    of = "" if details.row.machine_state is not None else " of handle_call()"
    return f"{units.many(details.unanswered, 'call', 'calls')} that no case{of} takes{kinds}"


def _seen(row: Row) -> str:
    return "" if row.cpu_time is None else f"{row.cpu_time:.3f}s of processor time seen"


def _identity(row: Row) -> Fact:
    parts = [(safe(row.name or "?"), tones.NAME)]
    if row.pid:
        parts.append((f" {row.pid}", tones.TEXT))
    if row.initial_call:
        parts.append((f"  {safe(_short_call(row.initial_call))}", tones.MUTED))
    return ("Greenlet" if row.kind == "greenlet" else "Process", parts)


def _short_call(call: str) -> str:
    """Shorten an initial call of the runtime's own, like ``Supervisor.init``: in which module it lies says nothing."""
    return ".".join(call.split(".")[-2:]) if call.startswith("runtime.") else call


def _activity(row: Row, history: RowHistory | None, time: float) -> Fact:
    sign, word, _, tone = status_of(row)
    parts = [(f"{sign} {word}", tone)]
    if row.started_at is not None:
        parts.append((f"  up {units.duration(time - row.started_at)}", tones.MUTED))
    if row.restarts:
        times = "once" if row.restarts == 1 else f"{row.restarts:,} times"
        parts.append((f"  ↻ restarted {times}", tones.WARN))
    if row.lints:
        parts.append(("  ! " + ", ".join(row.lints), tones.BAD))
    if history is not None and history.cpu_share is not None and row.cpu_time is not None:
        parts.append((f"  cpu {units.percent(history.cpu_share)}", tones.MUTED))
    return ("State", parts)


def supervision(row: Row) -> Fact:
    """Return a supervisor's strategy, its budget of restarts, and how many children it has."""
    used, allowed = row.restarts_used or 0, row.max_restarts
    parts: list[tuple[str, str]] = [(row.strategy or "", tones.TEXT)]
    if allowed is not None:
        spent = is_spent(used, allowed)
        left = used and row.restarts_expire_in is not None
        text = f"  {'! ' if spent else ''}{budget(used, allowed, row.max_seconds)}"
        text += f", {units.duration(row.restarts_expire_in)} left" if left else ""
        parts.append((text, tones.BAD if spent else tones.WARN if used else tones.MUTED))
    if row.not_running:
        parts.append((f"  ■ {row.not_running} not running", tones.WARN))
    parts.append((f"  {units.many(row.child_count, 'child', 'children')}", tones.MUTED))
    return ("Strategy", parts)


def failure(event: Event) -> Fact:
    """Return the last failure below a supervisor: which child, of what, and where."""
    reason = f": {safe(event.reason)}" if event.reason else ""
    spans = [("✗ ", tones.BAD), (safe(event.name or event.pid or "?"), tones.NAME), (reason, tones.TEXT)]
    if event.stacktrace:
        frame = own_frame(event.stacktrace)
        source = f"  {safe(frame.source.strip())}" if frame.source else ""
        spans += [(f"  {safe(place(frame))}", tones.TEXT), (source, tones.MUTED)]
    return ("Last death", spans)


def _mailbox(row: Row, history: RowHistory | None) -> Fact:
    sign = "! " if row.message_queue_len >= OVERLOADED else ""
    parts = [(sign + units.count(row.message_queue_len), mailbox_tone(row.message_queue_len))]
    if history is not None and history.mailbox_peak > row.message_queue_len:
        parts.append((f" (peak {units.count(history.mailbox_peak)})", tones.MUTED))
    if row.messages_in is not None:
        parts.append((f"  in {units.count(row.messages_in)}  out {units.count(row.messages_out)}", tones.MUTED))
    if history is not None and row.messages_in is not None:
        parts.append((f"  {units.rate(history.messages.latest)}/s ", tones.TEXT))
        parts.append((sparkline(history.messages.rates.values(), SPARK).lstrip(), tones.LINE))
    return ("Mailbox", parts)


def senders(details: Details) -> list[Fact]:
    """Return who sends to it: the fastest sender, with its line."""
    if not details.senders:
        return []
    spans = sender_spans(details.senders[0])
    others = len(details.senders) - 1 + details.more_senders
    return [("Sent by", [*spans, (f"  and {others} more", tones.MUTED)] if others else spans)]


def sender_spans(sender: Sender) -> list[tuple[str, str]]:
    """Return a sender in a line: how many messages a second, who, and the line that sends."""
    spans = [(f"{units.rate(sender.rate)}/s ", tones.WARN), (safe(sender.name or sender.pid or "?"), tones.TEXT)]
    if sender.name and sender.pid:
        spans.append((f" {sender.pid}", tones.MUTED))
    if sender.at is not None:
        spans.append((f"  {safe(place(sender.at))}", tones.TEXT))
        if sender.at.source:
            spans.append((f"  {safe(sender.at.source.strip())}", tones.MUTED))
    return spans


def _memory(row: Row, history: RowHistory | None) -> Fact:
    if row.memory is None:
        return ("Memory", [("no estimate yet", tones.FAINT)])
    parts = [(units.size(row.memory), tones.TEXT)]
    if row.memory_age is not None:
        parts.append((f" (estimated {units.duration(row.memory_age)} ago)", tones.MUTED))
    if history is not None and worth_telling(history.growth, row.memory):
        growth = f"  {units.signed_size(history.growth)} in {units.duration(history.grown_for)}"
        parts.append((growth, tones.WARN if history.growth > 0 else tones.GOOD))
    return ("Memory", parts)


def _doing(row: Row, time: float) -> list[tuple[str, str]]:
    spans = [(safe(row.doing or ""), tones.TEXT)]
    if row.doing_since is not None:
        spans.append((f"  for {units.duration(max(0.0, time - row.doing_since))}", tones.MUTED))
    return spans


def _place(row: Row, details: Details | None) -> Fact:
    parts = [(safe(row.key), tones.TEXT)]
    if row.restart:
        parts.append((f"  {row.restart}", tones.MUTED))
    if details is not None and details.trap_exit:
        parts.append(("  traps exits", tones.MUTED))
    return ("Place", parts)


def _relations(details: Details) -> list[Fact]:
    found: list[Fact] = []
    for label, processes in (
        ("Links", details.links),
        ("Monitors", details.monitors),
        ("Watched by", details.monitored_by),
    ):
        if processes:
            found.append((label, related(processes)))
    if details.current_stacktrace:
        frame = own_frame(details.current_stacktrace)
        source = f"  {safe(frame.source)}" if frame.source else ""
        found.append(("At", [(safe(place(frame)), tones.TEXT), (source, tones.MUTED)]))
    if details.messages:
        found.append(("First", [(safe(details.messages[0]), tones.TEXT)]))
    return found


def related(processes: Sequence[Related], most: int = 6) -> list[tuple[str, str]]:
    """Name processes in a row, at most `most` of them."""
    parts: list[tuple[str, str]] = []
    for process in processes[:most]:
        parts.append((safe(process.name or process.pid) + " ", tones.TEXT))
        if process.name:
            parts.append((process.pid + "  ", tones.MUTED))
    if len(processes) > most:
        parts.append((f"and {len(processes) - most} more", tones.MUTED))
    return parts
