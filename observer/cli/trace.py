"""The command that follows messages: trace."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options, output
from observer.cli.errors import CommandError, WrongUsageError, say
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.drawing.sequence import Labels
    from observer.node.client import Client
    from observer.node.source import NodeLostError
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
    duration: Annotated[float, options.time_option("--for", default="10s", help="Follow for so long.")] = 10.0,
    limit: Annotated[int, typer.Option("-n", "--limit", metavar="N", help="End after so many events.")] = 1_000,
    rate: Annotated[int, typer.Option("--rate", metavar="N", help="Note at most so many events a second.")] = 1_000,
    format: Annotated[
        Format | None, typer.Option("--format", help="What to print; the name of FILE decides when left out.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file instead.")
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Follow what processes do to each other: messages, calls with their replies and times, births, links and deaths.

    Each line says when, from whom to whom, what, how long it took, and which line of code did it. At the end it says
    how long calls took, by server and request. Ctrl-C ends it early. When it is over, the node is as it was before.
    """
    from observer.cli import lookup
    from observer.node.trace import TraceSession

    wanted = _format(format, file, json)
    with lookup.dial(node) as client:
        pids, filter = _targets(client, target or [])
        query = wire.StartTrace(
            pids=pids,
            filter=filter,
            seconds=duration,
            limit=limit,
            rate=rate,
            functions=tuple(call or ()),
            arguments=arguments,
        )
        session = TraceSession(client, query)
        if file is not None:
            _write(file, None)  # now, and not only when all is noted
        _announce(client, session, query)
        _tell(*_follow(session, client.name, wanted, file), file)


def _tell(text: str, lost: NodeLostError | None, file: Path | None) -> None:
    """Write or print what was noted, and only then raise that the node was lost."""
    if file is not None:
        _write(file, text)
    elif text:
        print(text, end="")
    if lost is not None:
        raise lost


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
    later = ", and what matches later," if is_chosen and not count else ""
    say(f"observer: following {who} of {safe(client.name)}{later} for {query.seconds:g} s ...")


def _follow(session: TraceSession, node: str, wanted: Format, file: Path | None) -> tuple[str, NodeLostError | None]:
    """Read the trace to its end. Return what is to be printed of it; text for a terminal is printed as it comes.

    What a node has told before it was lost is worth most of all, so the loss is returned beside it.
    """
    from observer.drawing.sequence import Labels
    from observer.node.source import NodeLostError
    from observer.output.slow_calls import SlowCalls

    slow = SlowCalls()
    labels = Labels()
    kept: list[wire.TraceEvent] = []
    lines: list[str] = []
    lost = None
    try:
        for events in _until_interrupted(session):
            slow.add(events)
            if wanted is not Format.TEXT:
                kept += events
            elif file is not None:
                lines += (_plain(event, labels) for event in events)
            else:
                for event in events:
                    _show(event, labels)
    except NodeLostError as error:
        lost = error
        session.end("The node was lost.")
    _tell_end(session.state)
    if wanted is not Format.TEXT:
        return _written(wanted, kept, session.state, node, slow), lost
    if file is None:
        _show_slow(slow)
    return "".join(f"{line}\n" for line in lines), lost


def _written(wanted: Format, events: list[wire.TraceEvent], state: wire.TraceState, node: str, slow: SlowCalls) -> str:
    from observer.drawing.sequence import Diagram
    from observer.output import sequence_files, strict_json, trace_records

    found = slow.records()
    match wanted:
        case Format.JSON:
            return strict_json.encode(trace_records.of_trace(node, events, state, found), 2) + "\n"
        case Format.MERMAID:
            return sequence_files.mermaid(Diagram(events))
        case Format.SVG:
            return sequence_files.svg(Diagram(events))
    return sequence_files.html(Diagram(events), node, _ending(state), found)


def _until_interrupted(session: TraceSession) -> Iterator[tuple[wire.TraceEvent, ...]]:
    """Yield what is noted. Ctrl-C ends the trace between two questions: within one, its answer would be lost."""
    with _interrupts() as wanted:
        is_stopped = False
        for events in session.events():
            yield events
            if wanted() and not is_stopped:
                is_stopped = True
                session.stop()


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether ctrl-C was pressed. A second ctrl-C raises KeyboardInterrupt, as usual."""
    struck: list[bool] = []

    def strike(number: int, frame: FrameType | None) -> None:
        if struck:
            raise KeyboardInterrupt
        struck.append(True)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, strike)
    try:
        yield lambda: bool(struck)
    finally:
        signal.signal(signal.SIGINT, before)


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


def _write(file: Path, text: str | None) -> None:
    """Write the file; without a text, make sure that it can be written."""
    from observer.output import private_file

    try:
        if text is None:
            private_file.prepare(file)
        else:
            private_file.write(file, text)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
