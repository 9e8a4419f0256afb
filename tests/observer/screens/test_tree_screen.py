"""Every key of the tree, pressed."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.widgets import Input

from observer.model.settings import Settings
from observer.screens.choose_sort import ChooseSort
from observer.screens.help_screen import HelpScreen
from observer.screens.process_screen import ProcessScreen
from observer.screens.tree_screen import TreeScreen
from observer.widgets.filter_line import FilterLine
from observer.widgets.process_table import ProcessTable
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.observer.screens.rows import selected, table
from tests.support import fake_nodes


def exits(driver: Driver) -> list[tuple[str, str]]:
    return [(query.pid, query.reason) for query in driver.node.asked if isinstance(query, wire.Exit)]


async def test_the_tree_is_shown_with_its_header_panel_and_log(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        text = driver.text()
        for expected in (
            "chat_sup",
            "├── chat_server",
            "│ └── charles",
            "processes 8",
            "run queue 2",
            "Selected",
            "Events",
        ):
            assert expected in text


@pytest.mark.parametrize(("down", "up"), [("down", "up"), ("j", "k")])
async def test_arrows_and_letters_move_the_selection(drive: Drive, down: str, up: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(down, down)
        assert selected(driver) == "clients"
        await driver.press(up)
        assert selected(driver) == "chat_server"


async def test_the_selection_moves_while_the_node_is_slow_to_answer(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.hold = asyncio.Event()
        await driver.press("j", "j", "j")
        assert selected(driver) == "ada"
        assert "▌" in next(line for line in driver.text().splitlines() if "ada" in line)
        driver.node.hold.set()


async def test_g_and_capital_g_go_to_both_ends(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("G")
        assert selected(driver) == "main"
        await driver.press("g")
        assert selected(driver) == "chat_sup"


@pytest.mark.parametrize(("fold", "unfold"), [("h", "l"), ("left", "right")])
async def test_a_supervisor_folds_and_unfolds(drive: Drive, fold: str, unfold: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", fold)
        assert "ada" not in driver.text()
        assert "▸ clients" in driver.text()
        await driver.press(unfold)
        assert "ada" in driver.text()
        assert selected(driver) == "clients"


async def test_folding_a_leaf_goes_to_its_supervisor(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "j", "h")
        assert selected(driver) == "clients"


async def test_enter_opens_a_process_and_escape_goes_back(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "enter")
        assert isinstance(driver.app.screen, ProcessScreen)
        await driver.look()
        assert "match receive" in driver.text()
        await driver.press("escape")
        assert isinstance(driver.app.screen, TreeScreen)
        assert selected(driver) == "chat_server"


async def test_slash_filters_and_escape_takes_the_filter_away(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("slash", *"bob", "enter")
        text = driver.text()
        assert "bob" in text
        assert "chat_server" not in text
        await driver.press("escape")
        assert "chat_server" in driver.text()
        assert not driver.app.screen.query_one(Input).display
        await driver.press("G")
        assert selected(driver) == "main"


async def test_a_filter_selects_its_first_match_and_n_goes_from_match_to_match(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("slash", *"a", "enter")
        assert [row.name for row in table(driver)._rows.values() if not row.context] == [
            "chat_sup",
            "chat_server",
            "ada",
            "charles",
            "main",
        ]
        await driver.press("escape", "slash", *"l", "enter")
        assert selected(driver) == "clients"
        seen = []
        for key in "nnnN":
            await driver.press(key)
            seen.append(selected(driver))
        assert seen == ["charles", "listener", "clients", "listener"]


async def test_a_match_far_below_what_is_loaded_is_gone_to(drive: Drive) -> None:
    async with drive(fake_nodes.crowd(100_000), (80, 24)) as driver:
        await driver.press("slash", *"pool", "enter")
        assert selected(driver) == "pool0"
        await driver.press("N")
        assert await driver.shows("pool999")
        assert selected(driver) == "pool999"
        await driver.press("n")
        assert selected(driver) == "pool0"


async def test_without_a_filter_n_is_no_key(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("n")
        assert selected(driver) == "chat_sup"
        assert "Next match" not in driver.text()
        await driver.press("slash", *"bob", "enter")
        assert "Next match" in driver.text()


async def test_a_filter_that_the_node_refuses_is_said_in_its_words(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("slash", "left_parenthesis")
        assert "is not complete" in driver.text()


async def test_a_filter_that_the_node_refuses_can_be_changed_and_the_header_goes_on(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("slash", "left_parenthesis", "enter")
        await driver.look()  # tells that it is refused
        before = driver.app.observed.record.time
        await driver.look()
        assert driver.app.observed.record.time > before
        await driver.press("enter", "backspace", *"bob", "enter")
        assert "is not complete" not in driver.text()
        assert "chat_server" not in driver.text()
        assert isinstance(driver.app.focused, ProcessTable)


async def test_a_filter_that_was_refused_can_be_changed_and_kept_while_the_node_is_lost(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("slash", "left_parenthesis")
        assert "is not complete" in driver.text()
        driver.lose("a test")
        await driver.press("enter", "backspace", *"bob", "enter", "j")
        assert driver.app.screen.query_one(FilterLine).value == "bob"
        assert isinstance(driver.app.focused, ProcessTable)


async def test_s_sorts_and_choosing_again_turns_the_order_round(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("s")
        assert isinstance(driver.app.screen, ChooseSort)
        await driver.press("down", "enter")
        names = [line for line in driver.text().splitlines() if "──" in line]
        assert "chat_server" in names[0]
        await driver.press("s", "enter")
        assert "Name ▾" in driver.text()


async def test_letters_move_among_options_and_in_long_texts_as_in_lists(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), (80, 24)) as driver:
        await driver.press("s", "G", "k", "k", "g", "j", "enter")
        assert "Name ▴" in driver.text() or "Name ▾" in driver.text()
        await driver.press("question_mark")
        top = driver.text()
        await driver.press("j")
        assert driver.text() != top
        await driver.press("G", "ctrl+b", "g")
        assert driver.text() == top


async def test_the_selection_follows_its_process_when_rows_are_sorted_again(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j")
        assert selected(driver) == "ada"
        index = table(driver).selection.index
        await driver.press("s", "down", "enter", "s", "enter")
        assert selected(driver) == "ada"
        assert table(driver).selection.index != index


async def test_space_freezes_the_display_and_lets_it_go_on(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("space")
        before = driver.text()
        assert "FROZEN" in before
        driver.node.crash(driver.node.find("bob"))
        await driver.look()
        assert driver.text() == before
        await driver.press("j")
        assert selected(driver) == "chat_server"
        await driver.press("space")
        await driver.look()
        assert "bob restarted" in driver.text()


async def test_question_mark_shows_the_keys_and_what_signs_mean(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=(120, 60)) as driver:
        await driver.press("question_mark")
        assert isinstance(driver.app.screen, HelpScreen)
        assert "Kill the selected process" in driver.text()
        await driver.press("question_mark")
        assert isinstance(driver.app.screen, TreeScreen)


async def test_q_quits(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.pilot.press("q")
        await driver.pilot.pause()
        assert not driver.app.is_running


@pytest.mark.parametrize(("keys", "quitting"), [({}, "q quits."), ({"quit": "Z"}, "Z quits.")])
async def test_control_c_tells_the_key_that_quits(drive: Drive, keys: dict[str, str], quitting: str) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(keys=keys)) as driver:
        await driver.press("ctrl+c")
        assert await driver.shows(quitting)


async def test_keys_can_be_remapped_by_their_ids(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=60.0, keys={"kill-now": "z"})) as driver:
        await driver.press("j", "X")
        assert exits(driver) == []
        await driver.press("z")
        assert exits(driver) == [("<0.11.0>", "'kill'")]


async def test_a_key_for_what_is_no_action_is_told(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=60.0, keys={"explode": "z"})) as driver:
        assert await driver.shows("no action: explode")


async def test_every_shown_key_is_also_a_command_of_the_palette(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        titles = [command.title for command in driver.app.get_system_commands(driver.app.screen)]
        for name in ("Open", "Fold", "Unfold", "Kill", "Kill now", "Exit…", "Filter", "Sort", "Freeze", "Help", "Quit"):
            assert any(title.startswith(f"{name} (") for title in titles)


async def test_the_keys_that_matter_are_in_sight_at_the_smallest_usual_size(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=(80, 24)) as driver:
        bottom = driver.text().splitlines()[-1]
        assert bottom.split() == [
            "⏎",
            "Open",
            "x",
            "Kill",
            "X",
            "Kill",
            "now",
            "/",
            "Filter",
            "s",
            "Sort",
            "?",
            "Help",
            "q",
            "Quit",
        ]


async def test_a_theme_that_does_not_exist_is_told_and_the_usual_one_is_used(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=60.0, theme="neon")) as driver:
        assert driver.app.theme == "observer-dark"
        assert await driver.shows("no theme called 'neon'")


def type_at_once(driver: Driver, *keys: events.Key) -> None:
    """Send keys as a terminal does that delivers them in one go: none waits for what comes of the one before."""
    for key in keys:
        driver.app.post_message(key)


@pytest.mark.parametrize("view", ["1", "2", "4", "6"])
async def test_keys_typed_right_after_the_slash_go_into_the_filter(drive: Drive, view: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", view)
        await driver.look()
        type_at_once(driver, events.Key("slash", "/"), *(events.Key(letter, letter) for letter in "abcx"))
        type_at_once(driver, events.Key("backspace", None), events.Key("enter", "\r"), events.Key("j", "j"))
        await driver.settle()
        line = driver.app.screen.query_one(FilterLine)
        assert line.value == "abc"
        assert not line.has_focus
        type_at_once(driver, events.Key("slash", "/"), events.Key("d", "d"), events.Key("escape", None))
        await driver.settle()
        assert line.value == ""
        assert not line.is_open


async def test_keys_typed_in_one_go_are_carried_out_in_order(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        type_at_once(driver, events.Key("4", "4"), events.Key("slash", "/"), events.Key("a", "a"))
        await driver.settle()
        assert type(driver.app.screen).__name__ == "EventsScreen"
        assert driver.app.screen.query_one(FilterLine).value == "a"


async def test_a_key_typed_right_after_one_that_asks_is_the_answer(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        type_at_once(driver, events.Key("j", "j"), events.Key("x", "x"), events.Key("enter", "\r"))
        assert await driver.shows("Killed chat_server")
        assert exits(driver) == [("<0.11.0>", "'kill'")]
        type_at_once(
            driver, events.Key("e", "e"), *(events.Key(each, each) for each in "Xx"), events.Key("enter", "\r")
        )
        assert await driver.shows("Sent 'Xx' to")
        assert [reason for _, reason in exits(driver)] == ["'kill'", "'Xx'"]


async def test_what_a_filter_found_is_seen_where_it_stands_when_the_filter_goes(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "h")
        assert "bob" not in driver.text()
        await driver.press("slash", *"bob", "enter", "G")
        assert selected(driver) == "bob"
        await driver.press("escape")
        assert selected(driver) == "bob"
        assert "▾ clients" in driver.text()
        assert "charles" in driver.text()
