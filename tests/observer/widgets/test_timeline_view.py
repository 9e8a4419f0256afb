"""The lanes of the last minute."""

from __future__ import annotations

import pytest

from observer.widgets.timeline_view import TimelineView
from tests.observer.conftest import Drive
from tests.support import fake_nodes


@pytest.mark.parametrize("seconds", [0, 20, 45])
async def test_every_supervisor_of_the_last_minute_has_its_lane_also_after_a_full_minute(
    drive: Drive, seconds: float
) -> None:
    node = fake_nodes.chat()
    node.crash(node.find("bob"))
    node.crash(node.find("chat_server"))
    async with drive(node) as driver:
        node.time += seconds
        await driver.press("4")
        await driver.look(2)
        view = driver.app.screen.query_one(TimelineView)
        lanes = [str(line).split()[0] for line in str(view.render()).splitlines()]
        assert lanes == ["clients", "chat_sup"]
        assert view.content_size.height == 2


async def test_with_room_for_one_lane_the_last_one_is_shown(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.crash(node.find("bob"))
    node.crash(node.find("chat_server"))
    async with drive(node) as driver:
        await driver.press("4")
        view = driver.app.screen.query_one(TimelineView)
        view.styles.max_height = 3
        await driver.settle()
        assert view.content_size.height == 1
        assert str(view.render()).startswith("clients ")
