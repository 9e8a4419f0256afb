"""The line that says what is wrong with the node."""

from __future__ import annotations

import re

import pytest

from observer.screens.process_screen import ProcessScreen
from observer.screens.tree_screen import TreeScreen
from observer.widgets.finding_line import FindingLine
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.observer.screens.rows import selected
from tests.support import fake_nodes


async def test_the_tree_says_in_a_sentence_what_is_wrong(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.look()
        assert "Nothing looks wrong." in driver.text()
        driver.node.find("bob").lints = ("mailbox_grows",)
        driver.node.find("ada").lints = ("hog",)
        await driver.look()
        assert re.search(r"! ada looks like a hog\. +1 of 2", driver.text())
        await driver.pilot.click("FindingLine")
        await driver.look()
        assert "It computes and never waits." in driver.text()


async def test_a_key_goes_from_finding_to_finding_and_enter_opens_the_process(drive: Drive) -> None:
    node = fake_nodes.crowd(300)
    for name, lint in (("pool1", "crash_loop"), ("pool2", "hog")):
        node.find(name).children[-1].lints = (lint,)
    async with drive(node, (80, 24)) as driver:
        view = driver.app.view
        assert isinstance(view, TreeScreen)
        await driver.press("slash", *"worker5", "enter")
        for pool in ("pool1", "pool2", "pool1"):
            await driver.press("f")
            await driver.look()
            row = view.table.row
            assert row is not None
            assert row.key == f"app/{pool}/worker99"
            line = next(line for line in driver.text().splitlines() if line.startswith("▌"))
            assert "worker99" in line
        assert view.view.filter == ""
        await driver.press("enter")
        await driver.look()
        assert isinstance(driver.app.screen, ProcessScreen)
        assert "Look at the exits in the events" in driver.text()


async def test_keys_are_for_the_finding_before_the_node_has_said_where_it_stands(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = fake_nodes.chat()
    node.find("bob").lints = ("hog",)
    async with drive(node) as driver:
        await driver.press("j")
        await driver.look()
        monkeypatch.setattr(driver.app.observed.poller, "soon", lambda: None)
        await driver.press("f", "X")
        killed = [query.pid for query in node.asked if isinstance(query, wire.Exit)]
        assert killed == ["<0.14.0>"]
        await driver.press("g")
        assert selected(driver) == "chat_sup"


async def test_the_line_of_the_finding_can_be_opened_itself(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("bob").lints = ("hog",)
    async with drive(node) as driver:
        await driver.press("tab", "tab")
        assert isinstance(driver.app.screen.focused, FindingLine)
        await driver.press("enter")
        assert isinstance(driver.app.screen, ProcessScreen)


async def test_a_finding_whose_process_ended_is_not_gone_to(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.find("bob").lints = ("hog",)
    async with drive(node) as driver:
        node.find("clients").children.clear()
        await driver.press("f")
        assert await driver.shows("<0.14.0> has ended meanwhile.")


async def test_without_a_finding_its_key_is_not_offered(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        assert "f Finding" not in driver.text()
        driver.node.find("bob").lints = ("hog",)
        await driver.look()
        assert "f Finding" in driver.text()
        assert "! 1 finding" in driver.text()
        assert "(5)" not in driver.text()


async def test_the_decisive_words_of_a_long_finding_stand_on_further_lines(drive: Drive) -> None:
    sentence = (
        "connections/worker and others fail again and again (KeyError: 'n' at /srv/app/shop/till.py:31): "
        "with the next failure connections <0.14.0> gives up (has made 3 of the 3 restarts allowed in 5 s)."
    )
    node = fake_nodes.chat()
    node.lints = (wire.Lint(kind="crash_loop", weight=3, pids=("<0.14.0>",), sentence=sentence),)
    async with drive(node, (80, 24)) as driver:
        await driver.look()
        assert "with the next failure connections <0.14.0> gives up (has made 3 of the 3" in " ".join(
            driver.text().split()
        )
        assert driver.app.screen.query_one(FindingLine).size.height == 3
        node.lints = ()
        await driver.look()
        assert driver.app.screen.query_one(FindingLine).size.height == 1
