from __future__ import annotations

from observer.drawing.advice import ADVICE
from observer.output import lint_records
from runtime.introspection import wire


def test_a_finding_says_what_can_be_done_and_what_shows_more() -> None:
    lint = wire.Lint(kind="deadlock", weight=3, pids=("<0.3.0>", "<0.4.0>"), sentence="They wait for each other.")
    record = lint_records.of_lint(lint, "my shop")
    assert record.advice == ADVICE["deadlock"]
    assert record.confidence == "certain"
    assert "call" in record.confidence_reason
    assert record.next_commands == [
        "observer info 'my shop' 0.3.0 --state",
        "observer info 'my shop' 0.4.0 --state",
        "observer events 'my shop' -n 50",
    ]


def test_a_finding_of_a_kind_that_is_new_has_no_advice() -> None:
    record = lint_records.of_lint(wire.Lint(kind="new", weight=1, pids=(), sentence=""), "shop")
    assert (record.advice, record.confidence) == ("", "possible")
