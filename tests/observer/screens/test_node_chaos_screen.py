"""Chaos among nodes in the dashboard: the plan before, one node after another, and what happened to each."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable

import msgspec
import pytest
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


async def _until(driver: Driver, holds: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if holds():
            return
        await driver.pilot.pause(0.01)
    pytest.fail(f"It never became so. The last screen:\n{driver.text()}")


async def _until_taken(driver: Driver) -> None:
    await _until(driver, lambda: bool(_taken(driver.node)))


async def _becomes(driver: Driver, expected: str) -> None:
    await _until(driver, lambda: expected in driver.text())


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


def _hold_plans(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, list[wire.GetNodePlan]]:
    """Answer no question for a plan until the event is set. The list is of those questions."""
    ask, is_answered, asked = node.ask, asyncio.Event(), list[wire.GetNodePlan]()

    async def answer(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.GetNodePlan):
            asked.append(query)
            await is_answered.wait()
        return await ask(query)

    monkeypatch.setattr(node, "ask", answer)
    return is_answered, asked


def _is_planning(driver: Driver) -> bool:
    return any(worker.group == "plan" and not worker.is_finished for worker in driver.app.workers)


async def test_a_plan_that_takes_longer_than_from_look_to_look_appears(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = fake_nodes.cluster()
    is_answered, asked = _hold_plans(node, monkeypatch)
    async with drive(node) as driver:
        await driver.press("7", "c")
        await _until(driver, lambda: bool(asked))
        await driver.look(3)
        assert len(asked) == 1
        is_answered.set()
        await _becomes(driver, "plan      kills left@10.0.0.2; no process here ends")
        asked.clear()
        await driver.look()
        await _until(driver, lambda: bool(asked))  # one that has come is made anew


async def test_a_plan_does_not_take_the_place_of_what_is_wrong_with_the_settings(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = fake_nodes.cluster()
    is_answered, asked = _hold_plans(node, monkeypatch)
    async with drive(node) as driver:
        await driver.press("7", "c")
        await _until(driver, lambda: bool(asked))
        driver.app.screen.query_one("#action", Input).value = "burn"
        await _becomes(driver, "! The action is one of")
        await _until(driver, lambda: not _is_planning(driver))
        is_answered.set()
        await driver.settle()
        assert "! The action is one of" in driver.text()


async def test_a_second_stop_ends_the_waiting_too(drive: Drive) -> None:
    async with drive(fake_nodes.cluster()) as driver:
        await driver.press("7", "c")
        await _becomes(driver, "plan      kills left@10.0.0.2")
        await driver.press("enter")
        await _until_taken(driver)
        await driver.press("enter")
        await _becomes(driver, "Waiting for what is to come back; enter stops that.")
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
        await _until(driver, lambda: not any(map(_is_at_work, before)))


async def test_a_read_only_view_takes_no_node(drive: Drive) -> None:
    node = fake_nodes.cluster()
    async with drive(node, settings=Settings(interval=60.0, read_only=True)) as driver:
        await driver.press("7", "c", "enter")
        assert await driver.shows("This is a read-only view")
        assert _taken(node) == []
