"""The commands that look closer: top, info, events, diagnose."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options, output
from observer.cli.errors import WrongUsageError, say
from observer.cli.listing import SortBy, sort_of
from observer.text.safe_text import safe
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.node.client import Client
    from observer.node.discovery import Found

COUNTERS = ("messages_in", "messages_out", "reductions", "cpu_time")
"""Figures that `top` counts over an interval. Mailboxes and memory are shown as they are."""

MOST_EVENTS = 100_000
"""How many events can be asked for at once: more than a node remembers."""

MANY_WAIT = 10
"""Messages that wait in a mailbox whose senders are asked for: of a shorter one, the node samples none."""

SAMPLE = 0.3
"""Seconds that the node takes for a sample of senders."""

NEXT_LOOK_WITHIN = 30.0
"""Seconds that the next look at a BEAM node may take to come."""

FOLLOW_EVERY = 0.25
"""Seconds between two questions for new events."""


def top(
    node: options.NodeOrProgram = None,
    sort: SortBy = "messages_in",
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="NUMBER", min=1, max=wire.MAX_ROWS, help="Print so many.")
    ] = 20,
    interval: Annotated[
        float, options.time_option("--interval", "-i", least=0.1, most=60, default="1s", help="Measure for so long.")
    ] = 1.0,
    total: Annotated[bool, typer.Option("--total", help="Sort counters by their total, not by the interval.")] = False,
    filter: options.Filter = "",
    cluster: options.Cluster = False,
    json: options.AsJson = False,
) -> None:
    """Print the busiest processes of a node, or of all nodes of its cluster, by what they did in an interval.

    The name of a program stands for all its workers.
    """
    from observer.cli import workers
    from observer.output import records, tables
    from runtime.introspection.moment.sorting import order_of

    column = sort_of(sort)
    first = wire.GetProcesses(sort=column, filter=filter, limit=wire.MAX_ROWS)
    with workers.dialled(node, cluster) as (clients, several):
        before = workers.answers(clients, lambda client: client.expect(wire.Window, first))
        if column == "messages_in" and all("messages" in window.stats.untold for _, window in before):
            column = "reductions"  # a BEAM node counts no messages
        delta = not total and column in COUNTERS
        second = wire.GetProcesses(sort=column, delta=delta, filter=filter, limit=limit)
        time.sleep(interval)
        looks = {client: window.stats.time for client, window in before}
        after = workers.answers([*looks], lambda client: _later(client, second, looks[client]))
    then = {client: {row.key: row for row in client.with_their_nodes(window.rows)[1]} for client, window in before}
    earlier, present = dict(before), {client: window.stats.time for client, window in after}
    orders = {client: order_of(second, then[client]) for client in present}
    listed = workers.merged(
        [(client, window.rows) for client, window in after],
        lambda client, row: orders[client](row),
        True,
        limit,
        several,
    )
    busy = []
    for each in listed:
        now = present[each.client]
        seconds = now - earlier[each.client].stats.time
        busy.append((each.row, tables.gained(each.row, then[each.client].get(each.row.key), seconds, now)))
    if not json:
        return output.show(tables.busiest(busy, max(present.values()), workers.nodes_of(listed)))
    nodes = [each.node for each in listed]
    return output.show_json(
        [records.of_busy_process(row, *gain, of) for (row, gain), of in zip(busy, nodes, strict=True)]
    )


def _later(client: Client, query: wire.GetProcesses, than: float) -> wire.Window:
    """Ask a node for its processes as they were later than at a time: a BEAM node is looked at each few seconds."""
    ends = time.monotonic() + NEXT_LOOK_WITHIN
    while (window := client.expect(wire.Window, query)).stats.time <= than and time.monotonic() < ends:
        time.sleep(FOLLOW_EVERY)
    return window


def info(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NODE] [PID]", autocompletion=options.complete_process, show_default=False),
    ] = None,
    messages: Annotated[
        int, typer.Option("--messages", metavar="NUMBER", min=0, max=1000, help="Print so many of its messages.")
    ] = 10,
    state: Annotated[bool, typer.Option("--state", help="Ask a server for its state too.")] = False,
    json: options.AsJson = False,
) -> None:
    """Print everything about one process, or without a PID the figures of the node.

    PID is a pid (<0.17.0> or 0.17.0) or a name that one process has.
    """
    from observer.cli import lookup
    from observer.output import records, tables

    node, pid = _node_and_pid(words or [])
    with lookup.dial(node) as client:
        if pid is None:
            stats = client.expect(wire.Stats, wire.GetStats())
            if json:
                return output.show_json(records.of_stats(stats, client.welcome))
            return output.show(tables.node(stats, client.welcome))
        query = wire.GetProcess(pid=lookup.pid_of(client, pid), messages=messages, state=state)
        until = time.monotonic() + lookup.MEASURE_TIMEOUT
        lookup.measured(client, wire.Details, wire.GetProcess(pid=query.pid, messages=0), until)
        details = client.expect(wire.Details, query)
        while details.row.message_queue_len >= MANY_WAIT and not details.senders and time.monotonic() < until:
            time.sleep(SAMPLE)  # the node samples who sends only while it is asked
            details = client.expect(wire.Details, query)
        present = lookup.now(client)
    if json:
        return output.show_json(records.of_details(details))
    return output.show(tables.details(details, present))


def _node_and_pid(words: list[str]) -> tuple[str | None, str | None]:
    """Tell a node from a process: one word that is a running node's name means the node."""
    from observer.cli import lookup

    match words:
        case []:
            return None, None
        case [word] if not lookup.is_pid(word) and lookup.exists(word):
            return word, None
        case [word]:
            lookup.refuse_unknown(word)
            return None, word
        case [node, pid]:
            return node, pid
    raise WrongUsageError("Say [NODE] [PID]: a node for its figures, a pid for everything about one process.")


def events(
    node: options.NodeOrProgram = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with new events, one a line.")] = False,
    limit: Annotated[
        int,
        typer.Option("-n", "--limit", metavar="NUMBER", min=0, max=MOST_EVENTS, help="Print so many at most."),
    ] = 200,
    pid: Annotated[str | None, typer.Option("--pid", metavar="PID", help="Print those of one process.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Print this kind, e.g. exit; may be repeated."),
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Print what happened in a node: exits with their reasons, restarts, supervisors giving up, kills.

    NODE may have ended: its last events are kept. With --follow, it goes on with the node that takes its place. The
    name of a program stands for all its workers, with --follow also for those that are started later.
    """
    from observer.cli import lookup, past, workers

    def wanted(event: wire.Event) -> bool:
        return not kind or event.kind in kind

    _check_kinds(kind or [])
    several = workers.named(node)
    if several:
        if pid is not None:
            names = ", ".join(safe(each.name) for each in several)
            raise WrongUsageError(f"--pid names a process of one worker: say which one ({names}).")
        most = MOST_EVENTS if kind else limit
        return _events_of_workers(several, wanted, most, limit, follow, as_json=json)
    try:
        client = past.dial(node)
    except past.EndedError as ended:
        if follow:
            raise WrongUsageError(f"{ended} Nothing more will happen in it: leave --follow out.") from None
        say(f"observer: {ended} These are its last events.")
        about = filter(wanted, past.about(ended.kept.events(), pid))
        return _show_events(deque(about, maxlen=limit), as_list=json, as_lines=False)
    with contextlib.closing(past.Following(client)) as node_of:
        of = None if pid is None else lookup.pid_of(client, pid)
        # The node knows no kinds: the latest of one are found here, among all that it remembers.
        batch = client.expect(wire.Events, wire.GetEvents(after=-1, limit=MOST_EVENTS if kind else limit, pid=of))
        told: Iterable[wire.Event] = deque(filter(wanted, batch.events), maxlen=limit)
        last = batch.last
        while True:
            _show_events(told, as_list=json and not follow, as_lines=json)
            if not follow:
                return None
            if len(batch.events) == 0:
                time.sleep(FOLLOW_EVERY)
            batch, replaced = node_of.events(last, of)
            last = _next(batch, 0 if replaced else last, everything=of is None)
            told = filter(wanted, batch.events)


def _events_of_workers(
    found: Sequence[Found], wanted: Callable[[wire.Event], bool], most: int, limit: int, follow: bool, as_json: bool
) -> None:
    """Print the events of all workers of a program in one list, and with `follow` go on.

    At first each worker is asked for the last `most`, and so many as `limit` says are printed.
    """
    from observer.cli import workers
    from observer.output import records, tables

    with contextlib.closing(workers.Following(found)) as following:
        told = deque((each for each in following.past(most) if wanted(each.event)), maxlen=limit)
        if as_json and not follow:
            return output.show_json([records.of_event(each.event, each.node) for each in told])
        while True:
            for each in told:
                if as_json:
                    output.show_json(records.of_event(each.event, each.node), indent=None)
                else:
                    output.show(tables.event(each.event, each.node))
            if not follow:
                return None
            new = following.new()
            if not new:
                time.sleep(FOLLOW_EVERY)
            told = deque(each for each in new if wanted(each.event))


def _show_events(events: Iterable[wire.Event], as_list: bool, as_lines: bool) -> None:
    from observer.output import records, tables

    if as_list:
        return output.show_json([records.of_event(event) for event in events])
    for event in events:
        if as_lines:
            output.show_json(records.of_event(event), indent=None)
        else:
            output.show(tables.event(event))
    return None


def _next(batch: wire.Events, last: int, everything: bool) -> int:
    """Return the id after which to ask next, and say when events were lost in between."""
    if not batch.events:
        return last
    if everything and batch.events[0].id > last + 1:
        say(f"observer: {batch.events[0].id - last - 1} events were lost: the node's log holds only so many.")
    return batch.events[-1].id


def _check_kinds(kinds: list[str]) -> None:
    from typing import get_args, get_type_hints

    allowed = get_args(get_type_hints(wire.Event)["kind"])
    for each in kinds:
        if each not in allowed:
            raise WrongUsageError(f"There is no kind of event {each!r}. Choose from: {', '.join(allowed)}.")


LOOK_EVERY = 0.5
"""Seconds between two looks of `diagnose`."""


def diagnose(
    node: options.NodeOrProgram = None,
    seconds: Annotated[float, options.time_option("--for", most=3_600, default="4.5s", help="Look for so long.")] = 4.5,
    json: options.AsJson = False,
) -> None:
    """Print what looks wrong in a node, or in all workers of a program. Exits with 1 when anything does.

    Some faults show only over time, such as a mailbox that keeps growing, so it looks four times, a second apart.
    """
    from observer.cli import lookup, workers
    from observer.output import lint_records, tables

    seen: dict[tuple[str, str, tuple[str, ...]], wire.Lint] = {}
    until = time.monotonic() + seconds
    with workers.dialled(node) as (clients, several):
        has_failed = any(map(lookup.has_failed, clients))
        if clients[0].is_recorded:
            until = time.monotonic()
            say(f"observer: {lookup.told(clients[0])}")
        while True:
            answers = workers.answers(clients, lambda client: client.expect(wire.Lints, wire.GetLints()))
            seen |= {(client.name, lint.kind, lint.pids): lint for client, answer in answers for lint in answer.lints}
            clients = [client for client, _ in answers]
            if time.monotonic() >= until:
                break
            time.sleep(LOOK_EVERY)
    found = sorted(seen.items(), key=lambda each: -each[1].weight)
    if json:
        output.show_json([lint_records.of_lint(lint, name) for (name, _, _), lint in found])
    elif found:
        nodes = [name for (name, _, _), _ in found] if several else None
        output.show(tables.lints([lint for _, lint in found], nodes))
    else:
        print("Nothing else looked wrong when it ended." if has_failed else "Nothing looks wrong.")
    if found or has_failed:
        raise typer.Exit(1)
