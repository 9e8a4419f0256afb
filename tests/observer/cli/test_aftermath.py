"""A command waits for what comes of its signal, and asks beforehand what will."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from observer.cli.aftermath import plan_of, wait_for
from observer.model import aftermath
from observer.node.client import Client, NodeRefusedError
from observer.node.source import NodeLostError
from runtime.introspection import kept_events, wire

KILL = wire.Event(id=5, time=1.0, kind="kill", pid="<0.7.0>", name="shop")
EXIT = wire.Event(id=6, time=1.1, kind="exit", pid="<0.7.0>", name="shop", reason="killed", crashed=True, cause=5)
BACK = wire.Event(id=7, time=1.2, kind="restart", pid="<0.8.0>", old_pid="<0.7.0>", name="shop", cause=6)

VICTIM = (wire.Related(pid="<0.7.0>", name="shop"),)
STAYS_AWAY = wire.Plan(sentence="kills 1", kills=VICTIM)
COMES_BACK = wire.Plan(sentence="kills 1, restarts 1", kills=VICTIM, restarts=VICTIM)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as a busy machine takes, where a test is not about the limits."""
    monkeypatch.setattr(aftermath, "END_TIMEOUT", 60.0)
    monkeypatch.setattr(aftermath, "RETURN_TIMEOUT", 60.0)


class Log:
    """A client whose node has one more event in its log with every question."""

    def __init__(self, *events: wire.Event) -> None:
        self.events = events
        self.asked: list[int] = []
        self.welcome: wire.Welcome | None = None

    def expect(self, kind: type, query: Any) -> wire.Events:
        self.asked.append(query.after)
        there = self.events[: len(self.asked)]
        return wire.Events(events=tuple(event for event in there if event.id > query.after))


def test_the_log_is_followed_until_the_process_is_back() -> None:
    log = Log(KILL, EXIT, BACK)
    known = wait_for(cast(Client, log), 5, "<0.7.0>", COMES_BACK)
    assert known.restarted_as == "<0.8.0>"
    assert log.asked == [4, 5, 6]


def test_where_nothing_comes_back_the_end_is_enough() -> None:
    log = Log(KILL, EXIT, BACK)
    known = wait_for(cast(Client, log), 5, "<0.7.0>", STAYS_AWAY)
    assert known.ended
    assert known.restarted_as is None


def test_it_is_not_waited_for_longer_than_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermath, "END_TIMEOUT", 0.0)
    monkeypatch.setattr(aftermath, "RETURN_TIMEOUT", 0.0)
    assert not wait_for(cast(Client, Log(KILL)), 5, "<0.7.0>", COMES_BACK).ended
    assert wait_for(cast(Client, Log(KILL, EXIT)), 5, "<0.7.0>", COMES_BACK).restarted_as is None


def test_a_supervisor_that_is_to_give_up_is_waited_for_and_the_end_of_the_program_too() -> None:
    fall = wire.Event(id=7, time=1.2, kind="gave_up", pid="<0.2.0>", name="top", cause=6)
    over = wire.Event(id=8, time=1.2, kind="report", pid="<0.1.0>", message="the program ends: ...", ends_program=True)
    gives_up = wire.Plan(sentence="", kills=VICTIM, gives_up=(wire.Related(pid="<0.2.0>", name="top"),))
    known = wait_for(cast(Client, Log(KILL, EXIT, fall, over)), 5, "<0.7.0>", gives_up)
    assert known.sentence(comes_back=False) == "top gave up. The program has ended."
    known = wait_for(cast(Client, Log(KILL, EXIT, fall)), 5, "<0.7.0>", gives_up)
    assert known.sentence(comes_back=False) == "top gave up."


def test_what_a_program_that_ends_meanwhile_has_left_behind_is_read(socket_folder: Path) -> None:
    welcome = wire.Welcome(wire.PROTOCOL, "shop", 1, 0.0, "", "", "")
    keeper = kept_events.Keeper(welcome)
    keeper.keep([EXIT, wire.Event(id=7, time=1.2, kind="gave_up", pid="<0.2.0>", name="top", cause=6)])
    keeper.close()

    class Ending(Log):
        name = "shop"

        def expect(self, kind: type, query: Any) -> wire.Events:
            if self.asked:
                raise NodeLostError("gone")
            return super().expect(kind, query)

    client = Ending(KILL)
    client.welcome = welcome
    known = wait_for(cast(Client, client), 5, "<0.7.0>", STAYS_AWAY)
    assert known.sentence(comes_back=False) == "top gave up. The program has ended."


def test_a_plan_for_another_reason_than_the_one_asked_for_is_none() -> None:
    class Old:
        def expect(self, wanted: type, query: Any) -> Any:
            return wire.Plan(sentence="kills 1", kills=VICTIM)

    client = cast(Client, Old())
    assert plan_of(client, "<0.7.0>") is not None
    assert plan_of(client, "<0.7.0>", "'shutdown'") is None


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
