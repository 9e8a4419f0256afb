from __future__ import annotations

from observer.drawing.advice import ADVICE
from observer.output import records
from runtime.introspection import wire
from tests.support.command import ROWS


def test_a_finding_says_what_can_be_done_and_what_shows_more() -> None:
    lint = wire.Lint(kind="deadlock", weight=3, pids=("<0.3.0>", "<0.4.0>"), sentence="They wait for each other.")
    record = records.of_lint(lint, "my shop")
    assert record.advice == ADVICE["deadlock"]
    assert record.next_commands == [
        "observer info 'my shop' 0.3.0 --state",
        "observer info 'my shop' 0.4.0 --state",
        "observer events 'my shop' -n 50",
    ]


def test_a_finding_of_a_kind_that_is_new_has_no_advice() -> None:
    assert records.of_lint(wire.Lint(kind="new", weight=1, pids=(), sentence=""), "shop").advice == ""


def test_the_tree_is_nested_and_what_is_under_no_supervisor_is_a_root() -> None:
    app, lonely = records.of_tree(ROWS)
    assert [child.child_id for child in app.children] == ["w", "v"]
    assert app.children[1].pid is None
    assert lonely.pid == "<0.9.0>"
