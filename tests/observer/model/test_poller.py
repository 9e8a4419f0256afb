"""The loop that asks the node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from observer.model import poller
from observer.model.poller import Looked, Lost, Met, News, Poller, Silent
from observer.model.record import Record
from observer.model.remnants import Remnants
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support.fake_node import FakeNode
from tests.support.fake_nodes import chat

Made = tuple[Poller, list[News], Record]


def _made(node: FakeNode, *questions: wire.Query, interval: float = 60.0) -> Made:
    news: list[News] = []
    record = Record()
    return Poller(node, record, lambda: questions, news.append, interval), news, record


async def _until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not seen():
            await asyncio.sleep(0)


async def test_a_look_asks_every_question_of_the_moment_and_tells_the_answers() -> None:
    questions = [wire.GetTree(), wire.GetLints()]
    asker, news, record = _made(chat(), *questions)
    await asker.meet()
    await asker.look()
    assert isinstance(news[0], Met)
    looked = news[1]
    assert isinstance(looked, Looked)
    assert [question for question, _ in looked.answers] == questions
    assert record.stats is not None


async def test_new_events_are_asked_for_once() -> None:
    node = chat()
    asker, news, _ = _made(node, wire.GetStats())
    await asker.meet()
    await asker.look()
    node.crash(node.find("ada"))
    for _ in range(2):
        await asker.look()
    fresh = [each.fresh for each in news if isinstance(each, Looked)]
    assert fresh[1]
    assert fresh[2] == ()


async def test_a_frozen_display_leaves_the_record_as_it_is() -> None:
    asker, news, record = _made(chat(), wire.GetStats())
    await asker.meet()
    asker.frozen = True
    await asker.look()
    looked = news[-1]
    assert isinstance(looked, Looked)
    assert (looked.held, looked.fresh, record.stats) == (True, (), None)


async def test_a_look_that_is_wanted_comes_at_once_and_not_twice() -> None:
    asker, news, _ = _made(chat())
    running = asyncio.create_task(asker.run())
    await _until(lambda: len(news) == 2)  # it was met and looked at
    asker.soon()
    asker.soon()
    await _until(lambda: len(news) == 3)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(news) == 3
    running.cancel()


async def test_a_lost_node_is_told_and_met_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "RETRY", 0.0)
    node = chat()
    asker, news, _ = _made(node, wire.GetStats(), interval=0.0)
    running = asyncio.create_task(asker.run())
    await _until(lambda: any(isinstance(each, Looked) for each in news))
    node.lose("The connection was closed.")
    await _until(lambda: Lost("The connection was closed.") in news)
    node.come_back()
    await _until(lambda: sum(isinstance(each, Met) for each in news) == 2)
    running.cancel()


async def test_a_frozen_display_still_notices_that_the_node_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "RETRY", 60.0)
    node = chat()
    asker, news, _ = _made(node, interval=0.0)
    running = asyncio.create_task(asker.run())
    await _until(lambda: len(news) >= 2)
    asker.frozen = True
    node.lose("The connection was closed.")
    await _until(lambda: Lost("The connection was closed.") in news)
    running.cancel()


async def test_an_answer_that_is_owed_is_told_until_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "SILENT_AFTER", 0.01)
    node = chat()
    asker, news, _ = _made(node, wire.GetStats())
    await asker.meet()
    node.hold = asyncio.Event()
    looking = asyncio.create_task(asker.look())
    await _until(lambda: any(isinstance(each, Silent) for each in news))
    node.hold.set()
    await looking
    silences = [each.seconds for each in news if isinstance(each, Silent)]
    assert silences[0] >= 0.01
    assert silences[-1] == 0.0


async def test_a_look_at_a_lost_node_raises() -> None:
    node = chat()
    questions: Sequence[wire.Query] = (wire.GetStats(),)
    asker, _, _ = _made(node, *questions)
    node.lose("Gone.")
    with pytest.raises(NodeLostError, match="Gone"):
        await asker.look()


async def test_who_waits_for_a_look_gets_one_that_began_after_the_wish_and_is_not_kept_for_long() -> None:
    node = chat()
    asker, news, _ = _made(node, wire.GetStats())
    running = asyncio.create_task(asker.run())
    await _until(lambda: len(news) == 2)
    await asker.seen(60.0)
    assert len(news) == 3
    node.hold = asyncio.Event()
    asker.soon()
    await _until(lambda: len(node.asked) == 3)
    waiting = asyncio.create_task(asker.seen(60.0))
    await asyncio.sleep(0)
    node.hold.set()
    await waiting
    assert len(news) == 5, "the look that was under way already does not count"
    node.hold = asyncio.Event()
    await asker.seen(0.01)
    running.cancel()


async def test_what_a_node_that_has_ended_has_left_is_told_and_its_events_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = wire.Event(id=1_000, time=1.0, kind="report", message="the program ends: boom", ends_program=True)
    found = [Remnants(), Remnants(black_box="chat@7"), Remnants((over,), 1.0, over.message, "chat@7")]
    monkeypatch.setattr(poller, "remnants_of", lambda *about: found.pop(0))
    monkeypatch.setattr(poller, "RETRY", 0.0)
    node = chat()
    asker, news, record = _made(node, wire.GetStats(), interval=0.0)
    running = asyncio.create_task(asker.run())
    await _until(lambda: any(isinstance(each, Looked) for each in news))
    node.lose()
    await _until(lambda: sum(isinstance(each, Lost) for each in news) >= 4)
    running.cancel()
    nothing, box, first, again = [each for each in news if isinstance(each, Lost)][:4]
    assert (nothing.remnants, box.remnants.black_box) == (Remnants(), "chat@7"), "it ends, and has not ended yet"
    assert (first.remnants.why, first.fresh, again.fresh) == (over.message, (over,), ())
    assert record.events.get(1_000) == over
