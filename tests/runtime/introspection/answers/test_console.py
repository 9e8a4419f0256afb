"""Answers to the questions of a console."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.introspection import wire
from runtime.introspection.answers import console
from tests.support.in_node import in_node
from tests.support.trees import Observer


def test_the_names_of_a_console_are_gathered_before_the_hub_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []

    def gather() -> dict[str, object]:
        steps.append("names")
        return {"answer": 42}

    def in_hub(work: Callable[[], object]) -> object:
        steps.append("hub")
        return work()

    @in_node
    def program() -> None:
        observer = Observer()
        monkeypatch.setattr(observer.node.calls, "in_hub", in_hub)
        assert isinstance(observer.ask(wire.OpenConsole()), wire.ConsoleState)
        assert observer.cache.console is not None
        assert observer.cache.console.names == {"answer": 42}
        observer.cache.console.close()

    monkeypatch.setattr(console, "vocabulary", gather)
    program()
    assert steps == ["names", "hub"]
