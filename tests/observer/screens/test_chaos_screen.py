"""Chaos, writing what is shown to files, and the program's output, in the dashboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from observer.model.settings import Settings
from observer.node.source import ChildStatus
from observer.output import files
from observer.screens import orders_screen, rows_screen
from observer.screens.chaos_screen import ChaosScreen
from observer.screens.output_screen import OutputScreen
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.support import fake_node, fake_nodes

ROWS = [
    wire.Row(key="app", pid="<0.1.0>", kind="supervisor", name="app", strategy="one_for_one", child_count=2),
    wire.Row(key="app/a", pid="<0.2.0>", name='a "quoted"', depth=1, parent_key="app", memory=2048, restarts=2),
    wire.Row(key="app/b", name="b\x1b[2J", depth=1, parent_key="app", status="stopped"),
]


async def test_c_opens_chaos_for_the_selected_subtree_and_kills_nothing_yet(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("j", "j", "c")
        assert isinstance(driver.app.screen, ChaosScreen)
        assert driver.app.screen.query_one("#root", Input).value == "chat_sup/clients"
        assert not any(isinstance(query, wire.Exit) for query in driver.node.asked)


async def test_chaos_says_what_is_wrong_with_its_orders(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("c")
        driver.app.screen.query_one("#rate", Input).value = "often"
        await driver.press("enter")
        assert "'often' is not a rate" in driver.text()


async def test_chaos_in_a_read_only_view_is_refused(drive: Drive) -> None:
    async with drive(fake_nodes.chat(), settings=Settings(interval=60.0, read_only=True)) as driver:
        await driver.press("c", "enter")
        assert "read-only" in driver.text()


async def test_chaos_kills_and_tells_what_came_back(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("c")
        screen = driver.app.screen
        for name, value in (("rate", "1/s"), ("seconds", "0.01s"), ("target", "ada"), ("root", "")):
            screen.query_one(f"#{name}", Input).value = value
        await driver.press("enter")
        assert await driver.shows("recovered         1")
        assert [query.pid for query in driver.node.asked if isinstance(query, wire.Exit)] == ["<0.13.0>"]
        await driver.press("escape")
        assert not isinstance(driver.app.screen, ChaosScreen)


class Leaping:
    """A clock that is a second further each time it is looked at."""

    def __init__(self) -> None:
        self.moment = fake_node.START

    def now(self) -> float:
        """Return the time."""
        self.moment += 1.0
        return self.moment


@pytest.mark.parametrize(("rest", "begun"), [(1_000.0, 1), (0.0, 2)])
async def test_a_press_to_stop_that_comes_as_it_ends_starts_nothing(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, rest: float, begun: int
) -> None:
    monkeypatch.setattr(orders_screen, "REST", rest)
    async with drive(fake_nodes.chat()) as driver:
        driver.app.observed.clock = Leaping()
        await driver.press("c")
        screen = driver.app.screen
        assert isinstance(screen, ChaosScreen)
        for name, value in (("rate", "1/s"), ("seconds", "1s"), ("target", "ada"), ("root", "")):
            screen.query_one(f"#{name}", Input).value = value
        for _ in range(2):
            await driver.press("enter")
            await driver.settle()
            while screen.goes_on:
                await driver.pilot.pause(0.01)
        assert driver.node.asked.count(wire.GetEvents(after=-1, limit=1)) == begun  # what a chaos asks first


@pytest.mark.parametrize(
    ("target", "comes_back", "verdict", "more"),
    [
        ("ada", True, "✓ everything came back", "worst"),
        ("ada", False, "✗ not everything came back", "✗ ada <0.13.0>"),
        ("nobody", True, "✗ nothing was killed", "nobody"),
    ],
)
async def test_chaos_says_in_the_end_how_it_went(
    drive: Drive, target: str, comes_back: bool, verdict: str, more: str
) -> None:
    node = fake_nodes.chat()
    node.restarting = comes_back
    async with drive(node, size=(80, 24)) as driver:
        driver.app.observed.clock = Leaping()
        await driver.press("c")
        for name, value in (("rate", "1/s"), ("seconds", "5s"), ("target", target), ("root", "")):
            driver.app.screen.query_one(f"#{name}", Input).value = value
        await driver.press("ctrl+s")
        for _ in range(20):
            if await driver.shows(verdict):
                break
        assert verdict in driver.text()
        assert more in driver.text()


@pytest.mark.parametrize(
    ("downs", "ending", "expected"),
    [
        (0, "svg", "<svg"),
        (1, "txt", "chat_server"),
        (2, "dot", "digraph"),
        (3, "mmd", "flowchart"),
        (4, "csv", "pid,name"),
        (5, "json", "["),
    ],
)
async def test_what_is_shown_is_written_to_a_file(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downs: int, ending: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("w", *["down"] * downs, "enter")
        assert await driver.shows("Written to")
    (file,) = tmp_path.iterdir()
    assert file.name == f"observer-chat-221320.{ending}"
    assert expected in file.read_text(encoding="utf-8")


async def test_a_long_export_says_how_far_it_is_and_where_it_was_cut(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rows_screen, "TELL_EVERY", 0.0)
    monkeypatch.setattr(rows_screen, "MOST_EXPORTED", 4)
    monkeypatch.setattr(wire, "MAX_ROWS", 2)
    told: list[str] = []
    async with drive(fake_nodes.chat()) as driver:
        monkeypatch.setattr(type(driver.app), "notify", lambda app, text, **how: told.append(text))
        await driver.press("w", "down", "enter")
        await driver.look()
    (file,) = tmp_path.iterdir()
    assert [text for text in told if "read" in text] == ["2 of 4 rows read …", "4 of 4 rows read …"]
    assert told[-1].startswith(f"Written to {file}: the first 4 of ")
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4


async def test_the_output_of_the_program_can_be_read_at_any_time(drive: Drive) -> None:
    node = fake_nodes.chat()
    node.child_status = ChildStatus("python -m demos.chat", output=("warning: \x1b[31mlow disk",))
    async with drive(node) as driver:
        await driver.press("O")
        assert "warning: ␛[31mlow disk" in driver.text()
        assert "running" in driver.text()


async def test_the_output_of_the_program_is_followed_until_somebody_scrolls_back(drive: Drive) -> None:
    node = fake_nodes.chat()
    written = [f"line {number}" for number in range(60)]

    def write(more: str) -> None:
        written.append(more)
        node.child_status = ChildStatus("python -m demos.chat", output=tuple(written))

    async with drive(node) as driver:
        write("Current count: 1")
        await driver.press("O")
        assert "Current count: 1" in driver.text()
        write("Current count: 2")
        output = driver.app.screen
        assert isinstance(output, OutputScreen)
        output.look_again()
        assert await driver.shows("Current count: 2")
        await driver.press("home")
        write("Current count: 3")
        output.look_again()
        await driver.settle()
        assert "line 0" in driver.text()
        assert "Current count" not in driver.text()
        await output.query_one(".box").remove()  # it closes: its parts leave it first
        write("Current count: 4")
        output.look_again()


async def test_a_node_not_started_from_here_says_where_its_output_is(drive: Drive) -> None:
    async with drive(fake_nodes.chat()) as driver:
        await driver.press("O")
        assert "not started from here" in driver.text()


def test_a_tree_as_text_shows_who_hangs_under_whom() -> None:
    assert files.text(ROWS).splitlines() == [
        "app  <0.1.0>  one_for_one",
        '├─ a "quoted"  <0.2.0>  restarts 2  2.0K',
        "└─ b␛[2J  (stopped)",
    ]


def test_a_graph_has_a_node_a_row_and_an_edge_a_child() -> None:
    graph = files.dot(ROWS)
    assert '"app" -> "app/a";' in graph
    assert '[label="a \\"quoted\\"\\n<0.2.0>", shape=ellipse]' in graph
    assert 'style="dashed"' in graph
    chart = files.mermaid(ROWS)
    assert "n0 --> n1" in chart
    assert 'n1(["a #quot;quoted#quot;<br/>#lt;0.2.0#gt;"])' in chart


def test_names_with_signs_that_mean_something_in_a_graph_are_only_names() -> None:
    odd = (wire.Row(key="odd\\", pid="<0.1.0>", name='a\\nb\\ #1 "`'), wire.Row(key="~", kind="group", child_count=3))
    graph = files.dot(odd).splitlines()
    assert graph[3] == r"""  "odd\\" [label="a\\nb\\ #1 \"`\n<0.1.0>", shape=ellipse];"""
    assert '\\n3"' in graph[4]
    chart = files.mermaid(odd).splitlines()
    assert chart[1] == r'  n0(["a\nb\ #35;1 #quot;#96;<br/>#lt;0.1.0#gt;"])'
    assert files.text(odd).splitlines()[1] == "  (3)"


def test_a_table_has_a_line_a_row() -> None:
    lines = files.table(ROWS).splitlines()
    assert lines[0].startswith("pid,name,kind")
    assert len(lines) == 4
    assert json.loads(files.records(ROWS))[1]["memory"] == 2048


async def test_where_there_is_room_chaos_shows_what_happens(drive: Drive) -> None:
    node = fake_nodes.chat()
    async with drive(node, (200, 60)) as driver:
        await driver.press("c")
        assert "Nothing has happened yet." in driver.text()
        node.log("exit", node.find("ada"), reason="killed", crashed=True)
        await driver.look(2)
        assert await driver.shows("ada exited: killed")
    async with drive(fake_nodes.chat(), (80, 24)) as driver:
        await driver.press("c")
        assert "Nothing has happened yet." not in driver.text()
