"""What is shown, as a file: text, DOT, Mermaid, CSV or JSON. Rows in, text out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from observer.output import strict_json
from observer.output.records import of_process
from observer.text import units
from observer.text.guides import guides
from observer.text.safe_text import safe
from runtime.introspection.wire import Row

FIELDS = (
    "pid",
    "name",
    "kind",
    "status",
    "message_queue_len",
    "messages_in",
    "messages_out",
    "memory",
    "restarts",
    "strategy",
    "supervisor",
    "started_at",
    "key",
)
"""The columns of a CSV file."""


@dataclass(frozen=True)
class Format:
    """A kind of file: how a person calls it, how its name ends, and how rows become its text."""

    title: str
    ending: str
    write: Callable[[Sequence[Row]], str]


def text(rows: Sequence[Row]) -> str:
    """Write the tree as lines, with pids, mailboxes and restarts."""
    lines = []
    for row, guide in zip(rows, guides([row.depth for row in rows], more=False), strict=True):
        parts = [f"{guide}{' ' if guide else ''}{safe(row.name)}", row.pid or f"({_instead(row)})"]
        parts += [row.strategy] if row.strategy else []
        parts += [f"mailbox {row.message_queue_len:,}"] if row.message_queue_len else []
        parts += [f"restarts {row.restarts:,}"] if row.restarts else []
        parts += [units.size(row.memory)] if row.memory is not None else []
        lines.append("  ".join(parts))
    return "\n".join(lines) + "\n"


def dot(rows: Sequence[Row]) -> str:
    """Write the tree as a graph for Graphviz: supervisors as boxes, what is not running with dashed lines."""
    lines = ["digraph processes {", "  rankdir=LR;", '  node [fontname="monospace"];']
    for row in rows:
        shape = "box" if row.is_parent else "ellipse"
        style = ', style="dashed"' if row.pid is None and not row.is_parent else ""
        label = '"' + "\\n".join(map(_escaped, _label(row))) + '"'
        lines.append(f"  {_quoted(row.key)} [label={label}, shape={shape}{style}];")
    keys = {row.key for row in rows}
    lines += [f"  {_quoted(row.parent_key)} -> {_quoted(row.key)};" for row in rows if row.parent_key in keys]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(rows: Sequence[Row]) -> str:
    """Write the tree as a Mermaid flow chart."""
    numbers = {row.key: f"n{number}" for number, row in enumerate(rows)}
    lines = ["flowchart LR"]
    for row in rows:
        label = "<br/>".join(part.translate(_ENTITIES) for part in _label(row))
        opening, closing = ("[", "]") if row.is_parent else ("([", "])")
        lines.append(f'  {numbers[row.key]}{opening}"{label}"{closing}')
    lines += [f"  {numbers[row.parent_key]} --> {numbers[row.key]}" for row in rows if row.parent_key in numbers]
    return "\n".join(lines) + "\n"


def table(rows: Sequence[Row]) -> str:
    """Write the rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for row in rows:
        values = (getattr(row, field) for field in FIELDS)
        writer.writerow(["" if value is None else value for value in values])
    return out.getvalue()


def records(rows: Sequence[Row]) -> str:
    """Write the rows as JSON, with `process_info`'s keys, as the command does."""
    return strict_json.encode([of_process(row) for row in rows]) + "\n"


FORMATS = (
    Format("Tree as text", "txt", text),
    Format("Tree as a DOT graph", "dot", dot),
    Format("Tree as a Mermaid chart", "mmd", mermaid),
    Format("Table as CSV", "csv", table),
    Format("Table as JSON", "json", records),
)
"""All formats of rows."""


_ENTITIES = str.maketrans({"#": "#35;", "<": "#lt;", ">": "#gt;", '"': "#quot;", "`": "#96;"})
"""Characters that would mean something else in a label of a Mermaid chart."""


def _label(row: Row) -> tuple[str, str]:
    return safe(row.name), row.pid or _instead(row)


def _instead(row: Row) -> str:
    """Return what stands where a pid would: how many rows a group stands for, or how a child is that has no process."""
    return str(row.child_count) if row.kind == "group" else row.status


def _quoted(name: str | None) -> str:
    return f'"{_escaped(name or "")}"'


def _escaped(text: str) -> str:
    return safe(text).replace("\\", "\\\\").replace('"', '\\"')
