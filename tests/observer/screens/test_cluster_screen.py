"""The view of the other nodes: what is done to one, what is told of it, and going to another node and back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from observer.model.settings import Settings
from observer.node.discovery import Found
from observer.node.source import ChildStatus
from observer.screens import going
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode


def _orders(node: FakeNode) -> list[tuple[str, str]]:
    return [(each.action, each.node) for each in node.asked if isinstance(each, wire.ControlNode)]


async def test_the_view_stands_among_the_others_only_where_there_are_nodes(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.look()
        assert "7 Cluster" not in driver.text()
        await driver.press("7")
        await driver.look()
        assert "This node has no name" in driver.text()
    async with drive(fake_nodes.cluster()) as driver:
        await driver.look()
        assert "7 Cluster" in driver.text()


async def test_a_node_is_killed_only_after_a_yes_and_what_came_of_it_is_told(drive: Drive) -> None:
    node = fake_nodes.cluster()
    async with drive(node) as driver:
        await driver.press("7")
        await driver.look()
        await driver.press("x")
        assert await driver.shows("kills left@10.0.0.2; no process here ends")
        await driver.press("escape")
        assert _orders(node) == []
        await driver.press("x")
        await driver.press("enter")
        assert _orders(node) == [("kill", "left@10.0.0.2")]
        node.nodes = (msgspec.structs.replace(node.nodes[0], state="down"), *node.nodes[1:])
        await driver.look()
        assert await driver.shows("Killed left@10.0.0.2")
        assert await driver.shows("planned: kills left@10.0.0.2; no process here ends")


async def test_a_read_only_view_touches_no_node(drive: Drive) -> None:
    node = fake_nodes.cluster()
    async with drive(node, settings=Settings(interval=60.0, read_only=True)) as driver:
        await driver.press("7")
        await driver.look()
        for key in "xsdn":
            await driver.press(key)
            assert await driver.shows("This is a read-only view")
        assert _orders(node) == []


async def test_the_facts_are_those_of_the_selected_node(drive: Drive) -> None:
    async with drive(fake_nodes.cluster()) as driver:
        await driver.press("7")
        await driver.look()
        assert "started by <0.14.0> of this node" in driver.text()
        await driver.press("j")
        assert "gone; what is shown is what was last seen): net_tick_timeout" in driver.text()
        await driver.press("j")
        assert "none for 7.5s" in driver.text()
        assert "4 processes wait here: it reads too slowly" in driver.text()


async def test_enter_goes_to_a_node_that_has_a_socket_here(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Found("left", Path("left.sock"))
    monkeypatch.setattr(going, "find_by_distributed_name", lambda name: there if name == "left@10.0.0.2" else None)
    monkeypatch.setattr(going, "Bridge", _NoBridge)
    async with drive(fake_nodes.cluster()) as driver:
        await driver.press("7")
        await driver.look()
        await driver.press("j", "enter")
        assert await driver.shows("night@10.0.0.3 is not there.")
        assert driver.app.wanted is None
        await driver.press("k", "enter")
        for _ in range(3_000):
            if driver.app.wanted is not None:
                break
            await driver.pilot.pause(0.01)
        assert driver.app.wanted == there


class _NoBridge:
    """A bridge that does not come up, or one that does, where the node is called ``there``."""

    def __init__(self, name: str, options: list[str]) -> None:
        self.name, self.options, self.is_over = name, options, False

    def wait_until_listening(self) -> bool:
        return self.name.startswith("there")

    def end(self) -> None:
        self.is_over = True

    def status(self) -> ChildStatus:
        return ChildStatus("the bridge", 1, cause=f"{self.name} is not there.")


async def test_enter_goes_to_a_beam_node_by_a_bridge(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(going, "find_by_distributed_name", lambda name: None)
    monkeypatch.setattr(going, "Bridge", _NoBridge)
    node = fake_nodes.cluster()
    node.nodes = (msgspec.structs.replace(node.nodes[1], name="there@10.0.0.3", state="up"), node.nodes[0])
    async with drive(node) as driver:
        await driver.press("7")
        await driver.look()
        await driver.press("j", "enter")
        assert await driver.shows("left@10.0.0.2 cannot be observed from here")
        await driver.press("k", "enter")
        for _ in range(3_000):
            if driver.app.wanted is not None:
                break
            await driver.pilot.pause(0.01)
        bridge: object = driver.app.wanted
        assert isinstance(bridge, _NoBridge)
        assert (bridge.name, bridge.options, bridge.is_over) == ("there@10.0.0.3", [], False)


def test_a_bridge_that_does_not_come_up_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = _NoBridge("far@10.0.0.4", [])
    monkeypatch.setattr(going, "Bridge", lambda name, options: bridge)
    found, why = going.bridge_to("far@10.0.0.4", [])
    assert found is None
    assert why.startswith("far@10.0.0.4 is not there. 'observer attach beam:far@10.0.0.4 --cookie-file FILE'")
    assert bridge.is_over


async def test_esc_goes_back_only_from_a_node_that_was_gone_to(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("escape")
        assert not driver.app.goes_back
        driver.app.is_inner = True
        await driver.press("escape")
        assert driver.app.goes_back


async def test_a_process_of_another_node_leads_there(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    node = fake_nodes.cluster()
    far = wire.Related(pid="<3.9.0>", name="on left@10.0.0.2", node="left@10.0.0.2", pid_there="<0.9.0>")
    plain = node._process

    def with_a_far_link(query: wire.GetProcess) -> wire.Answer:
        details = plain(query)
        assert isinstance(details, wire.Details)
        return msgspec.structs.replace(details, links=(far,), parent=None, ancestors=())

    monkeypatch.setattr(node, "_process", with_a_far_link)
    asked: list[str] = []
    monkeypatch.setattr(going, "find_by_distributed_name", asked.append)
    async with drive(node) as driver:
        await driver.press("j", "enter")
        await driver.look(2)
        await driver.press("enter")
        assert await driver.shows("The process <0.9.0> is on left@10.0.0.2.")
        assert asked == ["left@10.0.0.2"]
