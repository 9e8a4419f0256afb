"""Acting on processes: on one, on several that are marked, and what is said of it beside what was planned."""

from __future__ import annotations

import asyncio

import pytest
from textual.events import Key

from observer.model.settings import Settings
from observer.screens.confirm import Confirm
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.process_screen import ProcessScreen
from observer.screens.processes_screen import ProcessesScreen
from observer.screens.send_message import SendMessage
from observer.screens.tree_screen import TreeScreen
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.support import fake_nodes

COMMANDS = (wire.Exit, wire.Suspend, wire.Resume, wire.Send, wire.ControlChild)

ADA_AND_BOB = ("j", "j", "j", "v", "v")
"""Keys that mark these two."""


def commands(driver: Driver) -> list[wire.Query]:
    return [query for query in driver.node.asked if isinstance(query, COMMANDS)]


async def test_marked_processes_are_planned_for_and_killed_together(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(*ADA_AND_BOB, "x")
        assert isinstance(driver.app.screen, ConfirmKill)
        assert "Kill ada <0.13.0> and 1 more?" in driver.text()
        assert "kills 2, restarts 2" in driver.text()
        await driver.press("enter")
        assert commands(driver) == [wire.Exit(pid="<0.13.0>"), wire.Exit(pid="<0.14.0>")]


@pytest.mark.parametrize("keys", [("x", "enter"), ("X", "enter")])
async def test_what_happened_stands_under_what_was_planned(drive: Drive, keys: tuple[str, ...]) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(*ADA_AND_BOB, *keys)
        await driver.look()
        lines = driver.text().splitlines()
        planned = next(number for number, line in enumerate(lines) if "planned " in line)
        assert "Killed ada <0.13.0> and 1 more" in lines[planned - 1]
        assert "kills 2, restarts 2" in lines[planned]
        assert "killed 2, restarted 2 within 0ms" in "".join(lines[planned : planned + 3])


async def test_a_view_without_a_panel_tells_it_in_a_notice(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("2")
        await driver.look()
        view = driver.app.view
        assert isinstance(view, ProcessesScreen)
        row = view.table.row
        assert row is not None
        await driver.press("X")
        await driver.look(2)
        assert await driver.shows(f"Killed {row.name} {row.pid}")
        assert "planned: kills" in driver.text()
        told = next(line for line in driver.text().splitlines() if "happened: killed 1, restarted" in line)
        assert "planned" not in told


async def test_an_exit_signal_that_is_no_kill_is_told_by_its_reason(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "e", "enter")
        await driver.look()
        assert "Sent 'shutdown' to ada <0.13.0>" in driver.text()
        assert "killed 1, restarted 1" in driver.text()


@pytest.mark.parametrize(("key", "action"), [("r", "restart"), ("t", "terminate"), ("D", "delete")])
async def test_supervisors_act_on_their_children_after_a_question(drive: Drive, key: str, action: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", key)
        assert isinstance(driver.app.screen, Confirm)
        assert f"{action.capitalize()} chat_server?" in driver.text()
        assert commands(driver) == []
        await driver.press("enter")
        assert commands(driver) == [
            wire.ControlChild(supervisor="<0.10.0>", child_id="chat_server", action=action)  # type: ignore[arg-type]
        ]


async def test_supervisors_act_on_all_marked_children(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(*ADA_AND_BOB, "t")
        assert "Terminate 2 children?" in driver.text()
        assert "terminate ada, bob" in driver.text()
        await driver.press("y")
        assert [query.child_id for query in commands(driver) if isinstance(query, wire.ControlChild)] == ["ada", "bob"]


async def test_a_child_that_is_not_running_is_started(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("clients").add("dave", None)
    async with drive(node) as driver:
        await driver.press("j", "j", "j", "j", "j", "j", "r")
        assert "Start dave?" in driver.text()
        await driver.press("y")
        assert commands(driver) == [wire.ControlChild(supervisor="<0.12.0>", child_id="dave", action="start")]


@pytest.mark.parametrize("key", ["r", "t", "D"])
async def test_what_is_under_no_supervisor_is_not_controlled(drive: Drive, key: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(key)
        assert await driver.shows("no child of a supervisor")
        assert commands(driver) == []


async def test_capital_s_suspends_and_resumes_what_is_suspended(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(*ADA_AND_BOB, "S")
        assert commands(driver) == [wire.Suspend(pid="<0.13.0>"), wire.Suspend(pid="<0.14.0>")]
        driver.node.find("ada").status = "suspended"
        await driver.look()
        await driver.press("S")
        assert commands(driver)[2:] == [wire.Resume(pid="<0.13.0>"), wire.Suspend(pid="<0.14.0>")]


async def test_m_sends_a_literal_once_it_is_one(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "m", *"(1,", "enter")
        assert isinstance(driver.app.screen, SendMessage)
        assert commands(driver) == []
        await driver.press("2", ")", "enter")
        assert commands(driver) == [wire.Send(pid="<0.11.0>", message="(1, 2)")]


async def test_the_way_to_send_that_is_chosen_is_marked_by_a_sign(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "m", "tab", "down", "space")
        ways = [line for line in driver.text().splitlines() if " server, " in line or "plain message" in line]
        assert ["●" in line for line in ways] == [False, True, False]
        assert "⏎ sends" in driver.text()


async def test_a_mark_is_taken_away_by_its_key_and_all_of_them_by_another_or_by_escape(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        view = driver.app.view
        assert isinstance(view, TreeScreen)
        marks = view.marks
        await driver.press(*ADA_AND_BOB, "k", "v")
        assert [target.name for target in marks.targets] == ["ada"]
        await driver.press("V")
        assert len(marks) == 0
        await driver.press("k", "v", "escape")
        assert len(marks) == 0


@pytest.mark.parametrize("key", ["X", "S"])
async def test_a_read_only_view_refuses_without_asking_the_node(drive: Drive, key: str) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=60.0, read_only=True)) as driver:
        await driver.press("j", key)
        assert await driver.shows("read-only")
        assert commands(driver) == []


async def test_keys_typed_in_one_go_each_mean_the_process_that_the_one_before_left(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j")
        for key in ("x", "enter", "X", "X"):
            driver.app.post_message(Key(key, key if len(key) == 1 else "\r"))
        assert await driver.shows("<0.902.0>")
        assert [query.pid for query in commands(driver) if isinstance(query, wire.Exit)] == [
            "<0.13.0>",
            "<0.900.0>",
            "<0.901.0>",
        ]
        assert "has ended" not in driver.text()


async def test_a_process_can_be_acted_on_before_the_node_has_told_about_it(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.hold = asyncio.Event()
        await driver.press("j", "j", "j", "enter", "x")
        assert await driver.shows("Kill ada <0.13.0>?")
        await driver.press("escape")
        driver.app.push_screen(ProcessScreen(driver.app.observed, "<0.14.0>"))
        await driver.press("x")
        assert await driver.shows("Kill <0.14.0>?")
        await driver.press("escape", "r")
        assert await driver.shows("The node has not told yet which process this is")
        driver.node.hold.set()


async def test_of_a_process_that_has_ended_it_is_said_that_nothing_can_be_done(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.restarting = False
    async with drive(node) as driver:
        await driver.press("j", "j", "j", "enter")
        await driver.look()
        node.crash(node.find("ada"))
        await driver.look()
        await driver.press("x")
        assert await driver.shows("This process has ended: nothing can be done to it.")
        assert isinstance(driver.app.screen, ProcessScreen)
