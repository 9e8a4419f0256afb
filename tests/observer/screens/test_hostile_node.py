"""The dashboard on a node that means harm: whatever the protocol lets through is drawn safely on every screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from observer.node import replies
from runtime.introspection import wire
from tests.observer.cli.test_hostile_node import ANSWERS
from tests.observer.conftest import Drive
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode
from tests.support.hostile_answers import Raw, encoded, extreme, with_evil_text

UNSAFE = {chr(code) for code in (*range(32), 127, *range(128, 160))} - {"\n"} | set("\u202e\u200b")

KEYS = (
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "enter",
    "escape",
    "x",
    "escape",
    "m",
    "escape",
    "s",
    "escape",
    "?",
    "escape",
)


def large(kind: type[wire.Answer]) -> Raw:
    return extreme(kind, largest=True)


def small(kind: type[wire.Answer]) -> Raw:
    return extreme(kind, largest=False)


class HostileNode(FakeNode):
    """Answers every question with what `make` makes of the type that belongs to it."""

    def __init__(self, make: Callable[[type[wire.Answer]], Raw]) -> None:
        super().__init__(*fake_nodes.chat().roots)
        self.answered = 0
        self._body = cache(lambda kind: encoded(make(kind)))

    async def ask(self, query: wire.Query) -> wire.Answer:
        self.answered += 1
        kind = ANSWERS.get(type(query), wire.Done)
        return replies.read_reply(self.name, self._body(kind))[1]


@pytest.mark.parametrize("make", [with_evil_text, large, small], ids=["evil text", "large figures", "small figures"])
async def test_every_screen_draws_what_the_protocol_lets_through(
    drive: Drive, make: Callable[[type[wire.Answer]], Raw]
) -> None:
    async with drive(HostileNode(make)) as driver:
        for key in KEYS:
            await driver.press(key)
            await driver.look()
            assert not set(driver.text()) & UNSAFE, key
        assert driver.app.is_running


async def test_a_node_that_has_fewer_rows_than_it_says_is_not_asked_without_end(drive: Drive) -> None:
    node = HostileNode(large)
    async with drive(node) as driver:
        await driver.look()
        before = node.answered
        for _ in range(20):
            await driver.pilot.pause()
        assert node.answered - before < 10
