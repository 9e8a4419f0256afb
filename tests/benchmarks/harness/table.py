"""The results for people and for programs: a rich table, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from tests.benchmarks.harness.benchmark import OURS, Result, Runs, Unit, Verdict
from tests.benchmarks.harness.contender import Fixed

HEADINGS = ("benchmark", "contender", "figure", "by CPU time", "±", f"{OURS} is", "target")


@dataclass(frozen=True)
class Line:
    """One line of the table: a contender in a benchmark, all of it text. `reached` is None where there is no target."""

    benchmark: str
    contender: str
    wall: str
    cpu: str
    spread: str
    ratio: str
    target: str
    reached: bool | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns, in the order of `HEADINGS`."""
        return self.benchmark, self.contender, self.wall, self.cpu, self.spread, self.ratio, self.target


def lines(result: Result) -> Iterator[Line]:
    """Yield a result's lines. A line that starts a benchmark has its name."""
    title = result.benchmark.name
    for name, runs in result.runs.items():
        verdicts = [v for v in result.verdicts if v.target.than == name]
        ratio = None if name == OURS else result.ratio(name)
        yield Line(
            title,
            name,
            *_figures(result, name, runs),
            "" if ratio is None else f"{_times(ratio)} x",
            "; ".join(_verdict(v) for v in verdicts),
            None if not verdicts or verdicts[0].reached is None else all(v.reached for v in verdicts),
        )
        title = ""


def _figures(result: Result, name: str, runs: Runs) -> tuple[str, str, str]:
    if not runs.samples:
        return "failed" if runs.failure else f"{runs.lacks} is not installed", "", ""
    unit = result.benchmark.unit
    if isinstance(result.benchmark.contenders[name], Fixed):
        return figure(runs.wall, unit), "", ""
    by_cpu = "" if unit == "B" else figure(runs.cpu, unit)
    return figure(runs.wall, unit), by_cpu, f"{runs.spread:.0%}" if len(runs.samples) > 1 else ""


def _verdict(verdict: Verdict) -> str:
    """Return a target as text, and whether it was reached."""
    wanted = f"{_times(verdict.target.at_least)} x"
    if verdict.target.ours != OURS:
        wanted += f" by {verdict.target.ours}"
    if verdict.ratio is None:
        return f"{wanted}: not measured"
    got = "" if verdict.target.ours == OURS else f", {_times(verdict.ratio)} x"
    return f"{wanted}: {'reached' if verdict.reached else 'missed'}{got}"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 19.5 else f"{ratio:.1f}" if ratio >= 1.95 else f"{ratio:.2f}"


def figure(value: float, unit: Unit) -> str:
    """Write a figure with its unit: ``1,234,000 /s``, ``690 B``, ``12.3 ms``."""
    if unit == "s" and value > 0:
        for scale, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= scale:
                return f"{value / scale:.3g} {name}"
        return f"{value * 1e9:.3g} ns"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "/s" and value >= 10_000:
        value = round(value, 1 - len(str(int(value))) + 2)  # three digits; the rest is noise
    return f"{value:,.0f} {unit}"


def rich_table(results: Sequence[Result]) -> Table:
    """Return the results as a table for the terminal."""
    table = Table(title_justify="left", header_style="bold", pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in HEADINGS[2:6] else "left")
    for result in results:
        for line in lines(result):
            colour = {None: "", True: "green", False: "red"}[line.reached]
            *cells, target = line.cells
            cells[1] = f"[bold]{cells[1]}[/]" if line.contender == OURS else cells[1]
            table.add_row(*cells, f"[{colour}]{target}[/]" if colour else target)
        table.add_section()
    return table


def markdown(results: Sequence[Result], facts: dict[str, str]) -> str:
    """Return the results as Markdown: the machine, then the table."""
    text = [", ".join(f"{name} {value}" for name, value in facts.items()), ""]
    text += [_row(HEADINGS), _row(["---", "---", "---:", "---:", "---:", "---:", "---"])]
    for result in results:
        for line in lines(result):
            cells = [
                f"**{cell}**" if cell and line.contender == OURS and i < 3 else cell
                for i, cell in enumerate(line.cells)
            ]
            text.append(_row(cells))
    return "\n".join(text) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_json(results: Sequence[Result], facts: dict[str, str]) -> dict[str, Any]:
    """Return the results as one JSON value, every sample included."""
    return {
        "machine": facts,
        "benchmarks": [
            {
                "name": result.benchmark.name,
                "what": result.benchmark.what,
                "unit": result.benchmark.unit,
                "contenders": {
                    name: {
                        "wall": runs.wall if runs.samples else None,
                        "cpu": runs.cpu if runs.samples else None,
                        "lacks": runs.lacks,
                        "failure": runs.failure,
                        "ratio": None if name == OURS else result.ratio(name),
                        "samples": [asdict(sample) for sample in runs.samples],
                    }
                    for name, runs in result.runs.items()
                },
                "targets": [{**asdict(v.target), "ratio": v.ratio, "reached": v.reached} for v in result.verdicts],
            }
            for result in results
        ],
    }
