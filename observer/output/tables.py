"""What the commands print for people, with rich. Every text of the node's is made safe first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from observer.drawing import event_line
from observer.drawing.activity import activity
from observer.drawing.columns import group_text, status_of
from observer.drawing.process_facts import unanswered_text
from observer.node.programs import RunningProgram
from observer.output.long_table import LongTable
from observer.output.records import CheckRecord
from observer.text import units
from observer.text.budget import budget, is_spent
from observer.text.parts import part_text
from observer.text.safe_text import safe
from runtime.introspection import wire

STATUS_STYLES = {
    "running": "green",
    "runnable": "green",
    "waiting": "dim",
    "suspended": "yellow",
    "exiting": "red",
    "starting": "yellow",
    "restarting": "yellow",
    "stopped": "dim",
}
"""A colour for each status; the signs are the dashboard's."""

EVENT_STYLES = {
    "restart": "yellow",
    "restart_failed": "red",
    "gave_up": "bold red",
    "stall": "yellow",
    "kill": "magenta",
}

MOST_DRAWN = 1_000
"""Rows of a table that rich draws, at two milliseconds each. A longer one is written without colours."""

WEIGHTS = {1: ("note", "cyan"), 2: ("warning", "yellow"), 3: ("trouble", "bold red")}


def nodes(programs: Iterable[RunningProgram], now: float) -> RenderableType:
    """Draw the nodes that answered. Those of one program stand together, below the process that has started them."""
    table = plain_table("NODE", "OS PID", "UP", "PYTHON", "COMMAND", right=("OS PID", "UP"))
    for program in programs:
        indent = ""
        if program.master is not None:
            command = f"not using gevent: {program.master.command}"
            table.add_row(
                Text(safe(program.name), "dim"), str(program.master.os_pid), "", "", Text(safe(command), "dim")
            )
            indent = "  "
        for each in program.nodes:
            welcome = each.welcome
            if welcome is not None:
                table.add_row(
                    Text(indent + safe(each.name), "bold"),
                    str(welcome.os_pid),
                    units.duration(now - welcome.started_at),
                    safe(welcome.python_version),
                    Text(("" if welcome.uses_gevent else "not using gevent: ") + safe(welcome.command)),
                )
    return table


def tree(node: str, rows: Iterable[wire.Row], now: float) -> RenderableType:
    """Draw the tree whose rows these are, depth first."""
    root = Tree(Text(safe(node), "bold"), guide_style="dim")
    above: list[tuple[int, Tree]] = [(-1, root)]
    for row in rows:
        while above[-1][0] >= row.depth:
            above.pop()
        above.append((row.depth, above[-1][1].add(_place(row, now))))
    return root


def _place(row: wire.Row, now: float) -> Text:
    if row.kind == "group":
        return Text(safe(group_text(row)), "italic")
    name = Text(safe(row.name or row.child_id or "?"), "bold cyan" if row.kind == "supervisor" else "")
    parts = [(f" {status_of(row)[0]} ", STATUS_STYLES[row.status]), (row.pid or row.status, "dim")]
    if row.machine_state is not None:
        parts.append((f"  {safe(row.machine_state)}", "dim"))
    if row.kind == "supervisor":
        parts.append((f"  {row.strategy or ''}", "dim"))
        if row.max_restarts is not None:
            text = budget(row.restarts_used, row.max_restarts, row.max_seconds)
            parts.append((f"  {text}", "red" if is_spent(row.restarts_used, row.max_restarts) else "dim"))
        if row.folded:
            parts.append((f"  {units.many(row.child_count, 'child', 'children')}", "dim"))
    if row.restarts:
        parts.append((f"  ↻{row.restarts}", "yellow"))
    if row.message_queue_len:
        parts.append((f"  {units.count(row.message_queue_len)} in mailbox", ""))
    if row.started_at is not None:
        parts.append((f"  up {units.duration(now - row.started_at)}", "dim"))
    if row.kind == "greenlet" and (doing := _activity(row, now)):
        parts.append((f"  {doing}", ""))
    parts.extend((f"  !{safe(lint)}", "red") for lint in row.lints)
    return name.append_text(Text.assemble(*parts))


def processes(rows: Sequence[wire.Row], now: float, nodes: Sequence[str] | None = None) -> RenderableType:
    """Draw a list of processes. `nodes` are their nodes, where they are of several."""
    wanted = ("PID", "NAME", "STATUS", "MAILBOX", "IN", "OUT", "MEMORY", "RESTARTS", "UP", "AT", "CALL")
    return _of_processes(wanted, [_process(row, now) for row in rows], rows, nodes)


_FIGURES = ("MAILBOX", "IN", "OUT", "MEMORY", "RESTARTS", "UP", "IN/S", "OUT/S", "CPU", "REDS/S")

_NOT_OF_A_BEAM = ("IN", "OUT", "UP", "IN/S", "OUT/S", "CPU")
"""Columns of what a BEAM node tells of no process."""

_OF_A_BEAM = ("REDS/S",)
"""Columns for what tells the busy processes of a BEAM node from the others."""

_OF_PROCESSES = ("MAILBOX", "IN", "OUT", "MEMORY", "RESTARTS", "IN/S", "OUT/S")
"""Columns that have no value for a greenlet."""


def _named(row: wire.Row) -> Text:
    name = Text(safe(row.name), "bold cyan" if row.kind == "supervisor" else "bold")
    return name if row.machine_state is None else name.append(f" {safe(row.machine_state)}", "not bold dim")


def _of_processes(
    wanted: Sequence[str],
    cells: Sequence[dict[str, RenderableType]],
    rows: Sequence[wire.Row],
    nodes: Sequence[str] | None,
) -> RenderableType:
    """Draw a table of processes without the columns that have a value in no row."""
    if nodes is not None:
        wanted = ("NODE", *wanted)
        cells = [{**values, "NODE": Text(safe(name))} for values, name in zip(cells, nodes, strict=True)]
    bare = bool(rows) and all(row.kind == "greenlet" for row in rows)
    uncounted = bool(rows) and all(row.messages_in is None for row in rows)
    left_out = (_OF_PROCESSES if bare else ()) + (_NOT_OF_A_BEAM if uncounted else _OF_A_BEAM)
    shown = [column for column in wanted if column not in left_out]
    table = plain_table(*shown, right=_FIGURES) if len(rows) <= MOST_DRAWN else LongTable(shown, _FIGURES)
    for row, values in zip(rows, cells, strict=True):
        blank = _OF_PROCESSES if row.kind == "greenlet" else ()
        table.add_row(*("" if column in blank else values[column] for column in shown))
    return table


def _process(row: wire.Row, now: float) -> dict[str, RenderableType]:
    return {
        "PID": row.pid or "-",
        "NAME": _named(row),
        "STATUS": Text(" ".join(status_of(row)[:2]), STATUS_STYLES[row.status]),
        "MAILBOX": units.count(row.message_queue_len),
        "IN": units.count(row.messages_in),
        "OUT": units.count(row.messages_out),
        "MEMORY": units.size(row.memory),
        "RESTARTS": units.count(row.restarts),
        "UP": units.duration(None if row.started_at is None else now - row.started_at),
        "AT": Text(_activity(row, now)),
        "CALL": Text(safe(row.initial_call), "dim"),
    }


def _activity(row: wire.Row, now: float) -> str:
    return "".join(text for text, _ in activity(row, now))


def busiest(rows: Sequence[tuple[wire.Row, Gain]], now: float, nodes: Sequence[str] | None = None) -> RenderableType:
    """Draw processes with what each did in an interval. `nodes` are their nodes, where they are of several."""
    cells = []
    for row, gain in rows:
        figures = {
            "IN/S": units.rate(gain.received),
            "OUT/S": units.rate(gain.sent),
            "CPU": units.percent(gain.cpu),
            "REDS/S": units.rate(gain.reductions),
        }
        cells.append({**_process(row, now), **figures})
    wanted = ("PID", "NAME", "STATUS", "MAILBOX", "IN/S", "OUT/S", "CPU", "REDS/S", "MEMORY", "AT")
    return _of_processes(wanted, cells, [row for row, _ in rows], nodes)


class Gain(NamedTuple):
    """What a process did in an interval: messages received and sent a second, its share of a core, and reductions.

    None where that is not known.
    """

    received: float | None
    sent: float | None
    cpu: float | None
    reductions: float | None


def gained(row: wire.Row, before: wire.Row | None, seconds: float, now: float) -> Gain:
    """Return what a process did in the last `seconds`: `before` is how its row was then, None when it was not there.

    A node that begins to measure processor time with the first question has seen none until then. What was started
    since then has gained all that it has.
    """
    if before is None and row.started_at is not None and row.started_at > now - seconds:
        before = wire.Row(key=row.key, pid=row.pid)
    if before is None or before.pid != row.pid or seconds <= 0:
        return Gain(None, None, None, None)
    cpu = None if row.cpu_time is None else (row.cpu_time - (before.cpu_time or 0.0)) / seconds
    reductions = (row.reductions - before.reductions) / seconds
    if row.messages_in is None or row.messages_out is None:
        return Gain(None, None, cpu, reductions)
    received = (row.messages_in - (before.messages_in or 0)) / seconds
    return Gain(received, (row.messages_out - (before.messages_out or 0)) / seconds, cpu, reductions)


def details(answer: wire.Details, now: float) -> RenderableType:
    """Draw everything about one process."""
    row = answer.row
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()

    def fact(name: str, value: object) -> None:
        if value not in (None, "", ()):
            facts.add_row(name, Text(safe(str(value))))

    fact("pid", row.pid)
    fact("registered name", row.registered_name)
    fact("label", row.label)
    fact("initial call", row.initial_call)
    fact("status", status_of(row)[1])
    fact("machine state", row.machine_state)
    fact("at", _activity(row, now))
    fact("waits for", answer.waiting_for and _related([answer.waiting_for]))
    if row.kind != "greenlet":
        fact("mailbox", f"{row.message_queue_len} message{'' if row.message_queue_len == 1 else 's'}")
        fact("unanswered", unanswered_text(answer) if answer.unanswered else None)
        fact("messages", None if row.messages_in is None else f"{row.messages_in} in, {row.messages_out} out")
    age = "" if row.memory_age is None else f", estimated {units.duration(row.memory_age)} ago"
    fact("memory", None if row.memory is None else f"{row.memory} bytes{age}")
    fact("up", None if row.started_at is None else units.duration(now - row.started_at))
    fact("processor time", None if row.cpu_time is None else f"{row.cpu_time:.3f} s seen")
    fact("restarts", None if row.kind == "greenlet" else row.restarts)
    child = ", ".join(filter(None, (row.child_id and f"child {row.child_id}", row.restart)))
    fact("supervisor", row.supervisor and f"{row.supervisor} ({child})" if child else row.supervisor)
    if row.strategy is not None:
        known = row.max_restarts is not None
        left = budget(row.restarts_used, row.max_restarts, row.max_seconds) if known else None
        fact("strategy", ", ".join(filter(None, (row.strategy, left))))
    fact("ancestors", _related(answer.ancestors))
    fact("parent", answer.parent and _related([answer.parent]))
    fact("links", _related(answer.links))
    fact("monitors", _related(answer.monitors))
    fact("monitored by", _related(answer.monitored_by))
    if row.kind != "greenlet":
        fact("traps exits", "yes" if answer.trap_exit else "no")
        fact("priority", answer.priority)
    fact("max heap size", answer.max_heap_size and f"{answer.max_heap_size} bytes")
    fact("lints", ", ".join(row.lints))
    parts: list[RenderableType] = [facts]
    parts += _section("Mailbox", answer.messages)
    parts += _section("Not fetched", [answer.unfetched] if answer.unfetched else ())
    parts += _section("Sent by", [_sender(sender) for sender in answer.senders])
    parts += _section("Large in the state", [part_text(part) for part in answer.parts])
    parts += _section("State", [answer.state] if answer.state is not None else [answer.state_note])
    parts += _section("Dictionary", [f"{key}: {value}" for key, value in answer.dictionary.items()])
    parts += _section("Stack, innermost last", [_frame(frame) for frame in answer.current_stacktrace])
    return Group(*parts)


def _section(title: str, texts: Sequence[str]) -> list[RenderableType]:
    lines = [text for text in texts if text]
    if not lines:
        return []
    return [Text(f"\n{title}", "bold"), *(Text(f"  {safe(line)}") for line in lines)]


def _related(others: Iterable[wire.Related]) -> str:
    return ", ".join(f"{other.name} {other.pid}".strip() for other in others)


def _sender(sender: wire.Sender) -> str:
    place = f"  {_frame(sender.at)}" if sender.at is not None else ""
    return f"{units.rate(sender.rate)}/s  {' '.join(filter(None, (sender.name, sender.pid)))}{place}"


def _frame(frame: wire.Frame) -> str:
    source = f"    {frame.source.strip()}" if frame.source else ""
    return f"{frame.file}:{frame.line} {frame.function}{source}"


def node(answer: wire.Stats, welcome: wire.Welcome) -> RenderableType:
    """Draw a node's figures and constants."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    stats = answer.stats

    def told(name: str, value: object) -> object:
        return None if name in stats.untold else value

    figures = {
        "node": stats.name,
        "command": welcome.command,
        "os pid": stats.os_pid,
        "up": units.duration(stats.time - stats.started_at),
        "runtime": welcome.runtime_version,
        "python": welcome.python_version,
        "gevent": welcome.gevent_version,
        "kernel": welcome.kernel,
        "processes": f"{stats.process_count}, {stats.supervisor_count} of them supervisors",
        "run queue": stats.run_queue,
        "messages": told("messages", stats.messages),
        "crashed": told("crashed", f"{stats.crashed} of {stats.exited} that exited; {stats.restarted} restarted"),
        "memory": units.size(stats.rss),
        "hub lag": told("hub_lag", units.lag(stats.hub_lag)),
        "hub held by": stats.hub_busy_with and f"{stats.hub_busy_with} at {stats.hub_busy_at}",
        "timers": told("timers", stats.timers),
        "names": stats.names,
        "findings": told("lint_count", stats.lint_count),
        **answer.settings,
    }
    for name, value in figures.items():
        if value not in (None, ""):
            facts.add_row(Text(safe(name)), Text(safe(str(value))))
    return facts


def plan(answer: wire.Plan) -> RenderableType:
    """Draw what a kill would do: its sentence, and the processes by what would happen to them."""
    parts: list[RenderableType] = [Text(safe(answer.sentence))]
    parts += _section("Ends", [_related([each]) for each in answer.kills])
    parts += _section("Comes back", [_related([each]) for each in answer.restarts])
    parts += _section("Gives up", [_related([each]) for each in answer.gives_up])
    parts += _section("Takes for granted", [safe(each) for each in answer.assumes])
    return Group(*parts)


def event(each: wire.Event, node: str | None = None) -> Text:
    """Draw an event on one line, behind the name of its node where those of several are listed."""
    style = "red" if each.kind == "exit" and each.crashed else EVENT_STYLES.get(each.kind, "")
    line = Text("".join(text for text, _ in event_line.line(each)), style, no_wrap=True, overflow="fold")
    if node is None:
        return line
    return Text.assemble((safe(node), "dim"), "  ", line, no_wrap=True, overflow="fold")


def lints(found: Sequence[wire.Lint], nodes: Sequence[str] | None = None) -> RenderableType:
    """Draw findings. `nodes` are their nodes, where they are of several."""
    table = plain_table(*(() if nodes is None else ("NODE",)), "WEIGHT", "KIND", "PROCESSES", "FINDING")
    for number, lint in enumerate(found):
        word, style = WEIGHTS.get(lint.weight, (str(lint.weight), ""))
        of = () if nodes is None else (Text(safe(nodes[number])),)
        pids = " ".join(map(safe, lint.pids))
        table.add_row(*of, Text(word, style), safe(lint.kind), pids, Text(safe(lint.sentence)))
    return table


def checks(found: Sequence[CheckRecord]) -> RenderableType:
    """Draw what doctor found: what is not right is marked, with what to do about it below."""
    facts = Table.grid(padding=(0, 2))
    for each in found:
        sign, style = ("✓", "green") if each.ok else ("✗", "bold red")
        facts.add_row(Text(sign, style), Text(safe(each.name), "dim"), Text(safe(each.found), "" if each.ok else style))
        if each.advice:
            facts.add_row("", "", Text(safe(each.advice)))
    return facts


def plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    """Return a table without lines, whose columns named in `right` are figures."""
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table
