"""Nodes that come, go and begin anew while all of them are looked at, and looks that meet each other."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from observer.node.cluster import whole_cluster
from runtime.introspection import wire
from tests.support.fake_cluster import Nodes, at_once, lines, other

__all__ = ["at_once"]


# -- Numbers ------------------------------------------------------------------------------------------------------


async def test_a_node_that_was_never_reached_takes_no_number_from_another() -> None:
    nodes = Nodes(right=other())
    never = wire.ClusterNode(name="left@h", state="connecting")
    nodes.home.nodes = (never, wire.ClusterNode(name="right@h", state="up", number=1))
    await nodes.whole.connect()
    assert nodes.whole.node_called(1) == "right@h"
    assert isinstance(await nodes.whole.ask(wire.Exit(pid="<1.11.0>")), wire.Done)
    nodes.sources["left@h"] = other()
    nodes.set_state("left@h", state="up", number=2)
    assert {"<1.12.0>", "<2.12.0>"} <= {row.pid for row in await nodes.tree()}


async def test_no_two_nodes_have_one_number_whatever_the_node_that_is_asked_calls_them() -> None:
    nodes = Nodes(left=other(), right=other())
    for name, number in (("left@h", 0), ("right@h", 1)):
        nodes.set_state(name, number=number)
    nodes.home.nodes = nodes.home.nodes[:1]  # the other one comes later, with the number that was made up
    await nodes.whole.connect()
    nodes.home.nodes += (wire.ClusterNode(name="right@h", state="up", number=1),)
    for _ in range(3):
        pids = [row.pid for row in await nodes.tree() if row.name == "second"]
    assert pids == ["<1.12.0>", "<2.12.0>"]
    assert (nodes.whole.node_called(1), nodes.whole.node_called(2)) == ("left@h", "right@h")
    assert [each.connects for each in nodes.sources.values()] == [1, 1]


async def test_another_life_of_the_node_that_was_asked_numbers_the_others_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(left=other(), right=other())
    await nodes.whole.connect()
    nodes.home.os_pid += 1
    monkeypatch.setattr(nodes.home, "close", None)  # its new connection stays open
    nodes.set_state("left@h", number=6)
    nodes.set_state("right@h", state="down", number=0)
    await nodes.whole.connect()
    rows = await nodes.tree()
    assert [row.pid for row in rows if row.name == "second"] == ["<6.12.0>"]
    assert (nodes.whole.node_called(5), nodes.whole.node_called(6)) == ("?", "left@h")


# -- Events -------------------------------------------------------------------------------------------------------


async def events_of(nodes: Nodes) -> list[tuple[int, int | None]]:
    events = await nodes.whole.ask(wire.GetEvents(after=0))
    assert isinstance(events, wire.Events)
    return [(event.id, event.cause) for event in events.events]


async def test_a_connection_that_comes_back_brings_no_event_again() -> None:
    left = other()
    nodes = Nodes(left=left)
    nodes.home.crash(nodes.home.find("bob"))
    left.crash(left.find("first"))
    await nodes.whole.connect()
    left.lose()
    await nodes.tree()
    left.come_back()
    await nodes.tree()
    await nodes.whole.connect()
    nodes.home.nodes, known = (), nodes.home.nodes
    await nodes.tree()
    nodes.home.nodes = known  # it was forgotten in between
    await nodes.tree()
    assert await events_of(nodes) == [(1, None), (2, 1), (3, None), (4, 3)]


async def test_no_event_has_a_cause_in_a_former_life_of_its_node() -> None:
    left = other()
    nodes = Nodes(left=left)
    left.crash(left.find("first"))
    await nodes.whole.connect()
    left.os_pid += 1
    left.events = [msgspec.structs.replace(left.events[1], id=number) for number in (2, 3)]  # each says: because of 1
    nodes.set_state("left@h", number=6)
    await nodes.tree()
    assert await events_of(nodes) == [(1, None), (2, 1), (3, None), (4, None)]


# -- Plans --------------------------------------------------------------------------------------------------------


async def test_a_plan_is_for_those_that_are_there_whichever_of_them_has_ended() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    for pids in (("<0.13.0>", "<5.99.0>", "<5.12.0>"), ("<0.99.0>", "<0.13.0>", "<5.98.0>", "<5.99.0>", "<5.12.0>")):
        plan = await nodes.whole.ask(wire.GetPlan(pid=pids[0], others=pids[1:]))
        assert isinstance(plan, wire.Plan)
        assert [each.pid for each in plan.kills] == ["<0.13.0>", "<5.12.0>"]
    ended = await nodes.whole.ask(wire.GetPlan(pid="<0.99.0>", others=("<5.99.0>",)))
    assert isinstance(ended, wire.Failed)
    assert ended.kind == "noproc"


async def test_a_plan_says_which_node_does_not_answer_and_no_process_ended_because_of_that() -> None:
    left, right = other(), other()
    nodes = Nodes(left=left, right=right)
    await nodes.whole.connect()
    left.lose("left did not answer.")
    some = await nodes.whole.ask(wire.GetPlan(pid="<5.11.0>", others=("<6.11.0>",)))
    assert isinstance(some, wire.Plan)
    assert some.sentence.startswith("on left@h: not known (left did not answer); on right@h: kills 1")
    right.lose()
    for others in (("<6.11.0>",), ("<0.99.0>",)):
        failed = await nodes.whole.ask(wire.GetPlan(pid="<5.11.0>", others=others))
        assert failed == wire.Failed(why="left did not answer.", kind="error")


# -- Bounds -------------------------------------------------------------------------------------------------------


async def test_nodes_that_are_gone_push_out_none_that_is_up_and_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_cluster, "MOST_NODES", 2)
    nodes = Nodes(a=other(), b=other(), c=other(), d=other())
    await nodes.whole.connect()
    assert [row.key for row in await nodes.tree() if not row.depth] == ["chat", "a@h", "b@h"]
    for name in ("a@h", "b@h"):
        nodes.set_state(name, state="down")
    assert [row.key for row in await nodes.tree() if not row.depth] == ["chat", "c@h", "d@h"]
    assert nodes.whole.node_called(5) == "?"
    nodes.home.nodes = ()
    assert [row.key for row in await nodes.tree() if not row.depth] == ["chat"]


async def test_rows_seen_when_there_were_fewer_nodes_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_cluster, "ALL_ROWS", 6)
    monkeypatch.setattr(whole_cluster, "LEAST_ROWS", 1)
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    assert sum(row.depth > 0 for row in await nodes.tree()) == 6
    nodes.set_state("left@h", state="down")
    nodes.home.nodes += tuple(wire.ClusterNode(name=f"n{number}", state="down") for number in range(4))
    rows = await nodes.tree()
    assert [row.name for row in rows if row.depth] == ["chat_sup", "pool"]
    note = next(row.machine_state for row in rows if row.key == "left@h")
    assert note is not None
    assert note.endswith("as last seen, the first 1 of 3 rows")


# -- Looks --------------------------------------------------------------------------------------------------------


async def test_a_node_that_does_not_answer_is_said_to_be_shown_as_last_seen() -> None:
    left = other()
    nodes = Nodes(left=left)
    await nodes.whole.connect()
    del nodes.sources["left@h"]  # its socket answers no search either
    left.lose("left did not answer within 2 s.")
    for _ in range(2):
        note = next(row.machine_state for row in await nodes.tree() if row.key == "left@h")
        assert note == "is up, and does not answer: left did not answer within 2 s; as last seen"
    answer = await nodes.whole.ask(wire.Exit(pid="<5.11.0>"))
    assert isinstance(answer, wire.Failed)
    assert answer.why.startswith("left@h cannot be asked: it is up, and does not answer: ")


async def test_a_node_is_said_to_have_no_way_only_when_one_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    left = other()
    nodes = Nodes(left=left)
    await nodes.whole.connect()

    async def note() -> str | None:
        return next(row.machine_state for row in await nodes.tree() if row.key == "left@h")

    left.lose("It hangs.")
    assert await note() == "is up, and does not answer: It hangs; as last seen"
    left.come_back()
    nodes.set_state("left@h", state="down", reason="killed")
    assert await note() == "is down: killed; as last seen"
    nodes.set_state("left@h", state="up", number=6)
    with monkeypatch.context() as seldom:
        seldom.setattr(whole_cluster, "FIND_EVERY", 1e9)
        assert await note() == "is up, and not reached yet; as last seen"
    del nodes.sources["left@h"]
    way = "is up, and cannot be observed from here: start it there with OBSERVER=1; as last seen"
    assert [await note(), await note()] == [way, way]
    nodes.sources["left@h"] = left
    assert await note() is None


async def test_there_is_one_look_at_a_time_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    under_way, most, answer = 0, 0, nodes.home.ask

    async def ask(query: wire.Query) -> wire.Answer:
        nonlocal under_way, most
        if isinstance(query, wire.GetCluster):
            under_way += 1
            most = max(most, under_way)
            for _ in range(10):
                await asyncio.sleep(0)
            under_way -= 1
        return await answer(query)

    monkeypatch.setattr(nodes.home, "ask", ask)

    async def ask_twice() -> None:
        await nodes.tree()
        await nodes.tree()

    await asyncio.gather(*(ask_twice() for _ in range(3)))
    assert most == 1


async def test_a_look_that_has_failed_is_forgotten_with_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    with monkeypatch.context() as hurried:
        hurried.setattr(whole_cluster, "PATIENCE", 0.0)
        nodes.home.hold = asyncio.Event()
        await nodes.tree()
        nodes.home.lose()
        nodes.home.hold.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    nodes.home.hold = None
    nodes.home.come_back()
    await nodes.whole.connect()
    assert "    first" in lines(await nodes.tree())


async def test_a_look_under_way_ends_when_another_program_takes_the_place_of_the_one_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    asked = nodes.home.asked
    with monkeypatch.context() as hurried:
        hurried.setattr(whole_cluster, "PATIENCE", 0.0)
        held = nodes.home.hold = asyncio.Event()
        await nodes.tree()
        await asyncio.sleep(0)
    nodes.home.hold = None
    nodes.home._name = "shop"
    await nodes.whole.connect()
    after = len(asked)
    held.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(asked) == after
    assert [row.key for row in await nodes.tree() if not row.depth] == ["shop", "left@h"]
    await nodes.whole.close()
    await nodes.whole.close()
