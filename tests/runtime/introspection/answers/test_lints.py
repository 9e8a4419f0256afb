"""`GetLints` is answered from the last look, which is made anew when it is due."""

from __future__ import annotations

import pytest

from runtime import receive, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.answers import findings
from tests.support.in_node import in_node
from tests.support.trees import Observer


@in_node
def test_two_questions_in_a_row_take_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "IGNORED_FOR", 0.0)
    observer = Observer()
    assert observer.ask(wire.GetLints()) == wire.Lints(lints=())
    alone = spawn(receive)
    sleep(0)
    assert observer.ask(wire.GetLints()) == wire.Lints(lints=())
    monkeypatch.setattr(findings, "PERIOD", 0.0)
    monkeypatch.setattr(findings, "SHARE", 1e9)
    (found,) = observer.ask(wire.GetLints()).lints
    assert (found.kind, found.pids) == ("unwatched", (str(alone),))
    assert observer.ask(wire.GetStats()).stats.lint_count == 1
