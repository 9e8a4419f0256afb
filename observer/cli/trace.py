"""The command that follows messages: trace."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options, output
from observer.cli.errors import CommandError, WrongUsageError, say
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.drawing.sequence import Labels
    from observer.node.client import Client
    from observer.node.trace import TraceSession
    from observer.output.slow_calls import SlowCalls

STYLES = {
    "time": "dim",
    "who": "bold",
    "kind": "cyan",
    "what": "",
    "span": "green",
    "trouble": "bold red",
    "at": "dim",
}
"""How each piece of a line is drawn in a terminal."""


class Format(StrEnum):
    """What a trace is printed as."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"


ENDINGS = {
    ".txt": Format.TEXT,
    ".json": Format.JSON,
    ".mmd": Format.MERMAID,
    ".svg": Format.SVG,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}
"""What the ending of a file's name asks for."""


def trace(
    node: options.Node = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            metavar="EXPR",
            help="Which processes: a pid, a name (a supervisor with all below it), or an expression as in --filter of "
            "ps, e.g. 'sup~pool'. Several may be given. All of them without it.",
        ),
    ] = None,
    call: Annotated[
        list[str] | None,
        typer.Option(
            "--call",
            metavar="FUNCTION",
            help="Follow the calls of a function too, e.g. 'shop.orders:Order.price'; without --target, these alone.",
        ),
    ] = None,
    arguments: Annotated[
        bool, typer.Option("--arguments", help="Show the arguments and results of these functions.")
    ] = False,
    duration: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long, e.g. 10s or 5m.")] = "10s",
    limit: Annotated[int, typer.Option("-n", "--limit", metavar="N", help="End after so many events.")] = 1_000,
    rate: Annotated[int, typer.Option("--rate", metavar="N", help="Note at most so many events a second.")] = 1_000,
    format: Annotated[
        Format | None, typer.Option("--format", help="What to print; told by the name of FILE when left out.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file instead.")
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Follow what processes do to each other: messages, calls with their replies and times, births, links and deaths.

    Each line says when, from whom to whom, what, how long it took, and which line of code did it. At the end stands how
    long calls took, by server and request. Ctrl-C ends it early. The node is as before when it is over.
    """
    from observer.cli import lookup
    from observer.node.trace import TraceSession
    from observer.text.quantity import seconds

    wanted = _format(format, file, json)
    try:
        until = seconds(duration)
    except ValueError as error:
        raise WrongUsageError(str(error)) from error
    with lookup.dial(node) as client:
        pids, filter = _targets(client, target or [])
        query = wire.StartTrace(
            pids=pids,
            filter=filter,
            seconds=until,
            limit=limit,
            rate=rate,
            functions=tuple(call or ()),
            arguments=arguments,
        )
        session = TraceSession(client, query)
        _announce(client, session, query)
        printed = _follow(session, client.name, wanted, file)
    if file is not None:
        _write(file, printed)
    elif printed:
        print(printed, end="")


def _format(format: Format | None, file: Path | None, json: bool) -> Format:
    if json and format not in (None, Format.JSON):
        raise WrongUsageError(f"--json and --format {format} contradict each other.")
    if json:
        return Format.JSON
    if format is None and file is not None:
        if file.suffix.casefold() not in ENDINGS:
            raise WrongUsageError(f"{file.name} does not end like {', '.join(ENDINGS)}: say --format.")
        return ENDINGS[file.suffix.casefold()]
    return format or Format.TEXT


def _targets(client: Client, words: list[str]) -> tuple[tuple[str, ...], str]:
    """Return the pids that are named, and one filter for all else."""
    from observer.cli import lookup

    pids, filters = [], []
    for word in words:
        try:
            pids.append(lookup.pid_of(client, word))
        except CommandError:
            filters.append(word)
    for each in filters:
        client.expect(wire.Window, wire.GetProcesses(filter=each, limit=1))  # one that means nothing is refused
    return tuple(pids), filters[0] if len(filters) == 1 else " or ".join(f"({each})" for each in filters)


def _announce(client: Client, session: TraceSession, query: wire.StartTrace) -> None:
    """Say what is followed, on standard error, so that a person who sees nothing knows why."""
    from observer.text.safe_text import safe

    count = session.state.processes
    is_chosen = bool(query.pids or query.filter)
    who = "1 process" if count == 1 else f"{count:,} processes"
    if not is_chosen:
        who = "calls of functions" if query.functions else "all processes"
    later = ", and what else matches later" if is_chosen and not count else ""
    say(f"observer: following {who}{later} of {safe(client.name)} for {query.seconds:g} s ...")


def _follow(session: TraceSession, node: str, wanted: Format, file: Path | None) -> str:
    """Read the trace to its end. Return what is to be printed of it; text for a terminal is printed as it comes."""
    from observer.drawing.sequence import Diagram, Labels
    from observer.output import sequence_files, strict_json, trace_records
    from observer.output.slow_calls import SlowCalls

    slow = SlowCalls()
    labels = Labels()
    kept: list[wire.TraceEvent] = []
    lines: list[str] = []
    for events in _until_interrupted(session):
        slow.add(events)
        if wanted is not Format.TEXT:
            kept += events
        elif file is not None:
            lines += (_plain(event, labels) for event in events)
        else:
            for event in events:
                _show(event, labels)
    state, found = session.state, slow.records()
    _tell_end(state)
    match wanted:
        case Format.TEXT:
            if file is None:
                _show_slow(slow)
            return "".join(f"{line}\n" for line in lines)
        case Format.JSON:
            return strict_json.encode(trace_records.of_trace(node, kept, state, found), 2) + "\n"
        case Format.MERMAID:
            return sequence_files.mermaid(Diagram(kept))
        case Format.SVG:
            return sequence_files.svg(Diagram(kept))
    return sequence_files.html(Diagram(kept), node, _ending(state), found)


def _until_interrupted(session: TraceSession) -> Iterable[tuple[wire.TraceEvent, ...]]:
    try:
        yield from session.events()
    except KeyboardInterrupt:
        session.stop()
        yield from session.events()


def _show(event: wire.TraceEvent, labels: Labels) -> None:
    from rich.text import Text

    from observer.drawing.trace_line import spans

    output.show(Text.assemble(*((text, STYLES[kind]) for text, kind in spans(event, labels)), overflow="fold"))


def _plain(event: wire.TraceEvent, labels: Labels) -> str:
    from observer.drawing.trace_line import spans

    return "".join(text for text, _ in spans(event, labels))


def _show_slow(slow: SlowCalls) -> None:
    from observer.output.slow_calls import table

    if found := slow.records():
        print()
        output.show(table(found))


def _ending(state: wire.TraceState) -> str:
    lost = []
    if state.dropped:
        lost.append(f"{state.dropped:,} events more came than the rate allows, and were dropped.")
    if state.unread:
        lost.append(f"{state.unread:,} events were lost, since they were not read in time.")
    return " ".join([f"{state.noted:,} events.", state.ending, *lost])


def _tell_end(state: wire.TraceState) -> None:
    sys.stdout.flush()
    say(f"observer: {_ending(state)}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
