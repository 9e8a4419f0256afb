"""`GetProcesses`: a window of a list that is sorted anew when its share of time allows it."""

from __future__ import annotations

import re

import pytest

from runtime import receive, spawn, whereis
from runtime.introspection import wire
from runtime.introspection.answers.client_cache import ClientCache
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree


@pytest.mark.usefixtures("lasting")
@in_node
def test_the_list_is_used_again_for_the_same_question_alone() -> None:
    observer = Observer()
    query = wire.GetProcesses(sort="pid", descending=False, limit=100)
    before = observer.ask(query)
    late = str(spawn(receive))
    again = observer.ask(query)
    assert [row.pid for row in again.rows] == [row.pid for row in before.rows]
    assert re.match(r"sorted \d+ s ago, every ", again.stats.scope or "")
    other = observer.ask(wire.GetProcesses(sort="pid", descending=True, limit=100))
    assert other.rows[0].pid == late
    assert before.total == other.total - 1


@in_node
def test_an_anchor_is_a_pid_or_a_place() -> None:
    start_tree()
    observer = Observer()
    pids = [row.pid for row in observer.listing(sort="pid", descending=False).rows]
    pool = str(whereis("pool1"))
    for anchor in (pool, "app/pool1"):
        window = observer.listing(sort="pid", descending=False, limit=1, anchor=anchor, follow=True)
        assert window.anchor_index == pids.index(pool)
        assert [row.pid for row in window.rows] == [pool]
    assert observer.listing(anchor="app/nobody").anchor_index is None
    assert observer.listing().anchor_index is None


@in_node
def test_what_matches_a_filter_is_counted_and_what_is_shown_is_measured() -> None:
    start_tree(pools=2, size=3)
    observer = Observer()
    window = observer.listing(filter="name=w1")
    assert (window.matched, window.total) == (2, 2)
    assert observer.listing().matched is None
    rows = observer.listing(limit=4).rows
    assert observer.node.memory._shown == [row.pid for row in rows]


@in_node
def test_a_window_without_rows_still_brings_the_figures() -> None:
    observer = Observer()
    observer.cache = ClientCache()
    window = observer.ask(wire.GetProcesses(limit=0))
    assert window.rows == ()
    assert window.stats.process_count == window.total
