"""What a recorded node says to each question: what the node would have said at the moment that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from runtime.introspection import wire
from runtime.introspection.moment import process_window, tree_window
from runtime.introspection.moment.moment import Moment
from runtime.introspection.moment.row_fields import ROW_FIELDS, Subject
from runtime.introspection.reading.expression import FilterError
from runtime.introspection.reading.filter_language import parse

NOT_SEEN = "Not recorded: this process was not looked at from near. What its row says is all that is known of it."

NOT_RECORDED = "Not recorded."

ONLY_LIVE = "Recordings and black boxes do not hold this: only a node that runs can answer it."


def answer(query: wire.Query, moment: Moment, events: Iterable[wire.Event], refusal: str) -> wire.AnyAnswer:
    """Answer a question about a moment, before which `events` happened. `refusal` says why nothing can be done."""
    try:
        return _answer(query, moment, events, refusal)
    except FilterError as error:
        return wire.Failed(why=f"{error}.", kind="bad_request")


def _answer(query: wire.Query, moment: Moment, events: Iterable[wire.Event], refusal: str) -> wire.AnyAnswer:
    match query:
        case wire.GetStats():
            return wire.Stats(stats=moment.stats, settings=dict(moment.settings))
        case wire.GetTree():
            passes = _test(query.filter, moment)
            lines, matched = tree_window.Tree(moment.rows).lines(query, passes)
            return tree_window.window(lines, query, moment, None if passes is None else matched)
        case wire.GetProcesses():
            listed, number = process_window.listed(query, moment, _test(query.filter, moment))
            found = tree_window.window(listed, query, moment, number)
            return msgspec.structs.replace(found, rows=tuple(process_window.flat(row) for row in found.rows))
        case wire.GetPlaces(keys=keys):
            wanted = {*keys[: wire.MAX_ROWS]}
            rows = tuple(row for row in moment.rows if row.key in wanted)
            return wire.Window(rows=rows, offset=0, total=len(rows), stats=moment.stats)
        case wire.GetProcess(pid=pid):
            return _details(pid, query, moment)
        case wire.GetEvents():
            return _events(query, events)
        case wire.GetLints():
            return wire.Lints(lints=tuple(moment.lints))
        case wire.GetNames():
            return _names(query, moment.names)
        case wire.GetMemory() if moment.memory is not None:
            return moment.memory
        case wire.GetMemory() | wire.GetProcessMemory() | wire.GetWaits() | wire.StartTrace() | wire.GetCluster():
            return wire.Failed(why=ONLY_LIVE, kind="unsupported")
    return wire.Failed(why=refusal, kind="read_only")


def _test(text: str, moment: Moment) -> Callable[[wire.Row], bool] | None:
    test = parse(text, ROW_FIELDS)
    if test is None:
        return None
    supervisors = {row.pid: f"{row.name} {row.pid}" for row in moment.rows if row.kind == "supervisor"}

    def passes(row: wire.Row) -> bool:
        details = None if row.pid is None else moment.details.get(row.pid)
        links = 0 if details is None else len(details.links)
        return test(Subject(row, moment.time, supervisors.get(row.supervisor, "") if row.supervisor else "", links))

    return passes


def _details(pid: str, query: wire.GetProcess, moment: Moment) -> wire.Details | wire.Failed:
    row, details = moment.row(pid), moment.details.get(pid)
    if row is None:
        return wire.Failed(why=f"There was no process {pid} at that time.", kind="noproc")
    if details is None:
        return wire.Details(row=row, state_note=NOT_SEEN)
    note = details.state_note or ("" if details.state is not None else NOT_RECORDED)
    messages = details.messages[: max(0, query.messages)]
    return msgspec.structs.replace(details, row=row, state_note=note, messages=messages)


def _events(query: wire.GetEvents, events: Iterable[wire.Event]) -> wire.Events:
    everything = [*events]
    last = everything[-1].id if everything else 0
    about = [
        event
        for event in everything
        if (query.pid is None or query.pid in (event.pid, event.old_pid))
        and (query.key is None or event.key == query.key)
    ]
    limit = max(0, query.limit)
    if query.after < 0:
        found = about[-limit:] if limit else []
    else:
        found = [event for event in about if event.id > query.after][:limit]
    return wire.Events(events=tuple(found), dropped=everything[0].id - 1 if everything else 0, last=last)


def _names(query: wire.GetNames, names: wire.Names | None) -> wire.Names | wire.Failed:
    if names is None:
        return wire.Failed(why=ONLY_LIVE, kind="unsupported")
    wanted, limit = query.filter.casefold(), max(0, query.limit)

    def has(*texts: str | None) -> bool:
        return not wanted or any(text is not None and wanted in text.casefold() for text in texts)

    listed = [each for each in names.names if has(each.name, each.pid, each.registry)]
    timers = [each for each in names.timers if has(each.name, each.dest, each.message)]
    sockets = [each for each in names.sockets if has(each.local, each.remote, each.name, each.pid)]
    return wire.Names(
        names=tuple(listed[:limit]),
        timers=tuple(timers[:limit]),
        sockets=tuple(sockets[:limit]),
        names_total=len(listed) if wanted else names.names_total,
        timers_total=len(timers) if wanted else names.timers_total,
    )
