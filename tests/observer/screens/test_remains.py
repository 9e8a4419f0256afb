"""The remains of dead processes are findings that can be stopped, and a kill says what came of it."""

from __future__ import annotations

import pytest

from observer.screens.acting import settled
from observer.screens.confirm import Confirm
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode

LINT = wire.Lint(
    kind="remains",
    weight=2,
    pids=("<0.5.0>",),
    sentence="<0.5.0> has ended, and its frames still run, at /srv/shop/till.py:31 in count: kill it again.",
)


def with_remains(monkeypatch: pytest.MonkeyPatch, answer: wire.Done | wire.Failed) -> FakeNode:
    node = fake_nodes.chat()
    monkeypatch.setattr(node, "_lints", lambda query: wire.Lints(lints=(LINT,)))
    monkeypatch.setattr(node, "_exit", lambda query: answer)
    return node


@pytest.mark.parametrize("keys", [("f",), ("tab", "tab", "enter"), ("5", "enter"), ("5", "3")])
async def test_what_remains_of_a_process_is_stopped_after_a_question(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    node = with_remains(monkeypatch, wire.Done(sentence="they have ended now."))
    async with drive(node) as driver:
        for key in keys:
            await driver.press(key)
            await driver.look()
        assert isinstance(driver.app.screen, Confirm)
        assert await driver.shows("at till.py:31 in")
        assert not any(isinstance(query, wire.Exit) for query in node.asked)
        await driver.press("enter")
        assert await driver.shows("they have ended now.")
        assert wire.Exit(pid="<0.5.0>") in node.asked


async def test_remains_that_are_gone_meanwhile_are_said_to_be(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    async with drive(with_remains(monkeypatch, wire.Failed(why="<0.5.0> has ended.", kind="noproc"))) as driver:
        await driver.press("f", "y")
        assert await driver.shows("<0.5.0> has ended.")


async def test_a_kill_that_leaves_something_running_says_so(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    node = fake_nodes.chat()
    told = wire.Done(sentence="Killed <0.11.0>: its frames are still cleaning up at /srv/a/till.py:3 in f.", event=1)
    monkeypatch.setattr(node, "_exit", lambda query: told)
    async with drive(node) as driver:
        await driver.press("j", "X")
        assert await driver.shows("still cleaning up")


@pytest.mark.parametrize(
    ("sentence", "over"),
    [
        ("", True),
        ("Killed <0.5.0>.", True),
        ("Ended <0.5.0> with shutdown.", True),
        ("Killed <0.5.0>: it is still cleaning up.", False),
        ("Sent shutdown to <0.5.0>, which traps exits and has it as a message.", False),
    ],
)
def test_only_what_is_more_than_a_kill_is_told(sentence: str, over: bool) -> None:
    assert settled(sentence) is over
