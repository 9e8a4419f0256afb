"""What is printed of findings with ``--json``."""

from __future__ import annotations

import shlex

from observer.drawing.advice import ADVICE
from observer.drawing.confidence import Level, confidence_of
from observer.output.records import Record
from runtime.introspection import wire

MOST_NEXT = 3
"""How many processes of a finding have a command of their own among the next ones."""

FIRST = {
    "deadlock": "waits {node}",
    "mailbox_grows": "trace {node} --target {pid} --for 5s",
    "memory_grows": "memory {node} {pid}",
    "program_grows": "memory {node}",
    "starved": "top {node}",
    "was_starved": "top {node}",
}
"""The command that shows most about a kind of finding. It comes before those that every finding has."""

IN_COMMANDS = {
    " (4)": "",
    "Its view (3)": "'observer info'",
    "X ends it": "'observer kill' ends it",
    "with X": "with 'observer kill'",
    "with S": "with 'observer suspend'",
    "enter asks whether to stop it": "'observer kill' stops it",
}
"""What advice says of the dashboard's keys, and what it says to those who have commands instead."""


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
    node: str
    """The node in which it was found."""


def of_lint(lint: wire.Lint, node: str) -> LintRecord:
    """Return the record of a finding on the node of that name."""
    called = shlex.quote(node)
    pids = [shlex.quote(pid.strip("<>")) for pid in lint.pids[:MOST_NEXT]]
    first = FIRST.get(lint.kind, "")
    commands = []
    if first and (pids or "{pid}" not in first):
        commands.append("observer " + first.format(node=called, pid="".join(pids[:1])))
    commands += [f"observer info {called} {pid} --state" for pid in pids]
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
        advice=_advice(lint.kind),
        next_commands=commands,
        node=node,
    )


def _advice(kind: str) -> str:
    advice = ADVICE.get(kind, "")
    for key, command in IN_COMMANDS.items():
        advice = advice.replace(key, command)
    return advice
