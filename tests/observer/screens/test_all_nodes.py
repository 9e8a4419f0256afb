"""One dashboard for all nodes of a cluster: it is the dashboard of a node, on a source that stands for all."""

from __future__ import annotations

from pathlib import Path

from observer.app import ObserverApp
from observer.dashboard import _source_of
from observer.model.observed_node import ObservedNode
from observer.node.cluster.whole_cluster import WholeCluster
from observer.node.discovery import Found
from observer.screens.console_screen import ConsoleScreen
from observer.screens.going import AllNodes, OpenAllNodes
from runtime.introspection import wire
from tests.observer.conftest import SELDOM
from tests.support import fake_nodes
from tests.support.fake_node import FakeNode, FakeProcess
from tests.support.shown import shown


def _cluster() -> tuple[WholeCluster, FakeNode]:
    root = FakeProcess("pool", "pool", "<0.10.0>", "supervisor", strategy="one_for_one")
    root.add("digger", "<0.11.0>")
    left, home = FakeNode(root, name="left"), fake_nodes.chat()
    home.distributed_as = "chat@h"
    home.nodes = (
        wire.ClusterNode(name="left@h", state="up", number=5),
        wire.ClusterNode(name="erl@x", state="up", kind="beam"),
    )
    there = {"left@h": Found("left", Path("left"))}
    return WholeCluster(home, find=lambda: there, dial=lambda found: left), left


async def _settled(app: ObserverApp, pilot: object) -> None:
    for _ in range(4):
        await pilot.pause()  # type: ignore[attr-defined]


async def test_the_tree_has_a_branch_for_each_node_and_a_kill_goes_to_the_right_one() -> None:
    source, left = _cluster()
    app = ObserverApp(source, SELDOM)
    async with app.run_test(size=(110, 40)) as pilot:
        await _settled(app, pilot)
        text = shown(app)
        assert "all nodes of chat" in text
        assert "▾ left@h (2)" in text
        assert "▾ erl@x is up, and cannot be obs" in text
        assert "2 of 3 nodes" in text
        await pilot.press("slash", *"digger", "enter", "j", "j")
        await app.observed.poller.look()
        await _settled(app, pilot)
        await pilot.press("x")
        await _settled(app, pilot)
        assert "Kill digger <5.11.0>?" in shown(app)
        await pilot.press("enter")
        await _settled(app, pilot)
        assert [query.pid for query in left.asked if isinstance(query, wire.Exit)] == ["<0.11.0>"]


async def test_what_is_about_one_node_alone_says_so() -> None:
    source, _ = _cluster()
    app = ObserverApp(source, SELDOM)
    async with app.run_test(size=(80, 24)) as pilot:
        await _settled(app, pilot)
        assert " of chat alone" not in shown(app)
        for key, note in (
            ("5", "Sums over all nodes; hub lag, limits and versions are those of chat."),
            ("6", "Names, timers and sockets of chat alone. Those of another node: 7, enter, 6."),
            ("7", "The nodes as chat knows them."),
            ("8", "This console is in chat. That of another node: 7, enter, 8."),
        ):
            await pilot.press(key)
            await _settled(app, pilot)
            assert note in shown(app)
        assert isinstance(app.screen, ConsoleScreen)
        assert app.screen.one_node == "chat"


async def test_all_nodes_of_all_nodes_is_where_one_is_already() -> None:
    source, _ = _cluster()
    app = ObserverApp(source, SELDOM, view="cluster")
    async with app.run_test(size=(110, 40)) as pilot:
        await _settled(app, pilot)
        app.screen.post_message(OpenAllNodes())
        await _settled(app, pilot)
        assert app.wanted is None
        assert app.current_mode == "tree"


def test_the_node_that_is_left_for_all_nodes_is_the_one_that_is_asked_for_them() -> None:
    node = fake_nodes.chat()
    source = _source_of(AllNodes(), node)
    assert isinstance(source, WholeCluster)
    assert source.home is node
    assert ObservedNode(source).replay is None
