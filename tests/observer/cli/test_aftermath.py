"""A command waits for what comes of its signal, and asks beforehand what will."""

from __future__ import annotations

from typing import Any, cast

import pytest

from observer.cli.aftermath import plan_of, wait_for
from observer.model import aftermath
from observer.node.client import Client, NodeRefusedError
from runtime.introspection import wire

KILL = wire.Event(id=5, time=1.0, kind="kill", pid="<0.7.0>", name="shop")
EXIT = wire.Event(id=6, time=1.1, kind="exit", pid="<0.7.0>", name="shop", reason="killed", crashed=True, cause=5)
BACK = wire.Event(id=7, time=1.2, kind="restart", pid="<0.8.0>", old_pid="<0.7.0>", name="shop", cause=6)


class Log:
    """A client whose node has one more event in its log with every question."""

    def __init__(self, *events: wire.Event) -> None:
        self.events = events
        self.asked: list[int] = []

    def expect(self, kind: type, query: Any) -> wire.Events:
        self.asked.append(query.after)
        there = self.events[: len(self.asked)]
        return wire.Events(events=tuple(event for event in there if event.id > query.after))


def test_the_log_is_followed_until_the_process_is_back() -> None:
    log = Log(KILL, EXIT, BACK)
    known = wait_for(cast(Client, log), 5, "<0.7.0>", comes_back=True)
    assert known.restarted_as == "<0.8.0>"
    assert log.asked == [4, 5, 6]


def test_where_nothing_comes_back_the_end_is_enough() -> None:
    log = Log(KILL, EXIT, BACK)
    known = wait_for(cast(Client, log), 5, "<0.7.0>", comes_back=False)
    assert known.ended
    assert known.restarted_as is None


def test_it_is_not_waited_for_longer_than_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermath, "END_TIMEOUT", 0.0)
    monkeypatch.setattr(aftermath, "RETURN_TIMEOUT", 0.0)
    assert not wait_for(cast(Client, Log(KILL)), 5, "<0.7.0>", comes_back=True).ended
    assert wait_for(cast(Client, Log(KILL, EXIT)), 5, "<0.7.0>", comes_back=True).restarted_as is None


@pytest.mark.parametrize(("kind", "raises"), [("noproc", False), ("unsupported", False), ("error", True)])
def test_what_the_node_makes_no_plan_of_has_none(kind: str, raises: bool) -> None:
    class Refusing:
        def expect(self, wanted: type, query: Any) -> Any:
            raise NodeRefusedError(wire.Failed(why="No.", kind=kind))  # type: ignore[arg-type]

    client = cast(Client, Refusing())
    if raises:
        with pytest.raises(NodeRefusedError):
            plan_of(client, "<0.7.0>")
    else:
        assert plan_of(client, "<0.7.0>") is None
