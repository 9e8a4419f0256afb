"""Greenlets that are no processes, as the dashboard and the command show them."""

from __future__ import annotations

import msgspec

from observer.drawing.columns import ALL, group_text, name_cell
from observer.drawing.process_facts import facts, more_facts
from observer.model.row_history import RowHistory
from observer.output.records import of_tree
from observer.screens.process_screen import ProcessScreen
from runtime.introspection import wire
from tests.observer.conftest import Drive
from tests.support.fake_node import FakeNode, FakeProcess

GROUP = wire.Row(key=wire.GREENLETS, kind="group", name="greenlets", child_count=2)
GREENLET = wire.Row(
    key="g7", pid="g7", kind="greenlet", name="shop.serve", depth=1, parent_key=wire.GREENLETS, started_at=90.0
)


def plain_program() -> FakeNode:
    """A node without a process."""
    group = FakeProcess(wire.GREENLETS, "greenlets", None, "group", unfolded_at_first=False)
    for number in (1, 2):
        group.children.append(FakeProcess(f"g{number}", "shop.serve", f"g{number}", "greenlet", parent=group))
    return FakeNode(group, name="shop")


def test_what_a_greenlet_does_not_have_is_left_empty_in_its_row() -> None:
    history = RowHistory()
    history.take(GREENLET, 100.0)
    drawn = {name: "".join(text for text, _ in column.draw(GREENLET, history, 9)) for name, column in ALL.items()}
    assert {name for name, text in drawn.items() if not text.strip()} == {
        *("mailbox", "messages", "memory", "restarts", "cpu", "at")
    }
    assert "".join(text for text, _ in name_cell(GREENLET, "└─", 20, 100.0)) == "└── shop.serve      "


def test_a_group_says_what_it_stands_for() -> None:
    assert group_text(GROUP) == "2 greenlets"
    assert group_text(wire.Row(key="~free", kind="group", name="no supervisor", child_count=1)) == (
        "no supervisor, 1 process"
    )


def test_a_portrait_says_where_in_the_program_a_greenlet_waits() -> None:
    waits = wire.Frame(file="/usr/lib/gevent/hub.py", line=9, function="sleep", source="hub.wait(t)")
    own = wire.Frame(file="/srv/shop.py", line=3, function="serve", source="gevent.sleep(1)")
    details = wire.Details(row=GREENLET, current_stacktrace=(own, waits))
    told = {label: "".join(text for text, _ in spans) for label, spans in facts(GREENLET, details, None, 100.0)}
    assert told.keys() == {"Greenlet", "State", "At"}
    assert told["At"].startswith("shop.py:3 serve")
    assert [label for label, _ in more_facts(details)] == ["Work"]


def test_a_portrait_says_what_a_greenlet_is_doing_and_who_has_started_it() -> None:
    row = msgspec.structs.replace(GREENLET, doing="GET /orders", doing_since=97.0)
    details = wire.Details(row=row, parent=wire.Related(pid="g1", name="accept"))
    told = {label: "".join(text for text, _ in spans) for label, spans in facts(row, details, None, 100.0)}
    assert told["Doing"] == "GET /orders  for 3s"
    assert told["Started by"].strip() == "accept g1"


def test_the_tree_for_programs_has_greenlets_among_its_roots() -> None:
    process = wire.Row(key="a", pid="<0.1.0>", kind="worker", name="a")
    roots = of_tree([process, GROUP, GREENLET])
    assert [(root.pid, root.kind) for root in roots] == [("<0.1.0>", "worker"), ("g7", "greenlet")]


async def test_a_program_without_a_process_shows_its_greenlets_at_once(drive: Drive) -> None:
    async with drive(plain_program(), (120, 40)) as driver:
        assert await driver.shows("greenlets (2)")
        assert await driver.shows("├── shop.serve")
        await driver.press("j", "enter")
        screen = driver.app.screen
        assert isinstance(screen, ProcessScreen)
        assert await driver.shows("Greenlet")
        hidden = [part for part in ("#charts", "#messages", "#state", "#dict") if not screen.query_one(part).display]
        assert hidden == ["#charts", "#messages", "#state", "#dict"]
        assert screen.query_one("#stack").display


async def test_the_list_of_a_program_without_a_process_is_not_sorted_by_what_no_greenlet_has(drive: Drive) -> None:
    async with drive(plain_program()) as driver:
        await driver.press("2")
        assert await driver.shows("Sorted by CPU")
        await driver.press("s", "1")
        await driver.look(2)
        assert "Sorted by CPU" not in driver.text()
