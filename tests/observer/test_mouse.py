"""The dashboard by mouse."""

from __future__ import annotations

from textual.widgets import Button

from observer.screens.confirm_kill import ConfirmKill
from observer.screens.process_screen import ProcessScreen
from observer.widgets.key_bar import KeyBar
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire
from tests.observer import fake_node
from tests.observer.conftest import Drive
from tests.observer.test_keys import selected, table


async def test_a_click_selects_and_a_double_click_opens(drive: Drive) -> None:
    async with drive(fake_node.chat()) as driver:
        await driver.pilot.click(ProcessTable, offset=(12, 5))
        await driver.settle()
        assert selected(driver) == "bob"
        await driver.pilot.click(ProcessTable, offset=(12, 5), times=2)
        await driver.settle()
        assert isinstance(driver.app.screen, ProcessScreen)


async def test_a_click_on_a_fold_sign_folds(drive: Drive) -> None:
    async with drive(fake_node.chat()) as driver:
        await driver.pilot.click(ProcessTable, offset=(4, 3))
        await driver.settle()
        assert "ada" not in driver.text()


async def test_a_click_on_a_heading_sorts(drive: Drive) -> None:
    async with drive(fake_node.chat()) as driver:
        x = driver.text().splitlines()[3].index("Mailbox")
        await driver.pilot.click(ProcessTable, offset=(x, 0))
        await driver.settle()
        assert "Mailbox ▾" in driver.text()


async def test_a_heading_explains_itself_under_the_mouse(drive: Drive) -> None:
    async with drive(fake_node.chat()) as driver:
        x = driver.text().splitlines()[3].index("Mailbox")
        await driver.pilot.hover(ProcessTable, offset=(x, 0))
        await driver.settle()
        assert "waiting to be received" in str(table(driver).tooltip)
        await driver.pilot.hover(ProcessTable, offset=(2, 0))
        await driver.settle()
        assert "registered name" in str(table(driver).tooltip)


async def test_the_wheel_scrolls_and_the_rows_follow(drive: Drive) -> None:
    async with drive(fake_node.crowd(100), size=(80, 24)) as driver:
        for _ in range(12):
            driver.pilot.app.screen.query_one(ProcessTable).scroll_down(animate=False)
        await driver.settle()
        assert "worker18" in driver.text()
        assert table(driver).selection.index == 0


async def test_the_keys_at_the_bottom_are_buttons(drive: Drive) -> None:
    async with drive(fake_node.chat()) as driver:
        await driver.press("j")
        line = driver.text().splitlines()[driver.app.screen.query_one(KeyBar).region.y]
        await driver.pilot.click(KeyBar, offset=(line.index("Kill"), 0))
        await driver.settle()
        assert isinstance(driver.app.screen, ConfirmKill)
        await driver.pilot.click("#kill", offset=(2, 0))
        await driver.settle()
        assert any(isinstance(query, wire.Exit) for query in driver.node.asked)


async def test_a_dialog_can_be_left_by_mouse(drive: Drive) -> None:
    async with drive(fake_node.chat()) as driver:
        await driver.press("j", "x")
        assert isinstance(driver.app.screen.query_one("#leave"), Button)
        await driver.pilot.click("#leave")
        await driver.settle()
        assert not any(isinstance(query, wire.Exit) for query in driver.node.asked)
