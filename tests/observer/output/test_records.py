from __future__ import annotations

from observer.output import records
from runtime.introspection import wire
from tests.support.command import ROWS
from tests.support.welcome import welcome


def test_the_tree_is_nested_and_what_is_under_no_supervisor_is_a_root() -> None:
    app, lonely = records.of_tree(ROWS)
    assert [child.child_id for child in app.children] == ["w", "v"]
    assert app.children[1].pid is None
    assert lonely.pid == "<0.9.0>"


def test_figures_that_a_node_does_not_tell_are_null() -> None:
    stats = wire.NodeStats(name="n", time=1.0, started_at=0.0, os_pid=1, untold=("messages", "lint_count"))
    record = records.of_stats(wire.Stats(stats=stats, settings={}), welcome())
    assert (record.messages, record.lint_count, record.spawned) == (None, None, 0)
