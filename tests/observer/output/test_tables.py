"""What the commands print for people."""

from __future__ import annotations

from msgspec.structs import replace
from rich.console import Console, RenderableType

from observer.drawing.columns import STATUS
from observer.output import tables
from runtime.introspection.wire import Details, NodeStats, Row, Stats
from tests.support.welcome import welcome


def _printed(renderable: RenderableType) -> str:
    console = Console(width=200, color_system=None, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_tree_is_drawn_by_depth_with_what_each_place_is() -> None:
    rows = [
        Row(
            key="app",
            pid="<0.2.0>",
            kind="supervisor",
            name="app",
            strategy="one_for_one",
            max_restarts=3,
            max_seconds=5.0,
            restarts_used=1,
        ),
        Row(key="app/w", pid="<0.3.0>", name="w", depth=1, parent_key="app"),
        Row(key="app/x", name="x", depth=1, parent_key="app", status="stopped"),
        Row(key="~free", kind="group", name="unsupervised", child_count=7),
    ]
    lines = _printed(tables.tree("shop", rows, 100.0)).splitlines()
    assert lines[0] == "shop"
    assert "app" in lines[1]
    assert "<0.2.0>" in lines[1]
    assert "one_for_one" in lines[1]
    assert lines[2].index("w") > lines[1].index("app")
    assert "stopped" in lines[3]
    assert "7" in lines[4]


def test_no_text_of_the_nodes_can_move_the_cursor() -> None:
    rows = [Row(key="k", pid="<0.3.0>", name="\x1b[2Jw")]
    assert "\x1b" not in _printed(tables.tree("\x1b[2J", rows, 0.0))


def test_every_status_has_a_colour_and_every_weight_a_word() -> None:
    assert set(tables.STATUS_STYLES) == set(STATUS)
    assert set(tables.WEIGHTS) == {1, 2, 3}


DOOR = Row(key="door", pid="<0.4.0>", name="door", machine_state="locked", initial_call="house.Door.init")


def test_the_state_of_a_machine_is_printed_by_every_command_that_shows_it() -> None:
    assert "door locked" in _printed(tables.processes([DOOR], 0.0))
    assert "locked" in _printed(tables.tree("node", [DOOR], 0.0))
    assert "machine state  locked" in _printed(tables.details(Details(row=DOOR), 0.0))


def test_calls_that_no_case_takes_are_printed_with_the_details() -> None:
    details = Details(row=DOOR, unanswered=1)
    assert "unanswered     1 call that no case takes" in _printed(tables.details(details, 0.0))
    assert "unanswered" not in _printed(tables.details(Details(row=DOOR), 0.0))


def test_a_figure_that_the_node_does_not_tell_is_not_printed() -> None:
    stats = NodeStats(name="shop", time=9.0, started_at=5.0, os_pid=1, untold=("messages", "hub_lag", "crashed"))
    printed = _printed(tables.node(Stats(stats=stats), welcome()))
    assert not [figure for figure in ("messages", "hub lag", "crashed") if figure in printed]
    assert all(figure in printed for figure in ("timers", "run queue"))


def test_of_a_beam_node_only_what_it_tells_is_printed() -> None:
    row = Row(key="c", pid="<0.9.0>", supervisor="<0.8.0>", child_id="c", strategy="one_for_all", memory=10)
    told = replace(row, messages_in=None, messages_out=None)
    for text in (_printed(tables.details(Details(row=told), 0.0)), _printed(tables.processes([told], 0.0))):
        assert not {"IN", "OUT", "UP", "None", "in,", "?"} & {*text.split()}
        assert "REDS/S" not in text
    before = replace(told, reductions=0)
    gain = tables.gained(replace(told, reductions=50), before, 10.0, 0.0)
    busiest = _printed(tables.busiest([(told, gain)], 0.0)).split()
    assert (*gain,) == (None, None, None, 5.0)
    assert "REDS/S" in busiest
    assert not {"IN/S", "OUT/S", "CPU"} & {*busiest}
    counted = _printed(tables.busiest([(row, tables.gained(row, row, 1.0, 0.0))], 0.0))
    assert "IN/S" in counted
    assert "REDS/S" not in counted
