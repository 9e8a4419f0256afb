"""The strategies, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import pytest

from demos.strategies import STRATEGIES, kill_and_compare, tree
from runtime import ChildSpec, whereis
from runtime.sys import get_state
from runtime.testing import Reports, TestClock, assert_restarted, chaos, crash, start_supervised

pytest_plugins = ["runtime.testing"]


@pytest.mark.parametrize(("strategy", "again"), [("one_for_one", "b"), ("one_for_all", "abc"), ("rest_for_one", "bc")])
def test_each_strategy_starts_others_again(strategy: str, again: str, clock: TestClock) -> None:
    start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor"))
    prefix = STRATEGIES[strategy]
    names = ", ".join(f"{prefix}_{letter}" for letter in again)
    assert kill_and_compare(f"{prefix}_b", strategy) == f"killed {prefix}_b, started again: {names}"


def test_a_failure_climbs_until_a_supervisor_can_bear_it(clock: TestClock, reports: Reports) -> None:
    start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor"))
    places = ("glass", "shelf", "cupboard")
    before = [whereis(name) for name in places]
    assert_restarted(crash("glass"))
    assert [whereis(name) for name in places[1:]] == before[1:]
    crash("glass")
    clock.advance(0.1)
    assert assert_restarted("shelf") != before[1]
    assert whereis("cupboard") == before[2]
    for _ in range(2):
        assert_restarted("glass")
        crash("glass")
        clock.advance(0.1)
    assert assert_restarted("cupboard") != before[2]
    assert_restarted("glass")


def test_workers_survive_chaos_and_go_on_working(clock: TestClock, reports: Reports) -> None:
    start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor"))
    assert len(chaos("one_for_one", seconds=10.0, rate=1.0, seed=7)) >= 9
    clock.advance(10)
    assert all(get_state(f"one_{letter}")["done"] > 0 for letter in "abc")
