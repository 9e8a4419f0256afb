"""`GetPlaces`: who stands in certain places of the tree now."""

from __future__ import annotations

from runtime import (
    call,
    exit,
    terminate_child,
    whereis,
)
from runtime.introspection import wire
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree


@in_node
def test_who_stands_in_a_place_is_answered_afresh_where_a_list_may_be_some_seconds_old() -> None:
    start_tree(pools=2, size=3, guests=1)
    observer = Observer()
    (guest,) = [row.key for row in observer.tree().rows if row.key.startswith("app/guests/")]
    keys = ("app", "app/pool0", "app/pool0/w1", "app/own0", guest, "app/pool0/nobody", "nothing/at/all")
    before = observer.ask(wire.GetPlaces(keys=keys)).rows
    assert {row.key for row in before} == set(keys[:5])
    assert {row.key: row.pid for row in observer.tree().rows if row.key in keys} == {row.key: row.pid for row in before}
    terminate_child("app", "own0")
    exit(whereis("pool0"), "kill")
    call("app", "which_children")
    after = {row.key: row for row in observer.ask(wire.GetPlaces(keys=keys)).rows}
    assert after["app/own0"].status == "stopped"
    assert after[guest].pid == next(row.pid for row in before if row.key == guest)
    for key in ("app/pool0", "app/pool0/w1"):
        assert after[key].pid not in [None, *(row.pid for row in before)]
        assert after[key].kind == ("worker" if key.endswith("w1") else "supervisor")
