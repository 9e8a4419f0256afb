from __future__ import annotations

from observer.output import records
from tests.support.command import ROWS


def test_the_tree_is_nested_and_what_is_under_no_supervisor_is_a_root() -> None:
    app, lonely = records.of_tree(ROWS)
    assert [child.child_id for child in app.children] == ["w", "v"]
    assert app.children[1].pid is None
    assert lonely.pid == "<0.9.0>"
