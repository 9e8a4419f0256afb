"""Chaos among nodes in the dashboard: the plan before, one node after another, and what happened to each."""

from __future__ import annotations

import sys
import threading

import msgspec
from textual.widgets import Input

from observer.model.node_chaos import NodeChaos
from observer.model.settings import Settings
from observer.screens.node_chaos_screen import NodeChaosScreen
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode


def _taken(node: FakeNode) -> list[tuple[str, str]]:
    return [(each.action, each.node) for each in node.asked if isinstance(each, wire.ControlNode)]


def _is_at_work(thread: threading.Thread) -> bool:
    """Tell whether a thread is in a run of chaos."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_code is NodeChaos.run.__code__:
            return True
        frame = frame.f_back
    return False


async def _until_taken(driver: Driver) -> None:
    for _ in range(200):
        if _taken(driver.node):
            return
        await driver.pilot.pause(0.01)
    raise AssertionError("no node was taken")


async def _becomes(driver: Driver, expected: str) -> None:
    for _ in range(200):
        if expected in driver.text():
            return
        await driver.pilot.pause(0.01)
    assert expected in driver.text()


async def test_the_plan_stands_there_before_anything_is_done(drive: Drive) -> None:
    async with drive(fake_nodes.cluster()) as driver:
        await driver.press("7", "c")
        assert isinstance(driver.app.screen, NodeChaosScreen)
        await _becomes(driver, "plan      kills left@10.0.0.2; no process here ends")
        assert "Nothing was done yet" in driver.text()
        driver.app.screen.query_one("#action", Input).value = "disconnect"
        await _becomes(driver, "disconnects slow@10.0.0.4; no process here ends")
        driver.app.screen.query_one("#action", Input).value = "burn"
        await _becomes(driver, "! The action is one of kill, stop, disconnect; not 'burn'.")
        driver.app.screen.query_one("#action", Input).value = "kill"
        driver.app.screen.query_one("#target", Input).value = "nowhere*"
        await _becomes(driver, "No connected node may be taken: Target names others.")
        assert _taken(driver.node) == []


async def test_a_node_is_taken_and_what_came_of_it_is_told(drive: Drive) -> None:
    node = fake_nodes.cluster()
    async with drive(node) as driver:
        await driver.press("7", "c")
        await _becomes(driver, "plan      kills left@10.0.0.2")
        await driver.press("enter")
        await _until_taken(driver)
        assert _taken(node) == [("kill", "left@10.0.0.2")]
        node.nodes = (msgspec.structs.replace(node.nodes[0], state="down"), *node.nodes[1:])
        await _becomes(driver, "happened  ✓ ")
        await driver.press("enter")
        await _becomes(driver, "! It was stopped.")


async def test_leaving_ends_it_at_once(drive: Drive) -> None:
    node = fake_nodes.cluster()
    async with drive(node) as driver:
        await driver.press("7", "c")
        await _becomes(driver, "plan      kills left@10.0.0.2")
        await driver.press("enter")
        await _until_taken(driver)
        before = {thread for thread in threading.enumerate() if _is_at_work(thread)}
        assert before
        await driver.press("escape")
        for _ in range(200):
            if not any(map(_is_at_work, before)):
                break
            await driver.pilot.pause(0.01)
        assert not any(map(_is_at_work, before))


async def test_a_read_only_view_takes_no_node(drive: Drive) -> None:
    node = fake_nodes.cluster()
    async with drive(node, settings=Settings(interval=60.0, read_only=True)) as driver:
        await driver.press("7", "c", "enter")
        assert await driver.shows("This is a read-only view")
        assert _taken(node) == []
