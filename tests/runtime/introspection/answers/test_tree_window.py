"""`GetTree`: a window of a tree that is laid out anew when its share of time allows it."""

from __future__ import annotations

import re

import pytest

from runtime import exit, sleep, start_child, whereis
from runtime.introspection import wire
from runtime.introspection.answers import client_cache
from tests.support.in_node import in_node
from tests.support.trees import Idle, Observer, start_tree


@in_node
def test_an_anchor_is_a_pid_or_a_place_and_is_followed_where_that_is_wanted() -> None:
    start_tree()
    observer = Observer()
    keys = observer.keys()
    index = keys.index("app/pool1")
    for anchor in (str(whereis("pool1")), "app/pool1"):
        assert observer.tree(limit=2, anchor=anchor).offset == 0
        window = observer.tree(limit=2, anchor=anchor, follow=True)
        assert window.anchor_index == index
        assert "app/pool1" in [row.key for row in window.rows]
    pid = whereis("pool1")
    exit(pid, "kill")
    sleep(0.1)
    assert observer.tree(anchor=str(pid)).anchor_index is None


@in_node
def test_the_tree_is_used_again_for_the_same_question_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_cache, "AT_ONCE", 0.0)
    monkeypatch.setattr(client_cache, "SHARE", 1e-9)
    start_tree(guests=0)
    observer = Observer()
    query = wire.GetTree(limit=100)
    before = observer.ask(query)
    start_child("guests", Idle)
    again = observer.ask(query)
    assert again.total == before.total
    assert re.match(r"laid out \d+ s ago, every ", again.stats.scope or "")
    assert observer.ask(wire.GetTree(limit=100, sort="name")).total == before.total + 1


@in_node
def test_what_is_shown_is_measured() -> None:
    start_tree()
    observer = Observer()
    rows = observer.tree(limit=5).rows
    assert observer.node.memory._shown == [row.pid for row in rows]
