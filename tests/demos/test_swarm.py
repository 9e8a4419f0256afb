"""A small swarm, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import argparse
import gc

import pytest

from demos import swarm
from demos.swarm import HAND, TICK, positive, start_group, tree
from runtime import ChildSpec, Pid, count_children, which_children
from runtime.sys import get_state
from runtime.testing import TestClock, assert_restarted, crash, start_supervised
from runtime.testing.chaos import workers

pytest_plugins = ["runtime.testing"]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let supervisors have few children, and leave the collector as it is."""
    monkeypatch.setattr(swarm, "FANOUT", 5)
    monkeypatch.setattr(gc, "freeze", lambda: None)


def start(size: int) -> Pid:
    """Start a swarm of that size without a dealer."""
    return start_supervised(ChildSpec(id="group", start=(start_group, size), type="supervisor"))


@pytest.mark.parametrize(("size", "groups"), [(1, 1), (5, 5), (6, 2), (25, 5), (26, 2)])
def test_there_are_as_many_servers_as_wanted_and_no_supervisor_has_too_many(size: int, groups: int) -> None:
    top = start(size)
    assert len(workers(top)) == size
    assert count_children(top)["active"] == groups


def test_the_dealer_gives_work_and_goes_on_whatever_dies(clock: TestClock) -> None:
    start_supervised(ChildSpec(id="swarm", start=(tree, 12), type="supervisor"))

    def done() -> int:
        return sum(get_state(worker)["done"] for worker in workers("servers"))

    clock.advance(TICK * 3.5)
    assert done() == 3 * HAND
    (group, *_) = which_children("servers")
    assert_restarted(crash(workers("servers")[0]))
    assert_restarted(crash(group.pid))
    assert len(workers("servers")) == 12
    before = done()
    clock.advance(TICK * 2)
    assert done() > before


def test_a_number_of_processes_is_at_least_one() -> None:
    assert positive("12") == 12
    with pytest.raises(argparse.ArgumentTypeError, match="1 to 100,000,000 processes"):
        positive("0")
