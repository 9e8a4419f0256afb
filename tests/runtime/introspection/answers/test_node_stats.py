"""`GetStats` is answered with figures and settings, also by a node whose tree was not looked at before."""

from __future__ import annotations

from runtime.introspection import wire
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree


@in_node
def test_the_supervisors_are_counted_also_for_who_asks_for_nothing_else() -> None:
    start_tree(pools=2)
    observer = Observer()
    answer = observer.ask(wire.GetStats())
    assert answer.stats.supervisor_count == 4
    assert answer.settings == observer.node.figures.settings()
    assert answer.stats.name == "test"
