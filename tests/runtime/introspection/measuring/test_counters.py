from __future__ import annotations

import pytest

from runtime import exit, receive, self_, send, sleep, spawn
from runtime.introspection.measuring import counters
from runtime.introspection.measuring.counters import Totals
from runtime.introspection.threads import chunked
from runtime.introspection.threads.pace import Pace
from runtime.kernel.node import this_node
from tests.support.in_node import in_node


@in_node
def test_the_counts_of_all_living_processes_are_summed_up() -> None:
    totals = Totals(this_node())
    before, _ = totals.update(Pace())
    pid = spawn(receive, ("never",))
    for _ in range(3):
        send(pid, "message")
    send(self_(), "message")
    after, runs = totals.update(Pace())
    assert after - before == 4
    assert runs > 0


@in_node
def test_what_a_dead_process_has_counted_is_summed_up_no_more() -> None:
    totals = Totals(this_node())
    before, _ = totals.update(Pace())
    pid = spawn(receive, ("never",))
    send(pid, "message")
    assert totals.update(Pace())[0] == before + 1
    exit(pid, "kill")
    sleep(0.01)
    assert totals.update(Pace())[0] == before


def test_without_time_for_all_blocks_the_new_ones_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "LEAST", 0.0)
    monkeypatch.setattr(counters, "SHARE", 0.0)

    @in_node
    def look() -> None:
        totals = Totals(this_node())
        send(self_(), "message")
        assert totals.update(Pace())[0] >= 1

    look()


class Breaths(Pace):
    """Counts how often it was asked whether to rest."""

    count = 0

    def breathe(self) -> None:
        self.count += 1


def test_a_block_is_summed_up_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked, "CHUNK", 2)

    @in_node
    def look() -> None:
        for _ in range(9):
            spawn(receive)
        pace = Breaths()
        Totals(this_node()).update(pace)
        assert pace.count == (this_node().alive + 1) // 2

    look()
