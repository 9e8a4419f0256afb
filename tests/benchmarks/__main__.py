"""Runs the benchmarks and prints a table: ``python -m tests.benchmarks [NAME ...]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console

from runtime.compiled import choice
from tests.benchmarks.catalogue import TOPICS, find
from tests.benchmarks.harness.benchmark import Benchmark, Result, measure, with_both_kernels
from tests.benchmarks.harness.machine import load, machine
from tests.benchmarks.harness.table import as_json, markdown, rich_table

WIDTH = 140
"""Columns of the table when it does not go to a terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status is 1 when something did not run, whatever the figures are."""
    options = _parse(arguments)
    if options.list:
        for topic, benchmarks in TOPICS.items():
            for benchmark in benchmarks:
                print(f"{topic}: {benchmark.name}: {benchmark.what}")
        return 0
    chosen = options.chosen
    if choice.fitting(choice.builds()) is not None and not os.environ.get(choice.VARIABLE):
        chosen = [with_both_kernels(benchmark) for benchmark in chosen]
    results = _run(chosen, 1 if options.quick else options.rounds, options.quick, options.without)
    facts = {**machine(), "load at the end": load()}
    if options.markdown:
        print(markdown(results, facts), end="")
    else:
        console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
        console.print(", ".join(f"{name} {value}" for name, value in facts.items()), rich_table(results), sep="\n")
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(results, facts), indent=2) + "\n", encoding="utf-8")
    failures = [line for result in results for line in result.failures]
    for line in failures:
        print(line, file=sys.stderr)
    return 1 if failures else 0


def _run(benchmarks: list[Benchmark], rounds: int, quick: bool, without: list[str]) -> list[Result]:
    console = Console(stderr=True)
    results = []
    with console.status("") as status:
        for number, benchmark in enumerate(benchmarks, 1):
            status.update(f"{number} of {len(benchmarks)}: {benchmark.name}")
            results.append(measure(benchmark, rounds, quick, without))
    return results


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure the runtime beside its peers. A figure is the median of runs in fresh interpreters.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a topic, or part of a benchmark's name; default: all")
    parser.add_argument("--list", action="store_true", help="list the benchmarks, and run none")
    parser.add_argument("--quick", action="store_true", help="the small form: does everything still run?")
    parser.add_argument("--rounds", type=_positive, default=5, metavar="N", help="runs of each contender (default 5)")
    parser.add_argument("--without", action="append", default=[], metavar="CONTENDER", help="leave a contender out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to a file, every run included")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args(arguments)
    try:
        options.chosen = find(options.names)
    except ValueError as error:
        parser.error(str(error))
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one run is needed")
    return number


if __name__ == "__main__":
    sys.exit(main())
