"""The dashboard of a program that has ended says what it died of, and nothing that is true no longer."""

from __future__ import annotations

import pytest

from observer.app import ObserverApp
from observer.model import poller
from observer.model.remnants import Remnants
from observer.node.source import ChildStatus
from runtime.introspection import wire
from tests.observer.conftest import SELDOM, Drive, Driver
from tests.support import fake_nodes
from tests.support.fake_node import FakeClock

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


LEFT = Remnants(
    (
        wire.Event(
            id=9_000,
            time=1e9,
            kind="report",
            pid="<0.1.0>",
            name="main",
            message="the program ends: boom",
            ends_program=True,
        ),
    ),
    1e9,
    "the program ends: boom",
    "chat@7",
)


async def test_a_program_that_was_not_started_from_here_is_told_with_what_it_has_left(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller, "remnants_of", lambda *about: LEFT)
    async with drive(fake_nodes.chat()) as driver:
        driver.node.lose()
        driver.app.observed.poller.soon()
        assert await driver.shows("■ ENDED")
        for view in "125":
            await driver.press(view)
            text = " ".join(driver.text().split())
            assert "The program ended at" in text
            assert "The program has ended: boom" in text
            assert "'observer open chat@7' shows its processes" in text
            assert "■ ENDED" in text
            assert "Nothing looks wrong" not in text
        await driver.press("1")
        assert "i main <0.1.0> the program ends: boom" in driver.text()


async def test_a_program_that_ended_before_it_was_seen_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "remnants_of", lambda *about: LEFT)
    node = fake_nodes.chat()
    node.lose()
    app = ObserverApp(node, SELDOM, FakeClock())
    async with app.run_test(size=(120, 40)) as pilot:
        driver = Driver(app, node, pilot)
        assert await driver.shows("the program ended before its first figures came")
        assert "The program ended before its processes were seen." in driver.text()
        assert "waiting for the first figures" not in driver.text()


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
