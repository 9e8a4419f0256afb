"""A paste of several lines is kept whole."""

from __future__ import annotations

import pytest
from textual import events

from observer.widgets.line_input import LineInput
from tests.observer.conftest import Drive
from tests.support import fake_nodes


@pytest.mark.parametrize(
    ("pasted", "typed"),
    [
        ("{'a': 1,\n  'b': 2}\n", "{'a': 1, 'b': 2}"),
        ("one line", "one line"),
        ("\r\n  \r\nhello\r\n", "hello"),
        ("", ""),
    ],
)
async def test_the_lines_of_a_paste_are_joined(drive: Drive, pasted: str, typed: str) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "m")
        line = driver.app.screen.query_one(LineInput)
        line.post_message(events.Paste(pasted))
        await driver.settle()
        assert line.value == typed


async def test_a_paste_takes_the_place_of_what_is_selected(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "e")
        line = driver.app.screen.query_one(LineInput)
        line.post_message(events.Paste("('shutdown',\n 'paste')"))
        await driver.settle()
        assert line.value == "('shutdown', 'paste')"
