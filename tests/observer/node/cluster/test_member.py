"""One node of a cluster: what is seen of it, how often, and what stays when it is gone."""

from __future__ import annotations

import asyncio

import pytest

from observer.node.cluster.member import Member
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode, FakeProcess


async def test_a_large_node_is_looked_at_less_often_and_its_branch_says_how_much_is_seen() -> None:
    member = Member("big@h", 3, fake_nodes.crowd(300))
    assert member.is_due
    await member.look(50)
    branch, *rows = member.branch()
    assert (len(rows), branch.machine_state) == (50, "the first 50 of 304 rows")
    assert (branch.kind, branch.key, branch.child_count) == ("group", "big@h", 304)
    assert not member.is_due


async def test_events_are_told_once() -> None:
    node = fake_nodes.chat()
    node.crash(node.find("bob"))
    member = Member("chat@h", 3, node)
    assert [event.kind for event in await member.look(50)] == ["exit", "restart"]
    assert await member.look(50) == ()
    node.crash(node.find("ada"))
    assert len(await member.look(50)) == 2


class _Slow(FakeNode):
    """Lets others go on before each answer."""

    async def ask(self, query: wire.Query) -> wire.Answer:
        found = await super().ask(query)
        await asyncio.sleep(0)
        return found


async def test_two_looks_at_a_time_tell_each_event_once() -> None:
    root = FakeProcess("pool", "pool", "<0.10.0>", "supervisor", strategy="one_for_one")
    node = _Slow(root)
    node.crash(root.add("first", "<0.11.0>"))
    member = Member("left@h", 3, node)
    told = await asyncio.gather(member.look(50), member.look(50))
    assert sorted(event.id for events in told for event in events) == [1, 2]


async def test_events_are_told_again_only_of_another_life() -> None:
    node = fake_nodes.chat()
    node.crash(node.find("bob"))
    member = Member("chat@h", 3)
    member.meet(node, 3, (1, 0.0))
    assert len(await member.look(50)) == 2
    member.meet(node, 3, (1, 0.0))
    assert await member.look(50) == ()
    member.meet(node, 3, (2, 0.0))
    assert len(await member.look(50)) == 2


async def test_a_node_that_is_left_stays_as_it_was_seen_and_cannot_be_asked() -> None:
    member = Member("chat@h", 3, fake_nodes.chat())
    await member.look(50)
    await member.leave()
    member.note = "is down"
    _, *rows = member.branch()
    assert [row.started_at for row in rows if row.name == "ada"] == [None]
    with pytest.raises(NodeLostError, match="chat@h cannot be asked: it is down"):
        await member.ask(wire.GetStats())


async def test_what_is_all_that_a_node_has_is_unfolded_at_first() -> None:
    member = Member("shop@h", 3, fake_nodes.server())
    assert [*member.unfolded] == ["shop@h"]
    await member.look(50)
    assert [*member.unfolded] == ["shop@h", f"shop@h/{wire.GREENLETS}"]
