"""The view of the node as a whole."""

from __future__ import annotations

import pytest

from tests.observer.conftest import Drive
from tests.support import fake_nodes


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_constants_can_be_read_at_any_size(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(fake_nodes.crashing(), size=size) as driver:
        await driver.press("5")
        await driver.look()
        await driver.press("i", "end")
        assert await driver.shows("time_slice")
        await driver.press("i")
        await driver.look()
        assert "chat_server looks like a overload" in driver.text()
        assert driver.app.screen.focused is not None
        assert driver.app.screen.focused.id != "constants"


async def test_names_are_found_by_a_text(drive: Drive) -> None:
    async with drive(fake_nodes.crowd(100_000), size=(120, 40)) as driver:
        await driver.press("6")
        await driver.look()
        assert "Names: the first 500 of 101k" in driver.text()
        await driver.press("slash", *"pool777", "enter")
        await driver.look()
        assert "pool777 " in driver.text()
        assert "pool1 " not in driver.text()
        await driver.press("escape")
        await driver.look()
        assert "Names: the first 500 of 101k" in driver.text()


@pytest.mark.parametrize("view", ["4", "6"])
async def test_a_list_in_which_nothing_matches_says_so(drive: Drive, view: str) -> None:
    async with drive(fake_nodes.crashing()) as driver:
        await driver.press(view, "slash", *"qqq")
        await driver.look()
        assert "Nothing here matches the filter" in driver.text()
        await driver.press("escape")
        await driver.look()
        assert "Nothing here matches the filter" not in driver.text()


async def test_a_figure_that_the_node_does_not_tell_is_left_out(drive: Drive) -> None:
    async def shown(*untold: str) -> str:
        node = fake_nodes.chat()
        node.untold = untold
        async with drive(node, size=(160, 44)) as driver:
            await driver.press("5")
            await driver.look()
            return driver.text()

    usual, left = await shown(), await shown("messages", "hub_lag", "cpu_time", "spawned", "exited", "remains")
    for figure in (
        "msg/s",
        "hub lag",
        "cpu",
        "Messages/s",
        "Hub lag",
        "CPU",
        "Spawned/s",
        "spawned",
        "exited",
        "unwind",
    ):
        assert (figure in usual, figure in left) == (True, False), figure
    for figure in ("processes", "run queue", "Processes", "Memory", "Restarts/s", "timers"):
        assert figure in left, figure
