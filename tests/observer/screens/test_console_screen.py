from __future__ import annotations

import msgspec
from textual import events

from observer.screens.console_screen import ConsoleInput, ConsoleScreen
from tests.observer.conftest import SELDOM, Drive, Driver
from tests.support.fake_console import ConsoleNode


async def type_in(driver: Driver, text: str) -> None:
    driver.app.screen.query_one(ConsoleInput).insert_text_at_cursor(text)
    await driver.press("enter")


async def test_what_is_typed_is_evaluated_and_its_value_shown(drive: Drive) -> None:
    node = ConsoleNode()
    async with drive(node) as driver:
        await driver.press("8")
        assert await driver.shows("Python in chat, in <0.50.0>.")
        assert "chat(1)>" in driver.text()
        await type_in(driver, "1 + 1")
        assert await driver.shows("value of 1 + 1")
        assert await driver.shows("chat(2)>")
    assert node.sources == ["1 + 1"]


async def test_a_block_is_evaluated_at_its_empty_line(drive: Drive) -> None:
    node = ConsoleNode()
    async with drive(node) as driver:
        await driver.press("8")
        await type_in(driver, "def f(x):")
        assert driver.app.screen.query_one(ConsoleInput).value == "    "
        assert "......." in driver.text()
        await type_in(driver, "return x")
        assert node.sources == []
        await driver.press("enter")
        assert await driver.shows("value of def f(x):")
    assert node.sources == ["def f(x):\n    return x\n    "]


async def test_what_is_at_work_is_interrupted(drive: Drive) -> None:
    node = ConsoleNode()
    node.busy.add("loop()")
    async with drive(node) as driver:
        await driver.press("8")
        await type_in(driver, "loop()")
        await type_in(driver, "2")
        assert await driver.shows("It is still at work: ^c ends it.")
        await driver.press("ctrl+c")
        assert await driver.shows("** (EXIT) killed")
    assert node.sources == ["loop()"]


async def test_what_was_refused_can_be_typed_again(drive: Drive) -> None:
    node = ConsoleNode()
    node.refuses_next = "The hub was busy, so nothing was done."
    async with drive(node) as driver:
        await driver.press("8")
        await type_in(driver, "1")
        assert await driver.shows("The hub was busy, so nothing was done.")
        await type_in(driver, "2")
        assert await driver.shows("value of 2")
    assert node.sources == ["2"]


async def test_what_processes_print_meanwhile_is_shown_at_the_next_look(drive: Drive) -> None:
    node = ConsoleNode()
    async with drive(node) as driver:
        await driver.press("8")
        node.show("output", "printed \x1b[2J later\n")
        await driver.look()
        assert "printed ␛[2J later" in driver.text()


async def test_the_console_is_as_it_was_left(drive: Drive) -> None:
    async with drive(ConsoleNode()) as driver:
        await driver.press("8")
        await type_in(driver, "1")
        assert await driver.shows("value of 1")
        await driver.press("escape")
        assert not isinstance(driver.app.screen, ConsoleScreen)
        await driver.press("8")
        assert "value of 1" in driver.text()
        await driver.press("up")
        assert driver.app.screen.query_one(ConsoleInput).value == "1"
        await driver.press("down")
        assert driver.app.screen.query_one(ConsoleInput).value == ""


async def test_keys_of_the_dashboard_are_typed(drive: Drive) -> None:
    node = ConsoleNode()
    async with drive(node) as driver:
        await driver.press("8")
        await driver.press("2", "q", "x", "enter")
        assert await driver.shows("value of 2qx")
        assert isinstance(driver.app.screen, ConsoleScreen)


async def test_a_name_is_completed_as_far_as_it_is_certain(drive: Drive) -> None:
    node = ConsoleNode()
    node.words = ("spawn(", "spawn_link(", "whereis(")
    async with drive(node) as driver:
        await driver.press("8")
        line = driver.app.screen.query_one(ConsoleInput)
        line.insert_text_at_cursor("f(wh")
        await driver.press("tab")
        assert await driver.shows("f(whereis(")
        line.value = "sp"
        line.cursor_position = 2
        await driver.press("tab")
        assert await driver.shows("spawn")
        assert line.value == "spawn"
        await driver.press("tab")
        assert await driver.shows("spawn(  spawn_link(")
        line.value = ""
        await driver.press("tab")
        assert line.value == "    "
        line.insert_text_at_cursor("xy")
        await driver.press("backspace", "backspace")
        assert line.value == "    "
        await driver.press("backspace")
        assert line.value == ""


async def test_every_line_of_a_paste_is_entered(drive: Drive) -> None:
    node = ConsoleNode()
    async with drive(node) as driver:
        await driver.press("8")
        driver.app.screen.query_one(ConsoleInput).post_message(events.Paste("x = [1,\n2]\ny = 1\nx"))
        await driver.settle()
        assert await driver.shows("value of x = [1,")
        assert driver.app.screen.query_one(ConsoleInput).value == "x"
    assert node.sources == ["x = [1,\n2]\ny = 1"]


async def test_a_node_that_refuses_says_why(drive: Drive) -> None:
    async with drive(ConsoleNode(refuses="This node is read-only.")) as driver:
        await driver.press("8")
        assert await driver.shows("This node is read-only.")
        assert driver.app.screen.query_one(ConsoleInput).disabled


async def test_a_read_only_observer_opens_none(drive: Drive) -> None:
    node = ConsoleNode()
    async with drive(node, settings=msgspec.structs.replace(SELDOM, read_only=True)) as driver:
        await driver.press("8")
        assert await driver.shows("This observer is read-only")
