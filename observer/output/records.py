"""What the commands print for programs. Every record has all of its fields, with ``null`` where nothing is known.

The classes here are the contract: `observer.output.schema` makes the JSON Schema of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeVar

import msgspec

from observer.model.aftermath import Aftermath
from observer.output.json_value import value_of
from runtime.introspection import wire

R = TypeVar("R", bound="Record")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all that is printed as JSON."""

    @classmethod
    def of(cls, source: object) -> Self:
        """Make a record of an object that has attributes of the same names."""
        return msgspec.convert(source, cls, from_attributes=True)


class ProcessRecord(Record, frozen=True):
    """A process or a greenlet, with the keys of `process_info`. Only a supervisor has a restart budget."""

    pid: str | None
    kind: str
    """``supervisor``, ``worker`` or ``greenlet``; `type` says the same."""
    registered_name: str | None
    label: str | None
    child_id: str | None
    initial_call: str
    at: str | None
    """File, line and function in which it is, in the program's own code."""
    machine_state: str | None
    """The state in which a state machine is."""
    doing: str | None
    """What it does, as its frames tell: the method and path of a request, the name and id of a task."""
    doing_since: float | None
    starts_in: float | None
    """Seconds until a greenlet begins that is to begin later; 0 where that is not known."""
    status: wire.Status
    message_queue_len: int
    messages_in: int | None
    messages_out: int | None
    memory: int | None
    memory_age: float | None
    reductions: int
    cpu_time: float | None
    restarts: int
    started_at: float | None
    supervisor: str | None
    restart: str | None
    strategy: wire.Strategy | None
    max_restarts: int | None
    max_seconds: float | None
    restarts_used: int | None
    restarts_expire_in: float | None
    not_running: int
    lints: list[str]
    last_failure_at: float | None
    type: str
    node: str | None
    """The node that it belongs to, where those of a whole cluster are listed; its pids are those of that node."""


class TopRecord(ProcessRecord, frozen=True):
    """A process, and what it did in the interval that `top` measured; null where that is not known."""

    messages_in_per_second: float | None
    messages_out_per_second: float | None
    cpu: float | None
    """The share of one core: 1.0 is all of it."""
    reductions_per_second: float | None


class PlaceRecord(Record, frozen=True):
    """A place of the supervision tree. Its `pid` is null while no process stands in it. Greenlets are roots."""

    pid: str | None
    registered_name: str | None
    child_id: str | None
    type: str
    status: wire.Status
    restarts: int
    strategy: wire.Strategy | None
    max_restarts: int | None
    max_seconds: float | None
    restarts_used: int | None
    kind: str
    """``supervisor``, ``worker`` or ``greenlet``; `type` says the same."""
    initial_call: str
    at: str | None
    doing: str | None
    children: list[PlaceRecord]


class FrameRecord(Record, frozen=True):
    """One frame of a stack."""

    file: str
    line: int
    function: str
    source: str


class EventRecord(Record, frozen=True):
    """One thing that happened. `cause` is the id of the event that made it happen."""

    id: int
    time: float
    kind: str
    pid: str | None
    name: str
    key: str | None
    reason: str | None
    crashed: bool
    cause: int | None
    supervisor: str | None
    child_id: str | None
    old_pid: str | None
    restarts_used: int | None
    max_restarts: int | None
    max_seconds: float | None
    seconds: float | None
    message: str
    last_message: Any
    state: Any
    stacktrace: list[FrameRecord]
    node: str | None
    """The node in which it happened, where those of all workers of a program are listed; its pids are those of that
    node, and so are the ids."""


class PartRecord(Record, frozen=True):
    """A large part of a state: an attribute of a server, with about its size in bytes."""

    name: str
    kind: str
    size: int
    items: int | None


class SenderRecord(Record, frozen=True):
    """Who sends to a process: so many messages a second, from a line of its code."""

    rate: float
    pid: str | None
    name: str
    at: FrameRecord | None


class DetailsRecord(ProcessRecord, frozen=True):
    """Everything about one process."""

    links: list[str]
    monitors: list[str]
    monitored_by: list[str]
    parent: str | None
    ancestors: list[str]
    trap_exit: bool
    priority: str
    max_heap_size: int | None
    waiting_for: str | None
    messages: list[Any]
    senders: list[SenderRecord]
    more_senders: int
    state: Any
    parts: list[PartRecord]
    state_note: str
    withheld: bool
    dictionary: dict[str, Any]
    unfetched: str
    """Why messages or the dictionary are not told though there may be some."""
    current_stacktrace: list[FrameRecord]


class StatsRecord(Record, frozen=True):
    """The figures of a whole node, and its constants. Null is what a node of that kind does not tell."""

    name: str
    time: float
    started_at: float
    os_pid: int
    process_count: int
    greenlet_count: int
    supervisor_count: int
    run_queue: int
    messages: int | None
    reductions: int
    spawned: int | None
    exited: int | None
    crashed: int | None
    restarted: int
    rss: int
    cpu_time: float | None
    hub_lag: float | None
    hub_busy_with: str | None
    hub_busy_at: str | None
    timers: int | None
    names: int
    remains: int | None
    events_dropped: int
    last_event: int
    lint_count: int | None
    read_only: bool
    scope: str | None
    untold: list[str]
    runtime_version: str
    python_version: str
    gevent_version: str
    command: str
    settings: dict[str, str]


class RelatedRecord(Record, frozen=True):
    """A process, by its pid and by what it is called."""

    pid: str
    name: str


class PlanRecord(Record, frozen=True):
    """What a kill would do: who would end, who would come back, which supervisors would give up."""

    sentence: str
    kills: list[RelatedRecord]
    restarts: list[RelatedRecord]
    gives_up: list[RelatedRecord]
    assumes: list[str]
    """What is taken for granted, a sentence each."""


class KillRecord(Record, frozen=True):
    """An exit signal and what came of it; with `killed` false and no `happened`, only a plan."""

    pid: str
    killed: bool
    """Whether the process has ended."""
    restarted_as: str | None
    seconds: float | None
    """From the signal to the restart, or else to the end."""
    reason: str | None
    gave_up: list[str]
    program_ended: bool
    """Whether the whole program has ended of it, or is about to."""
    plan: PlanRecord | None
    happened: str | None
    event: int | None


class DoneRecord(Record, frozen=True):
    """A command that was carried out; `value` is the reply of a call."""

    pid: str
    sentence: str
    value: Any
    event: int | None


class VictimRecord(Record, frozen=True):
    """A process that chaos killed and that did not come back."""

    pid: str
    place: str
    name: str
    killed_at: float
    why: str


class RecoveryRecord(Record, frozen=True):
    """Seconds from a kill to the restart; null when nothing came back."""

    p50: float | None
    p99: float | None
    worst: float | None


class ChaosRecord(Record, frozen=True):
    """What a run of chaos came to. `short` says why fewer kills were made than were `due`; None: the rate was kept."""

    node: str
    rate: float
    seconds: float
    target: str
    kills: int
    due: int
    short: str | None
    recovered: int
    not_expected: int
    missed: int
    time_to_recovery: RecoveryRecord
    never_came_back: list[VictimRecord]
    gave_up: list[str]
    elapsed: float
    problem: str | None
    passed: bool


class DemoRecord(Record, frozen=True):
    """A demo."""

    name: str
    summary: str


class ConfigRecord(Record, frozen=True):
    """The settings in force, and the file they stand in."""

    path: str
    exists: bool
    settings: dict[str, Any]


class CheckRecord(Record, frozen=True):
    """One thing that ``observer doctor`` looked at. `advice` says what to do where it is not right."""

    name: str
    found: str
    ok: bool
    advice: str


def of_process(row: wire.Row, node: str | None = None) -> ProcessRecord:
    """Return the record of a process, with its node where those of several are listed."""
    return _of_row(ProcessRecord, row, node=node)


def of_busy_process(
    row: wire.Row,
    received: float | None,
    sent: float | None,
    cpu: float | None,
    reductions: float | None,
    node: str | None = None,
) -> TopRecord:
    """Return the record of a process with what it did in an interval."""
    done = {"messages_in_per_second": received, "messages_out_per_second": sent, "cpu": cpu}
    return _of_row(TopRecord, row, **done, reductions_per_second=reductions, node=node)


def _of_row(kind: type[R], row: wire.Row, **more: Any) -> R:
    return msgspec.convert({**msgspec.structs.asdict(row), "type": row.kind, "node": None, **more}, kind)


def of_tree(rows: Iterable[wire.Row]) -> list[PlaceRecord]:
    """Return the roots of the tree whose rows these are, depth first; what has no supervisor is a root too."""
    roots: list[PlaceRecord] = []
    above: list[tuple[int, list[PlaceRecord]]] = [(-1, roots)]
    for row in rows:
        while above[-1][0] >= row.depth:
            above.pop()
        siblings = above[-1][1]
        if row.kind == "group":
            above.append((row.depth, siblings))
            continue
        place = _of_row(PlaceRecord, row, children=[])
        siblings.append(place)
        above.append((row.depth, place.children))
    return roots


def of_event(event: wire.Event, node: str | None = None) -> EventRecord:
    """Return the record of an event, with its stack, and with its node where those of several are listed."""
    values = msgspec.structs.asdict(event)
    return msgspec.convert(
        {
            **values,
            "stacktrace": _frames(event.stacktrace),
            "state": value_of(event.state),
            "last_message": value_of(event.last_message),
            "node": node,
        },
        EventRecord,
    )


def of_details(details: wire.Details) -> DetailsRecord:
    """Return the record of everything about one process."""
    values = msgspec.structs.asdict(details)
    del values["row"]
    for field in ("links", "monitors", "monitored_by", "ancestors"):
        values[field] = [related.pid for related in values[field]]
    for field in ("parent", "waiting_for"):
        values[field] = None if values[field] is None else values[field].pid
    values["messages"] = [value_of(message) for message in details.messages]
    values["parts"] = [PartRecord.of(part) for part in details.parts]
    values["senders"] = [
        SenderRecord(
            rate=sender.rate,
            pid=sender.pid,
            name=sender.name,
            at=None if sender.at is None else FrameRecord.of(sender.at),
        )
        for sender in details.senders
    ]
    values["state"] = value_of(details.state)
    values["dictionary"] = {key: value_of(value) for key, value in details.dictionary.items()}
    values["current_stacktrace"] = _frames(details.current_stacktrace)
    return _of_row(DetailsRecord, details.row, **values)


def of_stats(answer: wire.Stats, welcome: wire.Welcome) -> StatsRecord:
    """Return the record of a node's figures and constants."""
    untold: dict[str, None] = dict.fromkeys(answer.stats.untold)
    values = {**msgspec.structs.asdict(welcome), **msgspec.structs.asdict(answer.stats), **untold}
    return msgspec.convert({**values, "settings": answer.settings}, StatsRecord)


def of_done(pid: str, done: wire.Done) -> DoneRecord:
    """Return the record of a command that was carried out."""
    return DoneRecord(pid=pid, sentence=done.sentence, value=value_of(done.value), event=done.event)


def _frames(frames: Iterable[wire.Frame]) -> list[FrameRecord]:
    return [FrameRecord.of(frame) for frame in frames]


def of_kill(
    pid: str, aftermath: Aftermath, plan: wire.Plan | None, happened: str | None = None, event: int | None = None
) -> KillRecord:
    """Return the record of an exit signal and what came of it, or of what a kill would do."""
    return KillRecord(
        pid=pid,
        killed=aftermath.ended,
        restarted_as=aftermath.restarted_as,
        seconds=aftermath.seconds,
        reason=aftermath.reason,
        gave_up=list(aftermath.gave_up),
        program_ended=aftermath.program_ended,
        plan=None if plan is None else PlanRecord.of(plan),
        happened=happened,
        event=event,
    )
