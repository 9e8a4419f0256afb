"""What is printed of findings with ``--json``."""

from __future__ import annotations

import shlex

from observer.drawing.advice import ADVICE
from observer.drawing.confidence import Level, confidence_of
from observer.output.records import Record
from runtime.introspection import wire

MOST_NEXT = 3
"""How many processes of a finding have a command of their own among the next ones."""


class LintRecord(Record, frozen=True):
    """A finding: what looks wrong."""

    kind: str
    weight: int
    pids: list[str]
    sentence: str
    since: float | None
    advice: str
    """What can be done about it."""
    confidence: Level
    """How sure it is: certain, likely (a trend or a sample shows it), or possible (it may be meant so)."""
    confidence_reason: str
    """Why it is so sure: what it was told from."""
    next_commands: list[str]
    """Commands that show more of it."""


def of_lint(lint: wire.Lint, node: str) -> LintRecord:
    """Return the record of a finding on the node of that name."""
    called = shlex.quote(node)
    commands = [f"observer info {called} {shlex.quote(pid.strip('<>'))} --state" for pid in lint.pids[:MOST_NEXT]]
    commands.append(f"observer events {called} -n 50")
    sure = confidence_of(lint.kind)
    return LintRecord(
        kind=lint.kind,
        weight=lint.weight,
        pids=list(lint.pids),
        sentence=lint.sentence,
        since=lint.since,
        confidence=sure.level,
        confidence_reason=sure.reason,
        advice=ADVICE.get(lint.kind, ""),
        next_commands=commands,
    )
