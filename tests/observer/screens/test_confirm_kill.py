"""A kill is shown before it is done, asked for where more than one process ends, and told when it is over."""

from __future__ import annotations

import pytest

from observer.model.settings import Settings
from observer.screens.ask_literal import AskLiteral
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.tree_screen import TreeScreen
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.observer.screens.rows import selected
from tests.support import fake_nodes


def exits(driver: Driver) -> list[tuple[str, str]]:
    return [(query.pid, query.reason) for query in driver.node.asked if isinstance(query, wire.Exit)]


async def test_what_is_only_above_a_match_is_not_killed_without_a_question(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.node.find("clients").children.clear()
        driver.node.find("clients").add("bob", "<0.14.0>")
        await driver.press("slash", *"bob", "enter", "X")
        assert exits(driver) == [("<0.14.0>", "'kill'")]
        await driver.press("k", "X")
        assert isinstance(driver.app.screen, ConfirmKill)
        await driver.press("escape")
        assert len(exits(driver)) == 1


async def test_capital_x_asks_when_several_end(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("X")
        assert isinstance(driver.app.screen, ConfirmKill)
        assert exits(driver) == []
        await driver.press("enter")
        assert exits(driver) == [("<0.10.0>", "'kill'")]


@pytest.mark.parametrize(
    "plan",
    [
        wire.Plan(sentence="nothing brings it back", kills=(wire.Related(pid="<0.11.0>"),)),
        wire.Plan(
            sentence="it gives up",
            kills=(wire.Related(pid="<0.11.0>"),),
            restarts=(wire.Related(pid="<0.11.0>"),),
            gives_up=(wire.Related(pid="<0.10.0>"),),
        ),
        wire.Failed(why="The node is too busy to plan."),
    ],
)
async def test_capital_x_asks_when_a_process_may_not_come_back(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, plan: wire.Plan | wire.Failed
) -> None:
    async with drive(fake_nodes.chat()) as driver:
        monkeypatch.setattr(driver.node, "_plan", lambda query: plan)
        await driver.press("j", "X")
        assert isinstance(driver.app.screen, ConfirmKill)
        assert exits(driver) == []


async def test_x_shows_the_plan_and_kills_after_enter(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "x")
        assert isinstance(driver.app.screen, ConfirmKill)
        assert "kills 1, restarts 1" in driver.text()
        assert exits(driver) == []
        await driver.press("enter")
        assert exits(driver) == [("<0.13.0>", "'kill'")]


@pytest.mark.parametrize("key", ["escape", "n"])
async def test_a_kill_that_is_not_confirmed_is_not_done(drive: Drive, key: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "x", key)
        assert isinstance(driver.app.screen, TreeScreen)
        assert exits(driver) == []


async def test_capital_x_kills_at_once(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "X")
        assert exits(driver) == [("<0.11.0>", "'kill'")]


async def test_a_killed_process_is_seen(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "X")
        await driver.look()
        line = next(line for line in driver.text().splitlines() if "── ada" in line)
        assert "<0.900.0>" in line
        assert "↻" in line
        assert selected(driver) == "ada"
        history = driver.app.observed.record.rows.get("chat_sup/clients/ada")
        assert history is not None
        assert history.flash(driver.app.observed.record.time) > 0
        text = driver.text()
        assert "was sent kill by an observer" in text
        assert "ada restarted <0.13.0> →" in text
        assert "<0.900.0>" in text.partition("ada restarted <0.13.0> →")[2]


async def test_a_kill_means_the_process_at_the_keypress_even_if_rows_move(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "x")
        driver.node.find("clients").children.reverse()
        await driver.look()
        await driver.press("enter")
        assert exits(driver) == [("<0.13.0>", "'kill'")]


async def test_a_process_that_ended_meanwhile_is_told_in_a_sentence(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "x")
        driver.node.crash(driver.node.find("ada"))
        await driver.press("enter")
        assert await driver.shows("it has ended")


async def test_e_asks_for_a_reason_and_takes_words_and_literals(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "e")
        assert isinstance(driver.app.screen, AskLiteral)
        await driver.press("enter")
        assert exits(driver) == [("<0.11.0>", "'shutdown'")]


async def test_a_reason_that_is_no_literal_is_refused_with_an_example(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "e", *"f(", "enter")
        assert isinstance(driver.app.screen, AskLiteral)
        assert "('shutdown', 'maintenance')" in driver.text()
        assert exits(driver) == []


async def test_a_row_without_a_process_cannot_be_killed(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("G", "k", "X")
        assert exits(driver) == []
        assert await driver.shows("no process in the selected row")


async def test_read_only_settings_refuse_a_kill(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=60.0, read_only=True)) as driver:
        await driver.press("j", "X")
        assert exits(driver) == []
        assert await driver.shows("read-only")
