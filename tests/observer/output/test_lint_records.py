from __future__ import annotations

import re

import pytest

from observer.cli.commands import app
from observer.drawing.advice import ADVICE
from observer.output import lint_records
from runtime.introspection import wire


def test_a_finding_says_what_can_be_done_and_what_shows_more() -> None:
    lint = wire.Lint(kind="deadlock", weight=3, pids=("<0.3.0>", "<0.4.0>"), sentence="They wait for each other.")
    record = lint_records.of_lint(lint, "my shop")
    assert record.advice.startswith(
        "Each of them waits for an answer from another one of them. Kill one with 'observer"
    )
    assert record.confidence == "certain"
    assert "call" in record.confidence_reason
    assert record.next_commands == [
        "observer waits 'my shop'",
        "observer info 'my shop' 0.3.0 --state",
        "observer info 'my shop' 0.4.0 --state",
        "observer events 'my shop' -n 50",
    ]


@pytest.mark.parametrize("kind", ADVICE)
def test_each_kind_of_finding_has_evidence_and_commands_that_exist(kind: str) -> None:
    pids = () if kind in ("starved", "was_starved", "program_grows") else ("<0.3.0>",)
    record = lint_records.of_lint(wire.Lint(kind=kind, weight=2, pids=pids, sentence="It does."), "shop")
    assert record.advice
    assert re.findall(r" \(\d\)|\b[XS]\b|\benter\b", record.advice) == [], "those who read this have no keys"
    assert record.confidence in ("certain", "likely", "possible")
    assert record.confidence_reason
    known = {command.name or (command.callback and command.callback.__name__) for command in app.registered_commands}
    for line in [*record.next_commands, *re.findall(r"'(observer [^']*)'", record.advice)]:
        assert line.split()[0] == "observer"
        assert line.split()[1] in known
    assert len(record.next_commands) >= 2


def test_a_finding_of_a_kind_that_is_new_has_no_advice() -> None:
    record = lint_records.of_lint(wire.Lint(kind="new", weight=1, pids=(), sentence=""), "shop")
    assert (record.advice, record.confidence) == ("", "possible")
