"""A trace in the dashboard: opened on a row, drawn live, saved, and ended by leaving it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from observer.screens.process_screen import ProcessScreen
from observer.screens.trace_screen import TraceScreen
from observer.screens.tree_screen import TreeScreen
from runtime.introspection import wire
from tests.observer.conftest import Drive, Driver
from tests.support.fake_node import FakeNode
from tests.support.fake_process import FakeProcess
from tests.support.traces import EVENTS, TracedNode


class TracingNode(FakeNode):
    """A node in memory that has noted some events."""

    def __init__(self, traced: TracedNode) -> None:
        pool = FakeProcess("pool", "pool", "<0.2.0>", "supervisor", strategy="one_for_one")
        pool.add("bank", "<0.3.0>")
        pool.add("till", "<0.5.0>")
        super().__init__(pool, name="chat")
        self.traced = traced
        self.refuses = ""

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Answer what is asked of a trace, and all else as a `FakeNode` does."""
        if self.refuses and isinstance(query, wire.StartTrace):
            return wire.Failed(why=self.refuses, kind="bad_request")
        return self.traced.answer(query) or await super().ask(query)


def node(ends: bool = False) -> TracingNode:
    return TracingNode(TracedNode(ends=ends))


async def opened(driver: Driver, *before: str) -> TraceScreen:
    """Open a trace and wait until all of it is drawn."""
    await driver.press(*before, "T")
    screen = driver.app.screen
    assert isinstance(screen, TraceScreen)
    assert await driver.shows("returned")  # the last of them
    for _ in range(3_000):
        if len(screen._events) == len(EVENTS):
            break
        await driver.pilot.pause(0.02)
    await driver.settle()
    return screen


async def test_t_draws_what_the_selected_process_says_and_hears(drive: Drive) -> None:
    tracing = node()
    async with drive(tracing) as driver:
        screen = await opened(driver, "j")
        text = driver.text()
        assert "Trace of bank" in text
        assert "gave up after 5.00s late" in text
        assert "7 dropped" in text
        assert "returned" in text, "the last step is told in full"
        assert screen.diagram.diagram.lifelines[:2] == ["client", "bank"]
        assert tracing.traced.begun == [wire.StartTrace(places=("pool/bank",), seconds=600.0, limit=20_000, rate=1_000)]


async def test_marked_rows_and_a_subtree_are_followed_by_their_places(drive: Drive) -> None:
    tracing = node()
    async with drive(tracing) as driver:
        await opened(driver, "j", "v", "j", "v")
        await driver.press("escape")
        await opened(driver, "V", "g")
    assert [query.places for query in tracing.traced.begun] == [("pool/bank", "pool/till"), ("pool",)]


async def test_leaving_it_ends_the_trace(drive: Drive) -> None:
    tracing = node()
    async with drive(tracing) as driver:
        await opened(driver)
        await driver.press("escape")
        assert isinstance(driver.app.screen, TreeScreen)
        for _ in range(3_000):
            if tracing.traced.stopped:
                break
            await driver.pilot.pause(0.02)
        assert tracing.traced.stopped == 1
        read = tracing.traced.read
        await driver.pilot.pause(0.3)
        assert tracing.traced.read == read


async def test_a_step_is_told_in_full_and_leads_to_its_process(drive: Drive) -> None:
    async with drive(node()) as driver:
        await opened(driver)
        await driver.press("g")
        assert "/srv/shop/orders.py:31 in order" in driver.text()
        await driver.press("enter")
        assert isinstance(driver.app.screen, ProcessScreen)
        await driver.press("escape")
        assert isinstance(driver.app.screen, TraceScreen)


async def test_s_saves_it_in_each_form(drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with drive(node()) as driver:
        await opened(driver)
        for downs, begins in enumerate(("sequenceDiagram", "<svg", "<!doctype", "{")):
            await driver.press("s", *["down"] * downs, "enter")
            assert await driver.shows("Written to")
            (file,) = tmp_path.iterdir()
            assert file.name.startswith("trace-chat-")
            text = file.read_text(encoding="utf-8")
            assert text.startswith(begins)
            file.unlink()
            driver.app.clear_notifications()
    assert len(json.loads(text)["events"]) == len(EVENTS)


async def test_a_trace_that_has_ended_says_why_and_can_be_begun_again(drive: Drive) -> None:
    tracing = node(ends=True)
    async with drive(tracing) as driver:
        screen = await opened(driver)
        assert await driver.shows("15 events, 7 dropped. The time of 10 s is over.")
        await driver.press("T")
        assert await driver.shows("15 events")
        assert len(tracing.traced.begun) == 2
        assert screen is driver.app.screen


async def test_what_the_node_refuses_is_shown(drive: Drive) -> None:
    tracing = node()
    tracing.refuses = "There is no process\x1b[2J <0.9.0>."
    async with drive(tracing) as driver:
        await driver.press("T")
        assert await driver.shows("There is no process␛[2J <0.9.0>.")


async def test_other_lifelines_come_into_sight_where_there_is_no_room_for_all(drive: Drive) -> None:
    async with drive(node(), size=(60, 24)) as driver:
        await opened(driver)
        assert "▸" in driver.text()
        assert "client" in driver.text()
        await driver.press(*["right"] * 5)
        assert "◂" in driver.text()
        await driver.press(*["left"] * 5)
        assert "◂" not in driver.text()


async def test_what_is_kept_is_bounded(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observer.widgets.sequence_view.MOST", 4)
    monkeypatch.setattr("observer.widgets.line_list.MOST", 4)
    async with drive(node()) as driver:
        screen = await opened(driver)
        assert len(screen.diagram.diagram.steps) == 4
        assert len(screen.diagram._items) == 4
        assert screen._events.maxlen == 5_000


async def test_leaving_it_before_the_node_has_answered_ends_the_trace(drive: Drive) -> None:
    tracing = node()
    answered = asyncio.Event()
    ask = tracing.ask

    async def late(query: wire.Query) -> wire.Answer:
        answer = await ask(query)
        if isinstance(query, wire.StartTrace):
            await answered.wait()
        return answer

    tracing.ask = late  # type: ignore[method-assign]
    async with drive(tracing) as driver:
        await driver.press("T")
        assert len(tracing.traced.begun) == 1
        await driver.press("escape")
        answered.set()
        for _ in range(3_000):
            if tracing.traced.stopped:
                break
            await driver.pilot.pause(0.02)
        assert tracing.traced.stopped == 1


async def test_the_trace_that_was_begun_last_is_the_one_that_is_read(drive: Drive) -> None:
    tracing = node()
    async with drive(tracing) as driver:
        first = await opened(driver)
        await driver.press("g", "enter")
        assert isinstance(driver.app.screen, ProcessScreen)
        await driver.look(2)
        other = await opened(driver)
        assert other is not first
        assert len(first._events) == len(EVENTS)
        await driver.pilot.pause(0.3)
        await driver.press("escape", "escape")
        assert isinstance(driver.app.screen, TraceScreen)
        assert driver.app.screen is first
        assert await driver.shows("Another trace was begun.")
        assert tracing.traced.stopped == 1
        await driver.press("escape")
        await driver.pilot.pause(0.1)
        assert tracing.traced.stopped == 1


async def test_a_trace_that_can_no_longer_be_read_is_ended(drive: Drive) -> None:
    tracing = node()
    ask = tracing.ask

    async def rewound(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.ReadTrace) and tracing.traced.read == 3:
            return wire.Failed(why="What is shown is over.", kind="read_only")
        return await ask(query)

    tracing.ask = rewound  # type: ignore[method-assign]
    async with drive(tracing) as driver:
        await driver.press("T")
        for _ in range(3_000):
            if tracing.traced.stopped:
                break
            await driver.pilot.pause(0.02)
        assert tracing.traced.stopped == 1
        assert await driver.shows("What is shown is over.")


async def test_a_name_that_looks_like_markup_is_shown_as_it_is(drive: Drive) -> None:
    tracing = node()
    tracing.find("bank").name = "a[/b]"
    async with drive(tracing) as driver:
        await opened(driver, "j")
        assert "Trace of a[/b]" in driver.text()
