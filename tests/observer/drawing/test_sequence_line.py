"""Steps as lines of a terminal: every lifeline in its column, every line as wide as the next."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from observer.drawing.sequence import Diagram
from observer.drawing.sequence_line import NARROWEST, TIME, Columns, header, line
from tests.support.traces import EVENTS, HOSTILE


def drawn(diagram: Diagram, width: int = 110, first: int = 0) -> list[str]:
    columns = Columns(width, len(diagram.lifelines), first)
    return ["".join(text for text, _ in line(step, columns))[TIME:] for step in diagram.steps]


def test_arrows_lead_from_lifeline_to_lifeline() -> None:
    diagram = Diagram(EVENTS[:3])
    columns = Columns(TIME + 60, 2)
    assert (columns.of(0), columns.of(1)) == (TIME + 15, TIME + 45)
    assert header(diagram.lifelines, columns) == " " * TIME + " " * 12 + "client" + " " * 25 + "bank"
    assert drawn(diagram, TIME + 60) == [
        " " * 15 + "│─────────('get', 17)─────────▶" + " " * 14,
        " " * 15 + "◀╌╌╌╌╌╌╌╌╌1.00ms 'ok'╌╌╌╌╌╌╌╌╌│" + " " * 14,
    ]


def test_the_other_lifelines_go_on_beside_the_step() -> None:
    lines = drawn(Diagram(EVENTS))
    exit_line = next(each for each in lines if "● exit" in each)
    assert exit_line.count("│") == 3
    assert "✗" in next(each for each in lines if "exit signal" in each)
    assert "·" in next(each for each in lines if "link" in each and "signal" not in each)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 200),
    first=st.integers(-5, 80),
    text=st.text(max_size=200) | st.sampled_from([HOSTILE, "日本語" * 30, ""]),
)
def test_no_text_and_no_width_shifts_what_stands_beside_it(width: int, first: int, text: str) -> None:
    events = [msgspec.structs.replace(event, what=text) for event in EVENTS]
    diagram = Diagram(events)
    columns = Columns(width, len(diagram.lifelines), first)
    for each in drawn(diagram, width, first):
        assert cell_len(each) <= max(width, TIME + NARROWEST)
        assert each.isprintable()
        if width >= TIME + NARROWEST:
            assert cell_len(each) == width - TIME
    assert header(diagram.lifelines, columns).isprintable()


@pytest.mark.parametrize(("first", "marks"), [(0, ("", "▸")), (1, ("◂", "▸")), (9, ("◂", ""))])
def test_where_there_is_no_room_for_all_lifelines_the_line_above_says_so(first: int, marks: tuple[str, str]) -> None:
    diagram = Diagram(EVENTS)
    columns = Columns(TIME + 2 * NARROWEST, len(diagram.lifelines), first)
    above = header(diagram.lifelines, columns)
    assert columns.shown == 2
    assert ("◂" in above, "▸" in above) == tuple(map(bool, marks))
    assert columns.has(columns.first)
    assert not columns.has(columns.first + 2)
