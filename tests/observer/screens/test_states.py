"""What the dashboard shows when things are not as usual: lost, ended, stuck, empty, huge, too small, odd names."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from observer.model import poller
from observer.node.source import ChildStatus
from observer.screens.cluster_screen import ClusterScreen
from observer.screens.node_screen import NodeScreen
from observer.screens.orders_screen import OrdersScreen
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.observer.screens.rows import selected, table
from tests.support import fake_node, fake_nodes
from tests.support.fake_process import FakeProcess
from tests.support.shown import strips


async def lose(driver: Driver, why: str = "The connection was closed.") -> None:
    driver.lose(why)
    await driver.settle()


async def test_a_lost_node_leaves_its_last_state_dimmed_with_the_time(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await lose(driver)
        text = driver.text()
        assert "The node was lost at 22:13:20; reconnecting. The connection was closed." in text
        assert "◌ LOST" in text
        assert "chat_server" in text
        assert table(driver).dimmed


async def test_a_node_that_comes_back_is_live_again_with_the_same_selection(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j")
        await lose(driver)
        driver.node.come_back()
        await driver.app.observed.poller.meet()
        await driver.look()
        assert "● live" in driver.text()
        assert not table(driver).dimmed
        assert selected(driver) == "clients"


async def test_the_poller_finds_out_by_itself_that_the_node_is_lost_and_back(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.lose()
        driver.app.observed.poller.soon()
        await driver.settle()
        assert "The node was lost" in driver.text()
        driver.node.come_back()
        driver.app.observed.poller.soon()
        await driver.settle()
        assert "● live" in driver.text()


async def test_the_end_of_a_child_is_told_with_its_status_and_last_words(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.child_status = ChildStatus("demos.chat", 3, ("Traceback …", "ValueError: no port\x1b[31m"))
        await lose(driver)
        text = driver.text()
        assert "The program ended with exit status 3." in text
        assert "ValueError: no port␛[31m" in text


async def test_a_program_that_has_ended_is_not_called_lost(drive: Drive) -> None:
    node = fake_nodes.chat()
    async with drive(node) as driver:
        node.child_status = ChildStatus("python -m demos.chat", 0, ())
        node.lose("The program ended.")
        driver.app.observed.poller.soon()
        assert await driver.shows("■ ENDED")
        assert "LOST" not in driver.text()


async def test_a_child_ended_by_a_signal_is_told_so(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.child_status = ChildStatus("demos.chat", -9)
        await lose(driver)
        assert "The program was ended by SIGKILL." in driver.text()


async def test_a_node_that_owes_an_answer_is_not_called_live(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "SILENT_AFTER", 0.0)
    async with drive(fake_nodes.chat()) as driver:
        driver.node.hold = asyncio.Event()
        driver.app.observed.poller.soon()
        assert await driver.shows("◌ no answer for ")
        assert "● live" not in driver.text()
        driver.node.hold.set()
        assert await driver.shows("● live")


async def test_an_action_on_a_lost_node_is_answered_with_a_sentence(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.lose("The connection was closed.")
        await driver.press("j", "X", "enter")
        assert await driver.shows("Not done")
        assert driver.node.connects < 10


async def test_a_stuck_hub_is_told_loudly_with_who_holds_it_and_where(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.hub_lag, driver.node.hub_busy_with = 3.2, "<0.14.0>"
        driver.node.hub_busy_at = "demos/hog.py:12 in spin"
        await driver.look()
        assert "HUB STUCK for 3.2s: held by <0.14.0> in hog.py:12 in spin" in driver.text()


async def test_an_empty_node_says_what_would_fill_it(drive: Drive) -> None:
    async with drive(fake_node.FakeNode()) as driver:
        assert "No processes yet" in driver.text()
        assert "Nothing is selected" in driver.text()
        await driver.press("j", "k", "h", "l", "enter", "X")


async def test_a_hundred_thousand_processes_cost_no_more_than_what_is_in_sight(drive: Drive) -> None:
    async with drive(fake_nodes.crowd(100_000)) as driver:
        windows = [query for query in driver.node.asked if isinstance(query, wire.GetTree)]
        assert max(window.limit for window in windows) <= 3 * 40
        await driver.press("l", "G")
        await driver.look()
        assert selected(driver) == "worker99"
        assert table(driver).total == 101_001
        assert "pool999" in driver.text() or "worker98" in driver.text()
        assert len(driver.app.observed.record.rows) < 1_000


async def test_a_burst_of_events_skips_the_oldest_and_counts_them(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        bob = driver.node.find("bob")
        for _ in range(5):
            driver.node.log("report", bob, message="early")
        await driver.look()
        for number in range(5_000):
            driver.node.log("report", bob, message=f"burst {number}")
        await driver.look()
        assert "burst 4999" in driver.text()
        assert driver.app.observed.record.events.skipped == 4_500


@pytest.mark.parametrize("size", [(20, 5), (39, 24), (80, 8)])
async def test_a_terminal_too_small_says_so_and_growing_it_brings_everything_back(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j")
        await driver.pilot.resize_terminal(*size)
        await driver.settle()
        assert "too small" in driver.text().replace("\n", " ").replace("  ", " ")
        await driver.pilot.resize_terminal(120, 40)
        await driver.settle()
        assert "chat_server" in driver.text()
        assert "too small" not in driver.text()
        assert selected(driver) == "clients"
        await driver.press("k")
        assert selected(driver) == "chat_server"


@pytest.mark.parametrize(
    "name", ["\x1b[2Jboo", "a\nb\tc", "日本語の名前", "e\u0301\u202egnp", "x" * 500, "[bold]not markup[/]"]
)
async def test_odd_names_are_drawn_safely_and_shift_no_column(drive: Drive, name: str) -> None:
    node = fake_nodes.chat()
    node.find("bob").name = name
    async with drive(node, size=(100, 30)) as driver:
        await driver.press("j", "j", "j", "j")
        assert all(strip.cell_length == 100 for strip in strips(driver.app))
        text = driver.text()
        assert "\x1b" not in text
        assert "\u202e" not in text
        row = driver.app.screen.query_one(ProcessTable).render_line(5)
        assert row.text.split("<0.14.0>")[0] != row.text


async def test_the_selection_stays_on_its_place_when_it_is_restarted_and_rows_move(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "j")
        driver.node.crash(driver.node.find("bob"))
        driver.node.find("clients").children.insert(0, driver.node.find("clients").children.pop(1))
        await driver.look()
        assert selected(driver) == "bob"
        row = table(driver).row
        assert row is not None
        assert row.pid == "<0.900.0>"


async def test_when_the_selected_process_is_gone_for_good_the_next_row_is_selected(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.restarting = False
    async with drive(node) as driver:
        await driver.press("j", "j", "j", "j")
        node.crash(node.find("bob"))
        await driver.look()
        assert selected(driver) == "charles"


@pytest.mark.parametrize("width", [44, 60, 80, 100, 120, 160])
async def test_the_header_leaves_figures_out_rather_than_half_of_one_and_never_the_findings(
    drive: Drive, width: int
) -> None:
    node = fake_nodes.crashing()
    node.scope = "memory is sampled"
    async with drive(node, size=(width, 30)) as driver:
        await driver.look(3)
        figures = driver.text().splitlines()[1]
        assert figures.rstrip().endswith("! 1 finding")
        assert "memory is sampled" in figures
        assert "…" not in figures


@pytest.mark.parametrize("size", [(40, 12), (80, 19)])
async def test_in_a_low_terminal_the_rows_have_the_room(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(fake_nodes.chat(), size) as driver:
        assert "ada" in driver.text()
        await driver.press("x")
        assert await driver.shows("Cancel  esc")
        await driver.press("escape", "4")
        assert "Nothing has happened yet" in driver.text()
        await driver.press("5")
        assert "What looks wrong" in driver.text()
        assert "CPU" in driver.text()


@pytest.mark.parametrize("key", ["x", "X", "e", "m", "S", "t", "r"])
async def test_nothing_is_done_to_what_a_terminal_is_too_small_to_show(drive: Drive, key: str) -> None:
    async with drive(fake_nodes.chat(), (20, 5)) as driver:
        before = len(driver.node.asked)
        await driver.press(key)
        assert "too small" in driver.text().replace("\n", " ").replace("  ", " ")
        assert not [
            query for query in driver.node.asked[before:] if not isinstance(query, wire.GetTree | wire.GetLints)
        ]
        await driver.pilot.resize_terminal(80, 24)
        await driver.press("j", "x")
        assert await driver.shows("Kill chat_server")


async def test_processes_under_no_supervisor_are_put_away_only_while_there_are_others(drive: Drive) -> None:
    group = FakeProcess("strays", "no supervisor", None, "group", unfolded_at_first=False)
    group.add("main", "<0.1.0>")
    node = fake_node.FakeNode(group)
    async with drive(node) as driver:
        assert await driver.shows("└── main")
        await driver.press("h")
        await driver.look()
        assert "main" not in driver.text()
        await driver.press("l")
        assert await driver.shows("└── main")
        node.roots.insert(0, FakeProcess("top", "top", "<0.2.0>", "supervisor", strategy="one_for_one"))
        await driver.look(2)
        assert "▸ no supervisor" in driver.text()


async def test_a_group_is_no_process_that_could_be_opened(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("G", "k", "3")
        assert await driver.shows("Nothing is selected that belongs to a process")
        assert "▾ no supervisor" in driver.text()


async def test_what_died_since_the_node_sorted_its_list_is_no_line_that_is_waited_for(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = fake_nodes.chat()
    listed = node._processes

    def without_one(query: wire.GetProcesses) -> wire.Answer:
        window = listed(query)
        assert isinstance(window, wire.Window)
        return msgspec.structs.replace(window, rows=window.rows[:-1])

    monkeypatch.setattr(node, "_processes", without_one)
    async with drive(node) as driver:
        await driver.press("2")
        asked = len(node.asked)
        await driver.settle()
        assert len(node.asked) == asked
        assert "…" not in [line.strip() for line in driver.text().splitlines()]
        assert table(driver).total == node.stats().process_count - 1


@pytest.mark.parametrize("keys", ["7", "5", "c", "7c"])
async def test_what_is_done_while_a_screen_closes_does_no_harm(drive: Drive, keys: str) -> None:
    async with drive(fake_nodes.cluster()) as driver:
        await driver.press(*keys)
        screen = driver.app.screen
        await screen.query_one("#body").remove()  # its parts leave it first, while its messages are still handled
        if isinstance(screen, OrdersScreen):
            assert screen.typed()["seconds"] == "30s"
        else:
            assert isinstance(screen, ClusterScreen | NodeScreen)
            screen._explain()
