"""A sequence diagram as a file: Mermaid, SVG, or a page of HTML that needs nothing else.

Names and messages are the program's own and may hold anything, so each is escaped where it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from observer.clock import of_day
from observer.drawing.frames import place
from observer.drawing.sequence import Diagram, Step, span
from observer.output.slow_calls import SlowCallRecord
from observer.text.safe_text import safe

MERMAID = {
    "sync": "->>",
    "async": "-)",
    "reply": "-->>",
    "broken": "--x",
    "relation": "->",
}
"""The arrows of Mermaid."""

_PLAIN = frozenset(" .,'()=+-*/_…")
"""Characters besides letters and digits that mean nothing to Mermaid in a label."""

COLUMN, ROW, TOP, LEFT = 190, 26, 56, 110
"""Pixels from one lifeline to the next, from one step to the next, above the first step, and left of the lifelines."""

WIDEST = 26
"""Characters of a label for each column that it may cover."""

_STYLE = """
svg { font: 12px ui-monospace, Menlo, Consolas, monospace; background: #fff }
.life { stroke: #b8bec8; stroke-dasharray: 3 4 }
.head { fill: #eef1f6; stroke: #8a94a6 }
.name { text-anchor: middle; font-weight: bold; fill: #1d2430 }
.time { fill: #7a8494; font-size: 10px }
.arrow { stroke: #3b5bdb; fill: none }
.reply { stroke: #2b8a3e; stroke-dasharray: 5 3 }
.broken { stroke: #c92a2a; stroke-dasharray: 5 3 }
.relation { stroke: #8a94a6 }
.label { text-anchor: middle; fill: #1d2430 }
.note { fill: #fff8e1; stroke: #e0c46c }
.left { text-anchor: start }
"""


def mermaid(diagram: Diagram) -> str:
    """Write the diagram as Mermaid text."""
    lines = ["sequenceDiagram"]
    lines += [f"  participant p{number} as {_mermaid(name)}" for number, name in enumerate(diagram.lifelines)]
    for step in diagram.steps:
        label = _mermaid(step.label)
        if step.style == "note":
            lines.append(f"  Note over p{step.source}: {label}")
        else:
            lines.append(f"  p{step.source}{MERMAID[step.style]}p{step.target}: {label}")
    return "\n".join(lines) + "\n"


def _mermaid(text: str) -> str:
    """Return a text as Mermaid shows it unchanged: what could mean anything else is written by its number."""
    shown = "".join(
        character if character.isalnum() or character in _PLAIN else f"#{ord(character)};" for character in safe(text)
    )
    # a word that ends a block would end the diagram, and an empty label is an error
    return f"#{ord(shown[0])};{shown[1:]}" if shown.casefold().startswith("end") else shown.strip() or "#32;"


def svg(diagram: Diagram) -> str:
    """Write the diagram as SVG."""
    width = LEFT + COLUMN * max(1, len(diagram.lifelines))
    height = TOP + ROW * (len(diagram.steps) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0 0 L8 4 L0 8 z" fill="context-stroke"/></marker></defs>',
    ]
    for number, name in enumerate(diagram.lifelines):
        x = _x(number)
        parts.append(f'<line class="life" x1="{x}" y1="{TOP - 22}" x2="{x}" y2="{height}"/>')
        parts.append(f'<rect class="head" x="{x - 85}" y="8" width="170" height="26" rx="4"/>')
        parts.append(f'<text class="name" x="{x}" y="25">{_text(name, 24)}</text>')
    for number, step in enumerate(diagram.steps):
        parts += _step(step, TOP + ROW * (number + 1) - 8)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(column: int) -> int:
    return LEFT + COLUMN * column + COLUMN // 2


def _step(step: Step, y: int) -> Iterable[str]:
    event = step.event
    moment = f"{of_day(event.time)}.{int(event.time % 1 * 1000):03d}"
    told = " ".join(part for part in (step.label, "" if event.at is None else f"at {place(event.at)}") if part)
    yield f"<g><title>{_text(told)}</title>"
    yield f'<text class="time" x="8" y="{y}">{moment}</text>'
    source, target = _x(step.source), _x(step.target)
    if step.style == "note":
        room = min(WIDEST, len(step.label) + 2)
        yield f'<rect class="note" x="{source - 4}" y="{y - 12}" width="{7 * room + 8}" height="16" rx="3"/>'
        yield f'<text class="label left" x="{source}" y="{y}">{_text(step.label, room)}</text>'
    elif source == target:
        path = f"M{source} {y - 6} h26 v8 h-24"
        yield f'<path class="arrow {step.style}" d="{path}" marker-end="url(#tip)"/>'
        yield f'<text class="label left" x="{source + 30}" y="{y}">{_text(step.label, WIDEST)}</text>'
    else:
        room = WIDEST * abs(step.source - step.target)
        tip = "" if step.style == "relation" else ' marker-end="url(#tip)"'
        yield f'<line class="arrow {step.style}" x1="{source}" y1="{y}" x2="{target}" y2="{y}"{tip}/>'
        yield f'<text class="label" x="{(source + target) // 2}" y="{y - 4}">{_text(step.label, room)}</text>'
    yield "</g>"


def _text(text: str, most: int | None = None) -> str:
    """Return a text for a document, cut to a number of characters."""
    shown = safe(text)
    return escape(shown if most is None or len(shown) <= most else f"{shown[: most - 1]}…", quote=True)


def html(diagram: Diagram, node: str, about: str, slowest: Sequence[SlowCallRecord]) -> str:
    """Write a page with the diagram, how long calls took, and each step with its line of code."""
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>" for cells in map(_call_cells, slowest)
    )
    steps = "\n".join(_listed(diagram, step) for step in diagram.steps)
    first = diagram.steps[0].event.time if diagram.steps else None
    moment = "" if first is None else datetime.fromtimestamp(first).strftime("%Y-%m-%d %H:%M:%S")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Trace of {_text(node)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 14px system-ui, sans-serif; margin: 2em; color: #1d2430; background: #fff }}
table {{ border-collapse: collapse; margin: 1em 0 }}
th, td {{ text-align: left; padding: 2px 12px 2px 0; border-bottom: 1px solid #e3e7ee; vertical-align: top }}
td {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px }}
.diagram {{ overflow: auto; border: 1px solid #e3e7ee }}
</style></head><body>
<h1>Trace of {_text(node)}</h1>
<p>{moment} {_text(about)}</p>
<div class="diagram">
{svg(diagram)}</div>
<h2>How long calls took</h2>
<table><tr><th>server</th><th>request</th><th>calls</th><th>p50</th><th>p99</th><th>slowest</th><th>failed</th>
<th>gave up</th></tr>
{rows}
</table>
<h2>Each step</h2>
<table><tr><th>time</th><th>from</th><th>to</th><th>what</th><th>at</th></tr>
{steps}
</table>
</body></html>
"""


def _call_cells(record: SlowCallRecord) -> list[str]:
    times = ["-" if value is None else span(value) for value in (record.p50, record.p99, record.slowest)]
    server = "(function)" if record.server is None else record.server
    return [server, record.request, str(record.count), *times, str(record.failed), str(record.given_up)]


def _listed(diagram: Diagram, step: Step) -> str:
    event = step.event
    at = "" if event.at is None else place(event.at)
    moment = f"{of_day(event.time)}.{int(event.time % 1 * 1_000_000):06d}"
    target = "" if step.style == "note" else diagram.lifelines[step.target]
    cells = [moment, diagram.lifelines[step.source], target, step.label, at]
    return "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"
