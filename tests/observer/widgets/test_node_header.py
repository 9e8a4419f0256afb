"""The first lines of every view, where there is little room."""

from __future__ import annotations

from observer.clock import of_day
from observer.widgets.node_header import NodeHeader
from tests.observer.conftest import Drive
from tests.support import fake_nodes


async def test_the_moment_that_is_shown_is_never_cut(drive: Drive) -> None:
    async with drive(fake_nodes.cluster(), (80, 24)) as driver:
        header = driver.app.screen.query_one(NodeHeader)
        assert "1 Tree" in driver.text()
        header._node = "a-shop-of-24-characters."
        header.shown = 1_000.0
        await driver.settle()
        first = driver.text().splitlines()[0]
        assert first.rstrip().endswith(f"◷ {of_day(1_000.0)}")
        assert " 1 Tree 2 3 4 5 6 7 " in first


async def test_what_an_empty_list_says_is_read_to_its_end(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), (60, 24)) as driver:
        await driver.press("7")
        await driver.look()
        said = " ".join(line.strip() for line in driver.text().splitlines())
        assert "start_distribution(name) gives one." in said
