"""Advice on findings: there is some for every kind that a node reports."""

import ast
from pathlib import Path

from observer.drawing import advice
from runtime.introspection import wire

ANSWERS = Path(__file__).parents[3] / "runtime" / "introspection" / "answers"
SOURCES = (ANSWERS / "findings.py", ANSWERS / "crash_loops.py")


def kinds() -> set[str]:
    """Return the kinds of findings that the node makes, read from its source: the observer's tests import no gevent."""
    trees = [ast.parse(source.read_text(encoding="utf-8")) for source in SOURCES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    words = [word for call in calls for word in call.keywords if word.arg == "kind"]
    return {
        word.value.value for word in words if isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
    }


def test_there_is_advice_for_every_kind_of_finding_and_no_other() -> None:
    assert kinds() == set(advice.ADVICE)


def test_a_finding_is_told_with_its_age_its_cure_and_where_it_leads() -> None:
    lint = wire.Lint(kind="hog", weight=3, pids=("<0.7.0>",), sentence="hog\x1b holds the hub.", since=100.0)
    lines = ["".join(text for text, _ in line) for line in advice.explained(lint, 160.0)]
    assert lines[:2] == ["✗ hog␛ holds the hub.", "Seen for 1m00s."]
    assert any("sleep(0)" in line for line in lines)
    assert lines[-1] == "⏎ shows <0.7.0>"


def test_a_kind_that_is_not_known_is_told_without_advice() -> None:
    lint = wire.Lint(kind="novelty", weight=9, pids=(), sentence="Something new.")
    lines = ["".join(text for text, _ in line) for line in advice.explained(lint, 0.0)]
    assert lines == ["✗ Something new."]
