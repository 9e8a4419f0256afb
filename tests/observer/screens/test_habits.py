"""Keys that people bring with them from other terminal programs."""

from __future__ import annotations

import pytest

from observer.app import ObserverApp
from observer.screens.choose_sort import ChooseSort
from observer.screens.event_dialog import EventDialog
from observer.screens.process_screen import ProcessScreen
from observer.screens.tree_screen import TreeScreen
from tests.observer.conftest import Drive
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode


def in_trouble() -> FakeNode:
    node = fake_nodes.chat()
    node.crash(node.find("bob"))
    node.find("ada").lints = ("hog",)
    return node


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was copied to the clipboard."""
    texts: list[str] = []
    monkeypatch.setattr(ObserverApp, "copy_to_clipboard", lambda app, text: texts.append(text))
    return texts


@pytest.mark.parametrize(
    ("keys", "expected"), [("4", "bob"), ("5", "ada"), ("6", "<0.10.0>"), ("2", "<0."), ("j", "chat_server")]
)
async def test_three_opens_the_process_of_what_is_selected_in_any_view(drive: Drive, keys: str, expected: str) -> None:
    async with drive(in_trouble()) as driver:
        await driver.press(*keys)
        await driver.look()
        await driver.press("3")
        await driver.look()
        assert isinstance(driver.app.screen, ProcessScreen)
        assert expected in driver.text()


@pytest.mark.parametrize("view", ["4", "5"])
async def test_three_says_so_where_nothing_belongs_to_a_process(drive: Drive, view: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press(view, "3")
        assert await driver.shows("Nothing is selected that belongs to a process.")


@pytest.mark.parametrize("opening", ["s", "w", "question_mark", "O", "x", "t"])
async def test_q_closes_a_dialog_and_not_the_observer(drive: Drive, opening: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", opening)
        assert not isinstance(driver.app.screen, TreeScreen)
        await driver.press("q")
        assert isinstance(driver.app.screen, TreeScreen)
        assert driver.app.is_running


async def test_q_is_a_letter_where_a_text_is_asked_for(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "m", "q")
        assert not isinstance(driver.app.screen, TreeScreen)


async def test_a_digit_chooses_in_a_dialog(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("s")
        assert isinstance(driver.app.screen, ChooseSort)
        assert "3   Pid" in driver.text()
        await driver.press("3")
        assert isinstance(driver.app.screen, TreeScreen)
        assert driver.app.screen.view.sort == "pid"


async def test_a_digit_without_an_option_does_nothing(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("6", "w", "9")
        assert type(driver.app.screen).__name__ == "ChooseExport"


async def test_y_copies_the_pid_the_stack_the_event_and_the_finding(drive: Drive, copied: list[str]) -> None:
    async with drive(in_trouble()) as driver:
        await driver.press("j", "y")
        assert copied == ["<0.11.0>"]
        await driver.press("enter")
        await driver.look()
        await driver.press("y")
        assert "match receive" in copied.pop()
        await driver.press("4", "g", "y")
        assert "raise ValueError(text)" in copied[-1]
        await driver.press("enter")
        assert isinstance(driver.app.screen, EventDialog)
        await driver.press("y")
        assert copied[-1] == copied[-2]
        await driver.press("escape", "5")
        await driver.look()
        await driver.press("y")
        assert copied[-1] == "ada looks like a hog."
        await driver.press("6")
        await driver.look()
        await driver.press("y")
        assert copied[-1] == "<0.10.0>"


async def test_y_says_when_there_is_nothing_to_copy(drive: Drive, copied: list[str]) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("5", "y")
        assert await driver.shows("There is nothing to copy here.")
        assert copied == []


async def test_half_a_page_down_and_up(drive: Drive) -> None:
    async with drive(fake_nodes.crowd(300), (80, 24)) as driver:
        view = driver.app.view
        assert isinstance(view, TreeScreen)
        await driver.press("ctrl+d")
        assert 2 <= view.table.selection.index < view.table.height
        await driver.press("ctrl+u")
        assert view.table.selection.index == 0
        await driver.press("s", "ctrl+d", "ctrl+u", "escape", "question_mark")
        top = driver.text()
        await driver.press("ctrl+d")
        assert driver.text() != top
        await driver.press("ctrl+u")
        assert driver.text() == top
