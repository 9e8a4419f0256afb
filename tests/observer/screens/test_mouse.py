"""The dashboard by mouse."""

from __future__ import annotations

from textual.widgets import Button

from observer.screens.confirm_kill import ConfirmKill
from observer.screens.event_dialog import EventDialog
from observer.screens.events_screen import EventsScreen
from observer.screens.node_screen import NodeScreen
from observer.screens.process_screen import ProcessScreen
from observer.widgets.key_bar import KeyBar
from observer.widgets.node_header import NodeHeader
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.observer.screens.rows import selected, table
from tests.support import fake_nodes


async def test_a_click_selects_and_a_double_click_opens(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.pilot.click(ProcessTable, offset=(12, 5))
        await driver.settle()
        assert selected(driver) == "bob"
        await driver.pilot.click(ProcessTable, offset=(12, 5), times=2)
        await driver.settle()
        assert isinstance(driver.app.screen, ProcessScreen)


async def test_a_click_on_a_fold_sign_folds(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.pilot.click(ProcessTable, offset=(4, 3))
        await driver.settle()
        assert "ada" not in driver.text()


async def test_a_click_on_a_heading_sorts(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        x = driver.text().splitlines()[3].index("Mailbox")
        await driver.pilot.click(ProcessTable, offset=(x, 0))
        await driver.settle()
        assert "Mailbox ▾" in driver.text()


async def test_a_heading_explains_itself_under_the_mouse(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        x = driver.text().splitlines()[3].index("Mailbox")
        await driver.pilot.hover(ProcessTable, offset=(x, 0))
        await driver.settle()
        assert "waiting to be received" in str(table(driver).tooltip)
        await driver.pilot.hover(ProcessTable, offset=(2, 0))
        await driver.settle()
        assert "registered name" in str(table(driver).tooltip)


async def test_the_wheel_scrolls_and_the_rows_follow(drive: Drive) -> None:
    async with drive(fake_nodes.crowd(100), size=(80, 24)) as driver:
        for _ in range(12):
            driver.pilot.app.screen.query_one(ProcessTable).scroll_down(animate=False)
        await driver.settle()
        assert await driver.shows("worker18")
        assert table(driver).selection.index == 0


async def test_the_keys_at_the_bottom_are_buttons(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j")
        line = driver.text().splitlines()[driver.app.screen.query_one(KeyBar).region.y]
        await driver.pilot.click(KeyBar, offset=(line.index("Kill"), 0))
        await driver.settle()
        assert isinstance(driver.app.screen, ConfirmKill)
        await driver.pilot.click("#yes", offset=(2, 0))
        await driver.settle()
        assert any(isinstance(query, wire.Exit) for query in driver.node.asked)


async def test_a_dialog_can_be_left_by_mouse(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "x")
        assert isinstance(driver.app.screen.query_one("#leave"), Button)
        await driver.pilot.click("#leave")
        await driver.settle()
        assert not any(isinstance(query, wire.Exit) for query in driver.node.asked)


async def test_a_click_selects_a_line_of_a_list_and_a_double_click_opens_it(drive: Drive) -> None:
    node = fake_nodes.chat()
    for _ in range(3):
        node.crash(node.find("ada"))
    async with drive(node) as driver:
        await driver.press("4")
        await driver.look()
        view = driver.app.view
        assert isinstance(view, EventsScreen)
        await driver.pilot.click(view.log_list, offset=(5, 2))
        await driver.settle()
        assert view.log_list.selected is node.events[1]
        await driver.pilot.click(view.log_list, offset=(5, 3), times=2)
        await driver.settle()
        assert isinstance(driver.app.screen, EventDialog)


async def test_the_count_of_findings_in_the_header_leads_to_them(drive: Drive) -> None:
    async with drive(fake_nodes.crashing()) as driver:
        line = driver.text().splitlines()[1]
        await driver.pilot.click(NodeHeader, offset=(line.index("finding"), 1))
        await driver.settle()
        assert isinstance(driver.app.screen, NodeScreen)


async def test_a_click_on_a_related_process_goes_there(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "enter")
        await driver.look()
        await driver.pilot.click("#relations", offset=(4, 1))
        await driver.settle()
        await driver.look()
        assert "chat_sup <0.10.0>" in driver.text()


async def test_chaos_is_started_by_its_button(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "c")
        await driver.pilot.click("#start")
        for _ in range(3_000):
            if any(isinstance(query, wire.Exit) for query in driver.node.asked):
                return
            await driver.pilot.pause()
        raise AssertionError("nothing was killed")
