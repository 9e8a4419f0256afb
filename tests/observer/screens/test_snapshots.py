"""Pictures of every screen, compared with those that a person looked at.

The app looks at the node a fixed number of times and never by itself, and the node's clock moves only with a look.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from observer.app import ObserverApp
from observer.model.poller import Lost
from observer.model.settings import Settings
from observer.node.source import ChildStatus
from tests.support import fake_nodes
from tests.support.fake_node import FakeClock, FakeNode

SIZES = [(80, 24), (120, 40), (200, 60)]
THEMES = ["observer-dark", "observer-light"]
Compare = Callable[..., bool]
Act = Callable[[Pilot[None], ObserverApp, FakeNode], Awaitable[None]]


def picture(node: FakeNode, act: Act | None = None, theme: str = "observer-dark", looks: int = 8) -> dict[str, Any]:
    """Return the arguments of `snap_compare` for a dashboard on that node."""
    app = ObserverApp(node, Settings(interval=60.0, theme=theme), FakeClock())

    async def before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        for _ in range(looks):
            await app.observed.poller.look()
        if act is not None:
            await act(pilot, app, node)
        for line in app.screen.query(Input):
            line.cursor_blink = False
        for _ in range(3):
            await pilot.pause()

    return {"app": app, "run_before": before}


def press(*keys: str) -> Act:
    """Return an act that presses keys and looks once more."""

    async def act(pilot: Pilot[None], app: ObserverApp, node: FakeNode) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await app.observed.poller.look()

    return act


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_nodes_of_a_cluster(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**picture(fake_nodes.cluster(), press("7", "j", "j")), terminal_size=size)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_tree(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("j", "j", "j"), theme), terminal_size=size)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_tree_in_trouble(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(**picture(fake_nodes.crashing(), press("j"), theme), terminal_size=size)


VIEWS = {"processes": "2", "process": "3", "events": "4", "node": "5", "names": "6", "chaos": "c"}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
def test_the_other_views(snap_compare: Compare, view: str, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(**picture(fake_nodes.crashing(), press("j", VIEWS[view]), theme), terminal_size=size)


@pytest.mark.parametrize("view", ["processes", "events", "node", "names"])
def test_the_other_views_with_nothing_to_show(snap_compare: Compare, view: str) -> None:
    assert snap_compare(**picture(FakeNode(), press(VIEWS[view])), terminal_size=(80, 24))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_process_with_earlier_lives(snap_compare: Compare, size: tuple[int, int]) -> None:
    act = press("j", "j", "j", "j", "enter")
    assert snap_compare(**picture(fake_nodes.crashing(), act), terminal_size=size)


def test_the_constants_of_a_node(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.crashing(), press("5", "i")), terminal_size=(80, 24))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_greenlets_of_a_server(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**picture(fake_nodes.server(), press("2")), terminal_size=size)


def test_processes_in_groups(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("2", "b", "b", "d")), terminal_size=(80, 24))


def test_a_crash_with_its_chain(snap_compare: Compare) -> None:
    act = press("j", "j", "j", "X", "4", "g", "j")
    assert snap_compare(**picture(fake_nodes.chat(), act), terminal_size=(120, 40))


def test_a_message_to_send(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("j", "m")), terminal_size=(80, 24))


def test_forms_to_write(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert snap_compare(**picture(fake_nodes.chat(), press("w")), terminal_size=(80, 24))


def test_a_kill_to_confirm(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("j", "j", "x")), terminal_size=(80, 24))


def test_a_killed_process(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("j", "j", "j", "X")), terminal_size=(80, 24))


def test_the_orders_to_sort_by(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("s")), terminal_size=(80, 24))


def test_help(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("question_mark")), terminal_size=(120, 40))


def test_a_filter(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), press("slash", "b", "o", "b")), terminal_size=(80, 24))


def losing(*keys: str) -> Act:
    """Return an act that presses keys, looks once more, and then the node goes away."""
    before = press(*keys)

    async def act(pilot: Pilot[None], app: ObserverApp, node: FakeNode) -> None:
        await before(pilot, app, node)
        node.child_status = ChildStatus(
            "python -m demos.chat", 1, ("Traceback (most recent call last):", "OSError: no")
        )
        node.lose()
        app.take(Lost("The connection was closed."))

    return act


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_lost_node(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(**picture(fake_nodes.chat(), losing(), theme), terminal_size=size)


@pytest.mark.parametrize("view", VIEWS)
def test_the_other_views_of_a_lost_node(snap_compare: Compare, view: str) -> None:
    assert snap_compare(**picture(fake_nodes.crashing(), losing("j", VIEWS[view])), terminal_size=(80, 24))


def test_a_stuck_hub(snap_compare: Compare) -> None:
    node = fake_nodes.chat()
    node.hub_lag, node.hub_busy_with, node.hub_busy_at = 3.2, "<0.14.0>", "demos/hog.py:12 in spin"
    assert snap_compare(**picture(node), terminal_size=(80, 24))


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_to_show(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(**picture(FakeNode(), theme=theme), terminal_size=(80, 24))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_hundred_thousand_processes(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(**picture(fake_nodes.crowd(100_000), press("l", "G"), looks=2), terminal_size=size)


@pytest.mark.parametrize("view", ["processes", "names"])
def test_a_hundred_thousand_processes_in_a_list(snap_compare: Compare, view: str) -> None:
    assert snap_compare(**picture(fake_nodes.crowd(100_000), press(VIEWS[view], "j"), looks=1), terminal_size=(80, 24))


def test_a_terminal_too_small(snap_compare: Compare) -> None:
    assert snap_compare(**picture(fake_nodes.chat()), terminal_size=(20, 5))
