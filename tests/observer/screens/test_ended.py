"""The dashboard of a program that has ended says what it died of, and nothing that is true no longer."""

from __future__ import annotations

import pytest

from observer.node.source import ChildStatus
from tests.observer.conftest import Drive
from tests.support import fake_nodes

CAUSE = (
    "supervisor top gave up (more than 3 restarts in 5 s): its child counter ended with KeyError: 'port' "
    "(app.py:12 in handle_cast)"
)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_what_a_program_died_of_is_told_whole_in_every_view(drive: Drive, size: tuple[int, int]) -> None:
    node = fake_nodes.chat()
    async with drive(node, size) as driver:
        node.child_status = ChildStatus("python app.py", 1, stderr=("Traceback",), cause=CAUSE)
        driver.lose("The connection was closed.")
        for view in "1245":
            await driver.press(view)
            text = " ".join(driver.text().split())
            assert "The program ended with exit status 1" in text
            assert "KeyError: 'port'" in text
            assert "(app.py:12 in handle_cast)" in text
        await driver.press("1")
        assert "Nothing looks wrong" not in driver.text()
        assert "■ supervisor top gave up (more than 3 restarts" in driver.text()


async def test_without_a_known_cause_the_status_is_told(drive: Drive) -> None:
    node = fake_nodes.chat()
    async with drive(node) as driver:
        node.child_status = ChildStatus("python app.py", -9, stderr=("last words",))
        driver.lose("The connection was closed.")
        await driver.settle()
        assert "■ The program was ended by SIGKILL. O shows what it wrote." in driver.text()
        assert "last words" in driver.text()


async def test_of_a_node_that_is_lost_nothing_is_said_to_be_well(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        driver.lose("The connection was closed.")
        await driver.settle()
        assert "Nothing looks wrong" not in driver.text()
        assert "The node is lost" in driver.text()
        driver.node.come_back()
        await driver.app.observed.poller.meet()
        await driver.look()
        assert "Nothing looks wrong" in driver.text()


async def test_a_cause_cannot_reach_the_terminal_raw(drive: Drive) -> None:
    node = fake_nodes.chat()
    async with drive(node) as driver:
        node.child_status = ChildStatus("python app.py", 1, cause="died\x1b[2Jof this")
        driver.lose("\x1b]0;title\x07")
        await driver.settle()
        assert "died␛[2Jof this" in driver.text()
        assert "\x1b" not in driver.text()
