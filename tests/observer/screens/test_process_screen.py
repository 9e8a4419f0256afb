"""The view of one process: its place's earlier lives, and everything that is known of it."""

from __future__ import annotations

import pytest

from observer.model.past_lives import PastLife, past_lives
from observer.screens.event_dialog import EventDialog
from observer.widgets.past_lives import PastLives
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.support import fake_nodes


def event(number: int, kind: str, pid: str, key: str = "app/w", **more: object) -> wire.Event:
    return wire.Event(id=number, time=100.0 + number, kind=kind, pid=pid, key=key, **more)  # type: ignore[arg-type]


def test_lives_are_told_from_the_last_to_the_first_with_how_long_each_lasted() -> None:
    crash = event(3, "exit", "<0.1.0>", reason="ValueError", crashed=True)
    again = event(4, "restart", "<0.2.0>", old_pid="<0.1.0>")
    second = event(9, "exit", "<0.2.0>", reason="killed", crashed=True)
    elsewhere = event(10, "exit", "<0.3.0>", key="app/v", reason="normal")
    lives = past_lives([crash, again, second, elsewhere], "app/w")
    assert lives == [PastLife(second, 104.0), PastLife(crash, None)]
    assert [life.lasted for life in lives] == [5.0, None]


async def test_a_process_that_is_related_to_nobody_is_said_to_be(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "enter")
        assert await driver.shows("Related (enter goes there)")
        await driver.press("escape", "G", "enter")
        assert await driver.shows("Related: no link, monitor or supervisor")


async def test_a_related_process_that_is_gone_to_is_scrolled_into_sight(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), (80, 18)) as driver:
        await driver.press("j", "enter")
        await driver.look(2)
        assert "Place" in driver.text()
        assert "parent       " not in driver.text()
        await driver.press("j")
        assert await driver.shows("parent       chat_sup")


async def test_what_is_largest_in_a_state_is_in_sight_where_the_state_is_not(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.parts = (wire.Part(name="pages", size=2_000_000, kind="dict", items=100),)
    async with drive(node, (80, 24)) as driver:
        await driver.press("j", "enter")
        await driver.look(2)
        lines = driver.text().splitlines()
        memory = next(number for number, line in enumerate(lines) if "Memory    " in line)
        assert "Largest    pages  1.9M  dict of 100 items, about 20K each" in lines[memory + 1]
        assert "Large in it" not in driver.text()


@pytest.mark.parametrize("key", ["j", "down"])
async def test_where_the_parts_stand_below_each_other_they_scroll_together(drive: Drive, key: str) -> None:
    async with drive(fake_nodes.chat(), (80, 24)) as driver:
        await driver.press("j", "enter")
        await driver.look(2)
        await driver.press("tab", "home")
        columns = driver.app.screen.query_one("#columns")
        before = columns.scroll_y
        await driver.press(key, key)
        assert columns.scroll_y == before + 2


async def test_earlier_lives_are_listed_also_those_that_nobody_saw_end(drive: Drive) -> None:
    node = fake_nodes.chat()
    bob = node.find("bob")
    node.crash(bob, "KeyError: 'the first'")
    for number in range(600):
        node.log("report", node.find("ada"), message=f"noise {number}")
    async with drive(node, size=(160, 60)) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look(2)
        node.crash(bob, "ValueError: 'the second'")
        await driver.look(2)
        lines = [line for line in driver.text().splitlines() if "the first" in line or "the second" in line]
        assert "✗ <0.900.0> ValueError: 'the second'  server.py:42 handle_cast" in lines[0]
        assert "✗ <0.14.0> KeyError: 'the first'  server.py:42 handle_cast" in lines[1]
        past = driver.app.screen.query_one(PastLives)
        past.focus()
        await driver.press("down", "enter")
        assert isinstance(driver.app.screen, EventDialog)
        assert await driver.shows("raise ValueError(text)")


async def test_what_process_info_gives_is_there(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), size=(160, 60)) as driver:
        await driver.press("j", "j", "j", "j", "enter")
        await driver.look(2)
        text = driver.text()
        for expected in (
            *("child id bob", "demos.chat.client", "waiting", "7  in", "line 7", "Memory", "reductions"),
            *("priority normal  does not trap exits", "up 5m", "$initial_call", "chat.py:71  client"),
        ):
            assert expected in text
        assert "supervisor   clients <0.12.0>" in text


async def test_the_mailbox_names_who_sends_and_from_which_line(drive: Drive) -> None:
    node = fake_nodes.chat()
    line = wire.Frame(file="/srv/shop/orders.py", line=53, function="take", source="cast(consumer, order)")
    node.senders = tuple(
        wire.Sender(rate=10.0 - number, pid=f"<0.9{number}.0>", name=f"till-{number}", at=line) for number in range(3)
    )
    async with drive(node, (120, 40)) as driver:
        await driver.press("j", "enter")
        assert await driver.shows("Sent by (a second, sampled)")
        assert "9/s till-1 <0.91.0>  orders.py:53 take" in driver.text()
        assert "and 1 more" in driver.text()


async def test_what_it_waits_for_is_told_to_the_end_of_the_chain(drive: Drive) -> None:
    node = fake_nodes.chat()
    chain = (wire.Related(pid="<0.13.0>", name="ada\x1b[2J"), wire.Related(pid="<0.11.0>", name="chat_server"))
    node.waits = (wire.Wait(pid="<0.11.0>", kind="reply", chain=chain, cycle=True),)
    async with drive(node, (200, 40)) as driver:
        await driver.press("j", "enter")
        await driver.look(2)
        assert "Waits for  ⧗ a reply of ada␛[2J, which waits for chat_server: a cycle" in driver.text()
        node.waits = (wire.Wait(pid="<0.11.0>", kind="message"),)
        await driver.look(2)
        assert "Waits for" not in driver.text()
