"""A kill is shown before it is done, asked for where more than one process ends, and told when it is over."""

from __future__ import annotations

import msgspec
import pytest

from observer.model.settings import Settings
from observer.screens.ask_literal import AskLiteral
from observer.screens.confirm_kill import ConfirmKill
from observer.screens.plan_dialog import CHANGED, GONE
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


@pytest.mark.parametrize("ended", [("ada",), ("ada", "charles")])
async def test_capital_x_asks_for_several_also_when_the_first_has_just_ended(
    drive: Drive, ended: tuple[str, ...]
) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "v", "j", "v")
        for name in ended:
            driver.node.crash(driver.node.find(name))
        await driver.press("X")
        assert isinstance(driver.app.screen, ConfirmKill)
        assert exits(driver) == []


async def test_capital_x_on_one_that_has_just_ended_says_so_without_a_question(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j")
        driver.node.crash(driver.node.find("ada"))
        await driver.press("X")
        assert isinstance(driver.app.screen, TreeScreen)
        assert await driver.shows("it has ended")


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


async def test_a_plan_that_changes_while_it_is_shown_is_renewed_and_said_to_have_changed(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        before = driver.text()
        dialog.renew()
        assert driver.text() == before
        assert CHANGED not in before
        driver.node.find("clients").children.clear()
        dialog.renew()
        assert await driver.shows(CHANGED)
        left = sum(1 for below in driver.node.find("chat_sup").walk() if below.pid)
        assert f"kills {left}" in driver.text()
        assert f"kills {left}" not in before
        await driver.press("enter")
        assert exits(driver) == [("<0.10.0>", "'kill'")]


async def test_the_plan_is_asked_for_again_at_each_interval(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=0.1)) as driver:
        await driver.press("j", "j", "j", "x")
        driver.node.crash(driver.node.find("ada"))
        assert await driver.shows(GONE)


async def test_nothing_is_killed_once_its_target_has_gone(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        driver.node.crash(driver.node.find("ada"))
        dialog.renew()
        assert await driver.shows(GONE)
        assert "There is no process <0.13.0>" in driver.text()
        await driver.press("enter", "y")
        assert driver.app.screen is dialog
        assert exits(driver) == []
        await driver.press("escape")
        assert isinstance(driver.app.screen, TreeScreen)


async def test_of_several_targets_those_that_are_left_are_planned_for(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "v", "j", "v", "x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        assert "kills 2" in driver.text()
        driver.node.crash(driver.node.find("ada"))
        dialog.renew()
        assert await driver.shows("kills 1")
        assert CHANGED in driver.text()


async def test_those_that_have_ended_are_asked_about_once(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "v", "j", "v", "x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        questions = [query for query in driver.node.asked if isinstance(query, wire.GetPlan)]
        assert len(questions) == 1
        ada, charles = (driver.node.find(name).pid for name in ("ada", "charles"))
        for name, asked in (("ada", [ada, charles, charles]), ("charles", [charles, charles])):
            driver.node.crash(driver.node.find(name))
            driver.node.asked.clear()
            for _ in range(2):
                dialog.renew()
                await driver.settle()
            assert [query.pid for query in driver.node.asked if isinstance(query, wire.GetPlan)] == asked
        assert GONE in driver.text()


async def test_figures_in_the_sentence_of_a_plan_change_and_are_no_change_of_the_plan(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        plan = driver.node._plan(wire.GetPlan(pid="<0.10.0>"))
        renewed = msgspec.structs.replace(plan, sentence="ends 17 processes of the node")
        monkeypatch.setattr(driver.node, "_plan", lambda query: renewed)
        dialog.renew()
        assert await driver.shows("ends 17 processes of the node")
        assert CHANGED not in driver.text()


async def test_a_target_that_is_found_again_can_be_killed(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "j", "x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        with monkeypatch.context() as lost:
            lost.setattr(driver.node, "_plan", lambda query: wire.Failed(why="It is gone.", kind="noproc"))
            dialog.renew()
            assert await driver.shows(GONE)
            lost.setattr(driver.node, "_plan", lambda query: wire.Failed(why="The node is too busy to plan."))
            dialog.renew()
            await driver.settle()
            assert GONE in driver.text()
        dialog.renew()
        assert await driver.shows("kills 1")
        await driver.press("enter")
        assert exits(driver) == [("<0.13.0>", "'kill'")]


async def test_a_plan_that_arrives_while_the_dialog_closes_does_no_harm(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        await dialog.query_one("#planned").remove()  # its parts leave it first, while its workers go on
        asked = len(driver.node.asked)
        dialog.renew()
        await driver.settle()
        assert len(driver.node.asked) > asked
        await driver.press("escape")
        assert isinstance(driver.app.screen, TreeScreen)


async def test_a_node_that_does_not_plan_again_leaves_the_plan_that_is_known(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("x")
        dialog = driver.app.screen
        assert isinstance(dialog, ConfirmKill)
        before = driver.text()
        monkeypatch.setattr(driver.node, "_plan", lambda query: wire.Failed(why="The node is too busy to plan."))
        dialog.renew()
        await driver.settle()
        assert driver.text() == before
