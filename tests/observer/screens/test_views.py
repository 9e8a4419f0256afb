"""The other views: processes, one process, events, the node, names; and going between them."""

from __future__ import annotations

import re

import pytest

from observer.screens.event_dialog import EventDialog
from observer.screens.events_screen import EventsScreen
from observer.screens.names_screen import NamesScreen
from observer.screens.node_screen import NodeScreen
from observer.screens.process_screen import ProcessScreen
from observer.screens.processes_screen import ProcessesScreen
from observer.screens.tree_screen import TreeScreen
from observer.screens.view_screen import ViewScreen
from observer.widgets.node_header import NodeHeader
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.observer.screens.rows import selected, table
from tests.support import fake_nodes

VIEWS: list[tuple[str, type[ViewScreen]]] = [
    ("1", TreeScreen),
    ("2", ProcessesScreen),
    ("3", ProcessScreen),
    ("4", EventsScreen),
    ("5", NodeScreen),
    ("6", NamesScreen),
]


@pytest.mark.parametrize(("key", "view"), VIEWS)
async def test_number_keys_lead_to_views(drive: Drive, key: str, view: type[ViewScreen]) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(key)
        await driver.look()
        assert type(driver.app.screen) is view


async def test_views_can_be_reached_by_mouse(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        x = driver.text().splitlines()[0].index("4 Events")
        await driver.pilot.click(NodeHeader, offset=(x, 0))
        await driver.settle()
        assert isinstance(driver.app.screen, EventsScreen)


async def test_going_to_a_view_leaves_what_was_opened_from_it(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "enter", "1")
        assert isinstance(driver.app.screen, TreeScreen)
        assert selected(driver) == "chat_server"


async def test_every_view_survives_every_size(drive: Drive) -> None:
    async with drive(fake_nodes.crashing()) as driver:
        for key, _ in VIEWS:
            await driver.press(key)
            for size in ((20, 5), (80, 24), (200, 60), (120, 40)):
                await driver.pilot.resize_terminal(*size)
                await driver.look()
            assert driver.app.screen.focused is not None
            assert driver.app.screen.focused.display


async def test_processes_are_sorted_by_memory_at_first(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("2")
        await driver.look()
        assert selected(driver) == "chat_server"
        query = next(query for query in reversed(driver.node.asked) if isinstance(query, wire.GetProcesses))
        assert (query.sort, query.descending, query.group_by) == ("memory", True, "")


async def test_processes_can_be_sorted_by_what_they_gained_and_grouped(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("2", "d", "b")
        await driver.look()
        query = next(query for query in reversed(driver.node.asked) if isinstance(query, wire.GetProcesses))
        assert query.delta
        assert query.group_by == "label"
        assert "grouped by label" in driver.text()
        assert "Sorted by Memory   grouped by label   by what it gained since the last look" in driver.text()
        await driver.press("s", "enter")
        assert "(turned round)" in driver.text()


async def test_a_kill_from_the_list_means_the_selected_process(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("2", "j", "X")
        kills = [query.pid for query in driver.node.asked if isinstance(query, wire.Exit)]
        row = table(driver).row
        assert row is not None
        assert len(kills) == 1


async def test_a_process_shows_its_insides_and_follows_its_place_through_a_restart(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=(160, 50)) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look(2)
        text = driver.text()
        for expected in ("bob <0.14.0>", "match receive", "line 7", "'name': 'Ada'", "$initial_call", "parent"):
            assert expected in text
        driver.node.crash(driver.node.find("bob"))
        await driver.look(2)
        text = driver.text()
        assert "bob <0.900.0>" in text
        assert "bob restarted" in text


async def test_a_process_is_first_shown_without_its_state_which_may_take_a_while(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=(160, 50)) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look(2)
        asked = [
            query.state for query in driver.node.asked if isinstance(query, wire.GetProcess) and query.messages > 1
        ]
        assert asked[:2] == [False, True]
        assert "'name': 'Ada'" in driver.text()
        await driver.press("i")
        await driver.look(2)
        assert "'name': 'Ada'" not in driver.text()
        assert "Press i to ask" in driver.text()


async def test_where_there_is_room_for_one_column_the_keys_that_scroll_reach_its_end(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=(80, 24)) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look(2)
        assert "$initial_call" not in driver.text()
        await driver.press("tab")
        assert "match receive" in driver.text()
        await driver.press("end")
        assert await driver.shows("$initial_call")


async def test_a_process_that_is_gone_for_good_is_told_and_cannot_be_killed(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.restarting = False
    async with drive(node) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look()
        node.crash(node.find("bob"))
        await driver.look()
        assert "This process has ended" in driver.text()
        await driver.press("X")
        assert not any(isinstance(query, wire.Exit) for query in node.asked)


async def test_relations_are_places_to_go_to(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look()
        await driver.press("enter")
        await driver.look()
        assert "clients <0.12.0>" in driver.text()
        await driver.press("escape")
        await driver.look()
        assert "bob <0.14.0>" in driver.text()


async def test_a_crash_is_told_with_its_stack_and_its_chain(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "X", "4", "g", "j")
        await driver.look()
        text = driver.text()
        assert "Cause and effect" in text
        assert "ada <0.13.0> was sent kill" in text
        assert "└▸ ✗ ada" in text
        assert "raise ValueError(text)" in text
        await driver.press("enter")
        assert isinstance(driver.app.screen, EventDialog)
        await driver.press("escape", "o")
        assert isinstance(driver.app.screen, ProcessScreen)


async def test_home_lists_what_happened_while_another_view_was_in_front(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), (120, 40)) as driver:
        for key in ("4", "5"):
            await driver.press(key)
            driver.node.crash(driver.node.find("bob"), f"seen from {key}")
            await driver.look()
        await driver.press("1")
        await driver.look()
        assert isinstance(driver.app.screen, TreeScreen)
        assert "seen from 4" in driver.text()
        assert "seen from 5" in driver.text()


@pytest.mark.parametrize("size", [(80, 40), (120, 36)])
async def test_the_line_that_ended_an_earlier_life_is_never_cut(drive: Drive, size: tuple[int, int]) -> None:
    node = fake_nodes.chat()
    node.crash(node.find("bob"), f"KeyError: {'no such dish ' * 9}")
    async with drive(node, size) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look(2)
        lives = driver.text().partition("Earlier lives")[2].splitlines()
        assert "KeyError: no such dish" in lives[1]
        assert re.search(r"… +\S+\.py:\d+", lives[1])


async def test_what_does_not_fit_into_a_line_of_the_panel_goes_on_below_where_there_is_room(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("clients").restarts_used = 1
    async with drive(node, (120, 40)) as driver:
        await driver.press("j", "j")
        await driver.look()
        panel = "".join(line[:54].strip("│ ") + " " for line in driver.text().partition("Selected")[2].splitlines())
        assert re.search(r"dynamic +1 of 3 restarts in 5s(, \d+s left)? +\d+ children", panel), panel
        assert 'client  match receive(("send", str)):' in panel


async def test_events_can_be_filtered_by_kind_and_by_text(drive: Drive) -> None:
    async with drive(fake_nodes.crashing()) as driver:
        await driver.press("4", "f")
        await driver.look()
        assert "restarted" not in driver.text().split("Events")[-1].split("Selected")[0]
        await driver.press("f", "f", "f", "slash", *"gave", "enter")
        list_part = [line[:60] for line in driver.text().splitlines() if "22:13" in line]
        assert len(list_part) == 1
        await driver.press("escape")
        assert len([line for line in driver.text().splitlines() if "22:13" in line[:20]]) == 6


async def test_the_node_view_lists_what_looks_wrong_and_leads_there(drive: Drive) -> None:
    async with drive(fake_nodes.crashing()) as driver:
        await driver.press("5")
        await driver.look(2)
        text = driver.text()
        for expected in ("Hub lag", "Messages/s", "chat_server looks like a overload", "python -m demos.chat"):
            assert expected in text
        assert "⏎ shows <0.11.0>" in text
        await driver.press("enter")
        await driver.look()
        assert isinstance(driver.app.screen, ProcessScreen)
        assert "chat_server <0.11.0>" in driver.text()


async def test_names_timers_and_sockets_lead_to_their_processes(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("6")
        await driver.look()
        text = driver.text()
        for expected in ("chat_server", "'tick'", "127.0.0.1:4000"):
            assert expected in text
        await driver.press("j", "enter")
        await driver.look()
        assert "chat_server <0.11.0>" in driver.text()


async def test_tables_are_shown_where_there_are_any(drive: Drive) -> None:
    node = fake_nodes.chat()
    async with drive(node) as driver:
        await driver.press("6")
        await driver.look()
        assert "Tables" not in driver.text()
        node.tables = (
            wire.TableEntry(
                name="hits", type="set", access="public", size=12_000, memory=3 << 20, pid="<0.11.0>",
                owner="chat_server", heir="<0.14.0>",
            ),
            wire.TableEntry(name="\x1b[2Jrows", type="bag", access="private", size=0, memory=0, pid="<0.99.0>"),
        )  # fmt: skip
        await driver.look()
        line = next(line for line in driver.text().splitlines() if "hits" in line)
        for expected in ("12k", "3.0M", "chat_server", "<0.11.0>", "set, public"):
            assert expected in line, line
        await driver.press("tab", "tab", "tab", "enter")
        await driver.look()
        assert "chat_server <0.11.0>" in driver.text()


async def test_marked_processes_are_killed_together(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "v", "v")
        assert driver.text().count("✓") == 2
        await driver.press("x")
        assert "and 1 more" in driver.text()
        await driver.press("enter")
        kills = [query.pid for query in driver.node.asked if isinstance(query, wire.Exit)]
        assert kills == ["<0.13.0>", "<0.14.0>"]
        await driver.press("escape")
        assert "✓" not in driver.text()


async def test_a_subtree_can_be_shown_alone(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "i")
        await driver.look()
        assert "ada" in driver.text()
        assert "listener" not in driver.text()
        await driver.press("escape")
        await driver.look()
        assert "listener" in driver.text()


async def test_a_worker_is_shown_among_its_siblings_alone(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "i")
        await driver.look()
        assert "ada" in driver.text()
        assert "bob" in driver.text()
        assert "listener" not in driver.text()


async def test_what_failed_lately_is_told_in_words_beside_its_colour(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.crash(driver.node.find("bob"))
        await driver.look()
        assert "✗ 1 crash in the last 30 s, restarted." in driver.text()
        assert "Nothing looks wrong" not in driver.text()
        driver.node.time += 30
        await driver.look()
        assert "Nothing looks wrong." in driver.text()


async def test_after_a_kill_plan_and_outcome_stand_together_for_a_while(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "x", "enter")
        await driver.look()
        text = driver.text()
        assert "Killed ada <0.13.0>" in text
        assert "planned    kills 1, restarts 1" in text
        assert "+0ms" in text
        driver.node.time += 20
        await driver.look()
        assert "Killed ada" not in driver.text()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["S"], wire.Suspend(pid="<0.11.0>")),
        (["m", *"hello", "enter"], wire.Send(pid="<0.11.0>", message="'hello'", via="send")),
        (["r", "enter"], wire.ControlChild(supervisor="<0.10.0>", child_id="chat_server", action="restart")),
        (["t", "y"], wire.ControlChild(supervisor="<0.10.0>", child_id="chat_server", action="terminate")),
        (["D", "enter"], wire.ControlChild(supervisor="<0.10.0>", child_id="chat_server", action="delete")),
    ],
)
async def test_other_actions_are_asked_of_the_node(drive: Drive, keys: list[str], expected: wire.Query) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", *keys)
        assert expected in driver.node.asked


async def test_a_stopped_child_is_started(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("chat_server").status = "stopped"
    async with drive(node) as driver:
        await driver.press("j", "r", "enter")
        assert wire.ControlChild(supervisor="<0.10.0>", child_id="chat_server", action="start") in node.asked


async def test_a_suspended_process_is_resumed(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("chat_server").status = "suspended"
    async with drive(node) as driver:
        await driver.press("j", "S")
        assert wire.Resume(pid="<0.11.0>") in node.asked


async def test_events_open_on_the_last_crash_until_a_line_is_chosen(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        for name in ("ada", "bob"):
            driver.node.crash(driver.node.find(name))
        driver.node.log("report", driver.node.find("ada"), message="all is well")
        await driver.look()
        await driver.press("4")
        view = driver.app.view
        assert isinstance(view, EventsScreen)

        def chosen() -> tuple[str, str]:
            event = view.log_list.selected
            assert event is not None
            return (event.kind, event.name)

        assert chosen() == ("exit", "bob")
        assert "raise ValueError(text)" in driver.text()
        driver.node.crash(driver.node.find("charles"))
        await driver.look()
        assert chosen() == ("exit", "charles")
        await driver.press("k")
        before = chosen()
        driver.node.crash(driver.node.find("ada"))
        await driver.look()
        assert chosen() == before


async def test_lanes_take_as_many_rows_as_there_are(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("4")
        view = driver.app.view
        assert isinstance(view, EventsScreen)
        assert view.timeline.outer_size.height == 3
        for name in ("bob", "chat_server"):
            driver.node.crash(driver.node.find(name))
        await driver.look()
        assert view.timeline.outer_size.height == 4


async def test_only_the_programs_own_frames_are_shown_until_all_are_wanted(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.crash(driver.node.find("bob"))
        await driver.press("4")
        await driver.look()
        assert "server.py:42  handle_cast" in driver.text()
        assert "and 1 frame of the runtime" in driver.text()
        await driver.press("enter", "a")
        assert "server_loop.py:90  serve" in driver.text()


async def test_a_supervisor_shows_its_children_in_place_of_a_state(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("clients").restarts_used = 1
    node.find("bob").restarts = 2
    async with drive(node, (120, 50)) as driver:
        await driver.press("j", "j", "enter")
        await driver.look(2)
        text = driver.text()
        assert "Children" in text
        assert "1 of 3 restarts in 5s" in text
        assert "bob  <0.14.0>  ↻ 2" in text
        assert not any(isinstance(query, wire.GetProcess) and query.state for query in node.asked)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_no_figure_leaves_the_header_when_a_finding_appears(drive: Drive, size: tuple[int, int]) -> None:
    async with drive(fake_nodes.chat(), size) as driver:
        await driver.look()
        before = [word for word in driver.text().splitlines()[1].split() if word.isalpha()]
        driver.node.find("bob").lints = ("hog",)
        await driver.look()
        line = driver.text().splitlines()[1]
        assert "! 1 finding" in line
        assert [word for word in line.split() if word.isalpha() and word != "finding"] == before
