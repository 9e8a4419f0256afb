"""All nodes of a cluster as one source: the tree and the lists of all, and what is done to a process of one."""

from __future__ import annotations

import asyncio

import pytest

from observer.node.cluster import whole_cluster
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support.fake_cluster import Nodes, at_once, lines, other

__all__ = ["at_once"]


async def test_each_node_is_a_branch_of_one_tree() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    rows = await nodes.tree()
    assert lines(rows) == [
        "chat",
        "  chat_sup",
        "    chat_server",
        "    clients",
        "      ada",
        "      bob",
        "      charles",
        "    listener",
        "  no supervisor+",
        "left@h",
        "  pool",
        "    first",
        "    second",
    ]
    assert [row.pid for row in rows if row.name in ("chat_server", "first")] == ["<0.11.0>", "<5.11.0>"]


async def test_branches_are_folded_and_unfolded_as_other_rows() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    assert lines(await nodes.tree(folded=("chat", "left@h/pool"))) == ["chat+", "left@h", "  pool+"]
    assert lines(await nodes.tree(root="left@h/pool")) == ["pool", "  first", "  second"]


async def test_a_filter_and_an_order_are_for_the_processes_of_all_nodes() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    listed = await nodes.window(wire.GetProcesses(sort="memory", limit=3))
    assert [(row.name, row.pid) for row in listed.rows] == [
        ("first @left", "<5.11.0>"),
        ("chat_server @chat", "<0.11.0>"),
        ("charles @chat", "<0.15.0>"),
    ]
    assert listed.total == 11
    found = await nodes.window(wire.GetProcesses(sort="name", descending=False, filter="key~left and kind=worker"))
    assert [row.name for row in found.rows] == ["first @left", "second @left"]
    assert lines(await nodes.tree(filter="second")) == ["left@h", "  pool", "    second"]
    wrong = await nodes.whole.ask(wire.GetTree(filter="mailbox>"))
    assert isinstance(wrong, wire.Failed)


async def test_the_figures_are_those_of_all_and_say_how_many_nodes_there_are() -> None:
    nodes = Nodes(left=other())
    nodes.home.nodes += (wire.ClusterNode(name="far@x", state="up", kind="beam"),)
    await nodes.whole.connect()
    found = await nodes.whole.ask(wire.GetStats())
    assert isinstance(found, wire.Stats)
    assert (found.stats.process_count, found.stats.scope) == (11, "2 of 3 nodes")


async def test_a_node_that_cannot_be_asked_is_a_row_that_says_so() -> None:
    nodes = Nodes()
    nodes.home.nodes = (
        wire.ClusterNode(name="erl@x", state="up", kind="beam"),
        wire.ClusterNode(name="py@x", state="up", kind="python"),
        wire.ClusterNode(name="gone@x", state="down", reason="net_tick_timeout"),
    )
    await nodes.whole.connect()
    notes = {row.name: row.machine_state for row in await nodes.tree(folded=("chat",))}
    assert notes == {
        "chat": None,
        "erl@x": "is up, and cannot be observed from here: 'observer bridge erl@x' opens a way",
        "gone@x": "is down: net_tick_timeout",
        "py@x": "is up, and cannot be observed from here: start it there with OBSERVER=1",
    }
    assert nodes.whole.unseen() == [(name, notes[name]) for name in ("erl@x", "py@x", "gone@x")]


async def test_a_node_that_is_gone_stays_as_it_was_last_seen_and_begins_anew_when_it_is_back() -> None:
    left = other()
    nodes = Nodes(left=left)
    await nodes.whole.connect()
    assert "    first" in lines(await nodes.tree())
    left.lose()
    nodes.set_state("left@h", state="down", since=0.0, reason="connection_closed")
    rows = await nodes.tree()
    branch = next(row for row in rows if row.key == "left@h")
    assert branch.machine_state is not None
    assert branch.machine_state.endswith("connection_closed; as last seen")
    gone = next(row for row in rows if row.name == "first")
    assert (gone.pid, gone.started_at) == ("<5.11.0>", None)
    answer = await nodes.whole.ask(wire.Exit(pid="<5.11.0>"))
    assert isinstance(answer, wire.Failed)
    assert answer.why.startswith("left@h cannot be asked: it is down since")
    left.come_back()
    nodes.set_state("left@h", state="up", number=6)
    await nodes.tree()
    rows = await nodes.tree()
    assert next(row.pid for row in rows if row.name == "first") == "<6.11.0>"
    assert next(row for row in rows if row.key == "left@h").machine_state is None


async def test_a_node_that_hangs_holds_up_no_answer_about_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_cluster, "PATIENCE", 0.0)
    left = other()
    nodes = Nodes(left=left)
    await nodes.whole.connect()
    left.hold = asyncio.Event()
    assert "    ada" not in lines(await nodes.tree())
    assert lines(await nodes.tree(folded=("chat",)))[1] == "left@h"
    left.hold.set()
    await nodes.whole.close()


async def test_a_process_is_seen_from_near_and_ended_where_it_is() -> None:
    left = other()
    nodes = Nodes(left=left)
    await nodes.whole.connect()
    found = await nodes.whole.ask(wire.GetProcess(pid="<5.11.0>"))
    assert isinstance(found, wire.Details)
    assert (found.row.pid, found.row.key, found.row.name) == ("<5.11.0>", "left@h/pool/first", "first")
    done = await nodes.whole.ask(wire.Exit(pid="<5.11.0>"))
    assert isinstance(done, wire.Done)
    events = await nodes.whole.ask(wire.GetEvents(after=0))
    assert isinstance(events, wire.Events)
    kill = next(event for event in events.events if event.id == done.event)
    assert (kill.kind, kill.pid, kill.key) == ("kill", "<5.11.0>", "left@h/pool/first")
    assert [event.kind for event in events.events if event.cause == kill.id] == ["exit"]
    assert not any(isinstance(query, wire.Exit) for query in nodes.home.asked)
    assert isinstance(await nodes.whole.ask(wire.Exit(pid="<9.1.0>")), wire.Failed)


async def test_events_of_all_nodes_have_one_count_and_the_newest_is_told() -> None:
    left = other()
    nodes = Nodes(left=left)
    nodes.home.crash(nodes.home.find("bob"))
    left.crash(left.find("first"))
    await nodes.whole.connect()
    events = await nodes.whole.ask(wire.GetEvents(after=0))
    assert isinstance(events, wire.Events)
    assert [event.id for event in events.events] == [1, 2, 3, 4]
    assert {event.cause for event in events.events} == {None, 1, 3}
    stats = await nodes.whole.ask(wire.GetStats())
    assert isinstance(stats, wire.Stats)
    assert stats.stats.last_event == 4


async def test_events_that_nodes_had_before_are_told_in_order_of_time() -> None:
    left = other()
    nodes = Nodes(left=left)
    left.crash(left.find("first"))
    nodes.home.time += 1.0
    nodes.home.crash(nodes.home.find("bob"))
    await nodes.whole.connect()
    events = await nodes.whole.ask(wire.GetEvents(after=0))
    assert isinstance(events, wire.Events)
    assert [event.time for event in events.events] == sorted(event.time for event in events.events)
    assert (events.events[0].key or "").startswith("left@h/")


async def test_a_plan_for_processes_of_several_nodes_says_what_ends_on_each() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    both = await nodes.whole.ask(wire.GetPlan(pid="<0.13.0>", others=("<5.11.0>",)))
    assert isinstance(both, wire.Plan)
    assert both.sentence.startswith("on chat: ")
    assert "; on left@h: " in both.sentence
    assert {each.pid for each in both.kills} >= {"<0.13.0>", "<5.11.0>"}
    one = await nodes.whole.ask(wire.GetPlan(pid="<5.11.0>"))
    assert isinstance(one, wire.Plan)
    assert not one.sentence.startswith("on ")


async def test_places_are_asked_of_their_own_nodes() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    found = await nodes.window(wire.GetPlaces(keys=("left@h/pool/first", "chat/chat_sup/clients", "nowhere")))
    assert {row.pid for row in found.rows} == {"<5.11.0>", "<0.12.0>"}


async def test_a_trace_of_another_node_is_refused_with_what_to_do() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    for query in (wire.StartTrace(pids=("<5.11.0>",)), wire.StartTrace(places=("left@h/pool",))):
        answer = await nodes.whole.ask(query)
        assert isinstance(answer, wire.Failed)
        assert "open its own dashboard" in answer.why
    await nodes.whole.ask(wire.StartTrace(places=("chat/chat_sup",)))
    assert nodes.home.asked[-1] == wire.StartTrace(places=("chat_sup",))


async def test_a_trace_is_of_one_whole_node_only_where_its_row_was_chosen() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    for query in (wire.StartTrace(), wire.StartTrace(filter="x"), wire.StartTrace(places=("chat", "left@h"))):
        answer = await nodes.whole.ask(query)
        assert isinstance(answer, wire.Failed)
        assert "open its own dashboard" in answer.why
    assert not any(isinstance(query, wire.StartTrace) for query in nodes.home.asked)
    await nodes.whole.ask(wire.StartTrace(pids=("<0.1.0>",), places=("chat", "chat/chat_sup"), seconds=2.0))
    assert nodes.home.asked[-1] == wire.StartTrace(seconds=2.0)


async def test_many_nodes_are_looked_at_in_bounds() -> None:
    nodes = Nodes(**{f"n{number:02}": other() for number in range(whole_cluster.MOST_NODES + 3)})
    await nodes.whole.connect()
    rows = await nodes.tree(limit=wire.MAX_ROWS)
    assert sum(row.depth == 0 for row in rows) == whole_cluster.MOST_NODES + 1
    asked = [query for query in nodes.sources["n00@h"].asked if isinstance(query, wire.GetTree)]
    assert asked[-1].limit == whole_cluster.ALL_ROWS // (whole_cluster.MOST_NODES + 1)


async def test_the_loss_of_the_node_that_was_asked_is_the_loss_of_all() -> None:
    nodes = Nodes(left=other())
    await nodes.whole.connect()
    nodes.home.lose()
    with pytest.raises(NodeLostError):
        await nodes.tree()
