"""A node as all screens share it."""

from __future__ import annotations

from observer.model.observed_node import ObservedNode
from observer.model.settings import Settings
from runtime.introspection import wire
from tests.support.fake_nodes import chat


async def test_an_order_is_carried_out_and_looked_at() -> None:
    node = chat()
    observed = ObservedNode(node)
    pid = node.find("ada").pid
    assert isinstance(await observed.order(wire.Exit(pid=pid or "")), wire.Done)
    assert isinstance(node.asked[-1], wire.Exit)
    assert observed.poller._wanted.is_set()


async def test_a_lost_node_answers_with_a_failure_in_its_words() -> None:
    node = chat()
    observed = ObservedNode(node)
    node.lose("The connection was closed.")
    assert await observed.ask(wire.GetStats()) == wire.Failed(why="The connection was closed.")


async def test_read_only_settings_refuse_before_the_node_is_asked() -> None:
    node = chat()
    observed = ObservedNode(node, Settings(read_only=True))
    answer = await observed.order(wire.Exit(pid="<0.1.0>"))
    assert isinstance(answer, wire.Failed)
    assert answer.kind == "read_only"
    assert node.asked == []


async def test_a_node_that_says_it_is_read_only_is_believed() -> None:
    node = chat(read_only=True)
    observed = ObservedNode(node)
    assert not observed.read_only
    observed.report_to(lambda: [wire.GetStats()], lambda news: None)
    await observed.poller.meet()
    await observed.poller.look()
    assert observed.read_only
