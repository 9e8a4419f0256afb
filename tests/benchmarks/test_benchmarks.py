"""Every benchmark still runs, in its small form, whatever its figures are; and the arithmetic is right."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runtime.compiled.about import kernel_in_use
from runtime.compiled.choice import CHOICES, VARIABLE
from tests.benchmarks.__main__ import main
from tests.benchmarks.catalogue import ALL, TOPICS, find
from tests.benchmarks.harness.benchmark import (
    FROM_SOURCE,
    OURS,
    Benchmark,
    Result,
    Runs,
    Target,
    Unit,
    measure,
    with_both_kernels,
)
from tests.benchmarks.harness.contender import Fixed, Python, RunFailed
from tests.benchmarks.harness.sample import Sample
from tests.benchmarks.harness.table import figure, markdown

PEERS = ("Erlang, 1 scheduler", "gevent", "asyncio", "Pykka", "copy.deepcopy", "pickle")
"""Contenders that run in the first benchmark of each topic alone: each run is an interpreter that must start."""


@pytest.mark.parametrize("benchmark_", ALL, ids=lambda benchmark: benchmark.name.replace(" ", "-"))
def test_it_runs(benchmark_: Benchmark) -> None:
    # Erlang on all cores runs the same function as Erlang on one.
    is_first = any(benchmarks[0] is benchmark_ for benchmarks in TOPICS.values())
    without = ["Erlang, all schedulers", *(() if is_first else PEERS)]
    result = measure(benchmark_, rounds=1, quick=True, without=without)
    assert result.failures == []
    assert result.runs[OURS].wall > 0


def fails(size: int) -> Sample:
    raise ValueError("no figure today")


def of(unit: Unit, ours: float, theirs: float, threads: bool = False) -> Result:
    contenders = {OURS: Fixed(ours), "peer": Fixed(theirs, threads=threads)}
    benchmark = Benchmark("a name", "a thing", unit, 1, 1, contenders, (Target("peer", 2),))
    return Result(benchmark, {OURS: Runs((Sample(ours, ours / 2),)), "peer": Runs((Sample(theirs, theirs),))})


def test_more_a_second_and_fewer_bytes_are_better() -> None:
    assert of("/s", 300, 100).ratio("peer") == pytest.approx(1.5)
    assert of("B", 50, 100).ratio("peer") == pytest.approx(4.0)


def test_a_peer_that_uses_several_cores_is_compared_by_the_wall_clock() -> None:
    assert of("/s", 300, 100, threads=True).ratio("peer") == pytest.approx(3.0)


def test_a_target_is_reached_or_missed_and_neither_when_a_peer_did_not_run() -> None:
    assert [verdict.reached for verdict in of("/s", 400, 100).verdicts] == [True]
    assert [verdict.reached for verdict in of("/s", 300, 100).verdicts] == [False]
    alone = Result(of("/s", 1, 1).benchmark, {OURS: Runs((Sample(1, 1),)), "peer": Runs(lacks="Erlang")})
    assert [verdict.reached for verdict in alone.verdicts] == [None]


def test_a_figure_is_the_median_of_its_runs() -> None:
    runs = Runs((Sample(1, 10), Sample(9, 30), Sample(2, 20)))
    assert (runs.wall, runs.cpu, runs.spread) == (2, 20, 0.5)


def test_a_ratio_is_the_median_of_the_rounds_so_that_a_slow_minute_spoils_one_of_them() -> None:
    contenders = {OURS: Fixed(1), "peer": Fixed(1)}
    mine = Runs(tuple(Sample.exact(rate) for rate in (300, 100, 310)))  # the machine was slow in the second round,
    theirs = Runs(tuple(Sample.exact(rate) for rate in (150, 50, 60)))  # and for the peer in the third one too
    result = Result(Benchmark("a name", "a thing", "/s", 1, 1, contenders), {OURS: mine, "peer": theirs})
    assert result.ratio("peer") == pytest.approx(2.0)
    assert mine.cpu / theirs.cpu == pytest.approx(5.0)


def kernel_of(size: int) -> Sample:
    return Sample.exact(CHOICES.index(os.environ.get(VARIABLE, "auto")))


def test_both_kernels_run_beside_each_other() -> None:
    benchmark = Benchmark("a name", "a thing", "/s", 1, 1, {"peer": Fixed(1), OURS: Python(kernel_of)})
    both = with_both_kernels(benchmark).contenders
    assert [*both] == [OURS, FROM_SOURCE, "peer"]
    fixed = Benchmark("a name", "a thing", "B", 1, 1, {OURS: Fixed(1)})
    assert with_both_kernels(fixed) is fixed
    assert CHOICES[int(both[FROM_SOURCE].sample(1).cpu)] == "python"
    if kernel_in_use()[0] == "compiled":  # else one that requires it cannot start
        assert CHOICES[int(both[OURS].sample(1).cpu)] == "required"


def test_a_limit_holds_for_both_kernels_and_whatever_has_a_target_runs_on_both() -> None:
    ours = {OURS: Python(kernel_of), "a list": Python(kernel_of), "not held": Python(kernel_of)}
    targets = (Target("limit", 1), Target("limit", 1, ours="a list"), Target("peer", 3))
    benchmark = Benchmark(
        "a name", "a thing", "s", 1, 1, {**ours, "peer": Python(kernel_of), "limit": Fixed(1)}, targets
    )
    both = with_both_kernels(benchmark)
    assert [*both.contenders] == [OURS, FROM_SOURCE, "a list", "a list, from source", "not held", "peer", "limit"]
    more = (Target("limit", 1, ours=FROM_SOURCE), Target("limit", 1, ours="a list, from source"))
    assert both.targets == (*targets, *more)


def test_what_fails_is_told_with_the_last_line_of_what_it_said() -> None:
    with pytest.raises(RunFailed, match="exit status 1: ValueError: no figure today"):
        Python(fails).sample(1)


def test_what_is_not_installed_is_left_out_and_is_no_failure() -> None:
    benchmark = Benchmark("a name", "a thing", "/s", 1, 1, {OURS: Fixed(2.0), "peer": Python(fails, needs="no_such")})
    result = measure(benchmark, rounds=2)
    assert (result.failures, result.ratio("peer")) == ([], None)
    assert "no_such is not installed" in markdown([result], {})


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1_234_567.0, "/s", "1,230,000 /s"), (512.4, "B", "512 B"), (0.0123, "s", "12.3 ms"), (4.56e-7, "s", "456 ns")],
)
def test_figures_are_short(value: float, unit: Unit, text: str) -> None:
    assert figure(value, unit) == text


def test_benchmarks_are_chosen_by_topic_or_by_a_part_of_their_names() -> None:
    assert find([]) == ALL
    assert [benchmark.name for benchmark in find(["cpu share"])] == ["CPU share of being observed"]
    assert find(["spawning"]) == [*TOPICS["spawning"]]
    assert [benchmark.name for benchmark in find(["ping"])] == ["ping-pong", "ping-pong at home, with a name"]
    with pytest.raises(ValueError, match="--list shows them all"):
        find(["no such thing"])


def test_the_command_writes_every_run_to_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    assert main(["--quick", "--markdown", "--without", "Erlang", "--json", str(path), "isolate an int"]) == 0
    assert "| **isolate an int** | **runtime** |" in capsys.readouterr().out
    (benchmark,) = json.loads(path.read_text())["benchmarks"]
    assert len(benchmark["contenders"][OURS]["samples"]) == 1
