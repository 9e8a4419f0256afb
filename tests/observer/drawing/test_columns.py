"""Columns: chosen by the width there is, and always exactly as wide as they should be."""

from __future__ import annotations

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from observer.drawing.columns import ALL, LEAST_NAME, Cell, failure_tone, lay_out, longest_pid, name_cell, with_values
from observer.model.row_history import RowHistory
from observer.model.settings import COLUMNS
from observer.text import tones
from runtime.introspection.wire import Row
from runtime.introspection.wire.fields import Status


def width_of(cell: Cell) -> int:
    return sum(cell_len(text) for text, _ in cell)


def text_of(cell: Cell) -> str:
    return "".join(text for text, _ in cell)


rows = st.builds(
    Row,
    key=st.just("k"),
    pid=st.sampled_from([None, "<0.1.0>", "<0.123456789.0>"]),
    kind=st.sampled_from(["supervisor", "worker", "greenlet", "group"]),
    name=st.text(max_size=50),
    status=st.sampled_from(get_args(Status)),
    message_queue_len=st.integers(min_value=0, max_value=10**7),
    messages_in=st.integers(min_value=0, max_value=10**9),
    memory=st.none() | st.integers(min_value=0, max_value=10**12),
    restarts=st.integers(min_value=0, max_value=10**4),
    started_at=st.none() | st.floats(min_value=0, max_value=90),
    max_restarts=st.none() | st.integers(min_value=0, max_value=1000),
    restarts_used=st.none() | st.integers(min_value=0, max_value=1000),
    restarts_expire_in=st.none() | st.floats(min_value=0, max_value=1000),
    child_count=st.integers(min_value=0, max_value=10**6),
    folded=st.booleans(),
    strategy=st.none() | st.just("one_for_one"),
    machine_state=st.none() | st.text(max_size=50),
    not_running=st.integers(min_value=0, max_value=9),
    cpu_time=st.none() | st.floats(min_value=0, max_value=1000),
    last_failure_at=st.none() | st.floats(min_value=0, max_value=100),
)


@given(rows, st.booleans())
def test_every_cell_is_as_wide_as_its_column(row: Row, seen: bool) -> None:
    history = RowHistory() if seen else None
    if history is not None:
        history.take(row, 99.0)
        history.take(row, 100.0)
    for column in ALL.values():
        for width in column.widths:
            assert width_of(column.draw(row, history, width)) == width, column.id


def test_how_many_children_are_down_is_told_before_what_a_narrow_name_cuts_off() -> None:
    row = Row(key="c", pid="<0.2.0>", kind="supervisor", name="chat", strategy="rest_for_one", not_running=1)
    assert text_of(name_cell(row, "", 22, 0.0)) == "▾ chat ■1 down rest_f…"


def test_the_state_of_a_machine_stands_beside_its_name() -> None:
    row = Row(key="c", pid="<0.2.0>", name="door", machine_state="locked")
    assert text_of(name_cell(row, "", 22, 0.0)) == "door locked           "


@given(rows, st.integers(min_value=1, max_value=60), st.sampled_from(["", "├─", "│ └─"]), st.booleans())
def test_a_name_is_as_wide_as_its_column(row: Row, width: int, guide: str, foldable: bool) -> None:
    assert width_of(name_cell(row, guide, width, 100.0, foldable)) == width


@given(st.integers(min_value=1, max_value=300))
def test_a_layout_fills_the_width_and_leaves_room_for_the_name(width: int) -> None:
    layout = lay_out(width, COLUMNS)
    assert layout.name + sum(cells + 1 for _, cells in layout.columns) == width
    assert layout.name >= min(width, LEAST_NAME)


def test_at_eighty_columns_everything_that_matters_is_there() -> None:
    shown = {column.id: cells for column, cells in lay_out(77, COLUMNS).columns}
    assert set(COLUMNS) - set(shown) == {"uptime", "at"}
    assert shown["messages"] > 6, "there is room for a sparkline"


def test_columns_stand_in_the_order_that_was_asked_for() -> None:
    assert [column.id for column, _ in lay_out(100, ("memory", "pid")).columns] == ["memory", "pid"]


def test_a_full_mailbox_has_a_sign_beside_its_colour() -> None:
    cell = ALL["mailbox"].draw(Row(key="k", pid="<0.1.0>", message_queue_len=4_000), None, 14)
    assert "! 4.0k" in text_of(cell)
    assert cell[0][1] == tones.BAD


def test_a_mailbox_shows_its_peak_since_you_look() -> None:
    history = RowHistory()
    history.take(Row(key="k", pid="<0.1.0>", message_queue_len=5_000), 1.0)
    history.take(Row(key="k", pid="<0.1.0>", message_queue_len=1), 2.0)
    assert "╎" in text_of(ALL["mailbox"].draw(Row(key="k", pid="<0.1.0>", message_queue_len=1), history, 20))


def test_a_supervisor_shows_restarts_used_of_those_allowed_and_the_time_that_runs() -> None:
    row = Row(key="k", pid="<0.1.0>", kind="supervisor", max_restarts=3, restarts_used=3, restarts_expire_in=4.0)
    assert text_of(ALL["restarts"].draw(row, None, 10)).strip() == "!4s 3/3"


def test_a_group_shows_the_sums_of_its_rows_and_nothing_where_there_are_none() -> None:
    sums = Row(key="group:x", kind="group", name="x", child_count=3, message_queue_len=12, memory=4096, restarts=2)
    assert text_of(ALL["mailbox"].draw(sums, None, 14)).endswith("12")
    assert text_of(ALL["memory"].draw(sums, None, 6)).strip() == "4.0K"
    assert text_of(ALL["restarts"].draw(sums, None, 8)).strip() == "2"
    assert text_of(ALL["mailbox"].draw(Row(key="g", kind="group"), None, 14)).strip() == ""


def test_a_pid_too_long_for_its_column_loses_its_brackets_first() -> None:
    assert text_of(ALL["pid"].draw(Row(key="k", pid="<0.10000.0>"), None, 9)) == "0.10000.0"


def test_what_looks_wrong_is_marked_on_its_row() -> None:
    row = Row(key="k", pid="<0.1.0>", name="pool", lints=("deadlock",))
    assert "pool ! deadlock" in text_of(name_cell(row, "", 30, 1.0))


def test_where_there_is_room_memory_tells_its_growth() -> None:
    shown = {column.id: cells for column, cells in lay_out(117, [name for name in COLUMNS if name != "at"]).columns}
    assert shown["memory"] > 6


GREENLET = Row(
    key="g7", pid="g7", kind="greenlet", name="serve", doing="GET /orders", doing_since=97.0, at="shop.py:3 f"
)


def test_what_no_greenlet_has_takes_no_room_and_where_it_is_gets_that_room() -> None:
    of_processes = {"mailbox", "messages", "memory", "restarts"}
    group = Row(key="~greenlets", kind="group", child_count=1)
    process = Row(key="k", pid="<0.1.0>")
    assert set(COLUMNS) - set(with_values(COLUMNS, [group, GREENLET], flat=False)) == of_processes
    assert with_values(COLUMNS, [GREENLET, process], flat=True) == COLUMNS
    assert with_values(COLUMNS, [], flat=True) == COLUMNS
    assert set(COLUMNS) - set(with_values(COLUMNS, [GREENLET, process], flat=False)) == {"at"}
    shown = {column.id: cells for column, cells in lay_out(77, with_values(COLUMNS, [GREENLET], True)).columns}
    assert shown.keys() == {"pid", "status", "at", "cpu", "uptime"}
    assert shown["at"] > 16


def test_groups_alone_leave_the_room_of_what_no_group_has_to_their_names() -> None:
    group = Row(key="label/a", name="a", kind="group", child_count=2)
    assert set(COLUMNS) - set(with_values(COLUMNS, [group], flat=True)) == {"pid", "status", "at"}
    busy = Row(key="doing/a", name="a", kind="group", child_count=2, doing_since=3.0)
    assert set(COLUMNS) - set(with_values(COLUMNS, [group, busy], flat=True)) == {"pid", "status"}


def test_a_row_says_what_it_is_doing_for_how_long_and_where() -> None:
    history = RowHistory()
    history.take(GREENLET, 100.0)
    assert text_of(ALL["at"].draw(GREENLET, history, 34)).strip() == "GET /orders 3s  shop.py:3 f"
    assert text_of(ALL["at"].draw(Row(key="k", pid="<0.1.0>"), history, 16)).strip() == ""
    group = Row(key="group:GET /", kind="group", child_count=2, seconds_total=14.0, seconds_longest=9.0)
    assert text_of(ALL["at"].draw(group, history, 34)).strip() == "longest 9s  total 14s"


def test_a_failure_colours_its_row_and_fades() -> None:
    row = Row(key="k", last_failure_at=100.0)
    seen = [failure_tone(row, time) for time in (101.0, 105.0, 111.0, 129.0, 130.0)]
    assert seen == [tones.BAD, "$text-error 100%", "$text-error 88%", "$text-error 52%", None]
    assert "✗" in text_of(name_cell(row, "", 30, 101.0))


def test_the_share_of_the_processor_is_an_average_and_a_large_one_has_a_sign() -> None:
    history = RowHistory()
    draw = ALL["cpu"].draw
    for look, used in enumerate((0.0, 0.5, 0.5, 1.5)):
        row = Row(key="k", pid="<0.1.0>", cpu_time=used)
        history.take(row, float(look))
    assert text_of(draw(row, history, 5)) == "  50%"
    history.take(hog := Row(key="k", pid="<0.1.0>", cpu_time=10.0), 4.0)
    assert text_of(draw(hog, history, 5)) == "!250%"
    assert text_of(draw(Row(key="k", pid="<0.1.0>"), history, 5)).strip() == ""


def test_the_peak_of_a_mailbox_is_not_forgotten_while_one_looks() -> None:
    history = RowHistory()
    for look in range(200):
        history.take(Row(key="k", pid="<0.1.0>", message_queue_len=900 if look == 0 else 0), float(look))
    assert history.mailbox_peak == 900


def test_growth_counts_from_the_first_look_and_starts_anew_with_the_process() -> None:
    history = RowHistory()
    for look in range(200):
        history.take(Row(key="k", pid="<0.1.0>", memory=1_000 + look), float(look))
    assert (history.growth, history.grown_for) == (199, 199)
    history.take(Row(key="k", pid="<0.2.0>", memory=10), 200.0)
    assert history.growth == 0


def test_a_supervisors_restarts_are_told_in_words_where_there_is_room() -> None:
    row = Row(key="a", pid="<0.1.0>", kind="supervisor", restarts_used=1, max_restarts=3, restarts_expire_in=4.0)

    def drawn(width: int) -> str:
        return "".join(text for text, _ in ALL["restarts"].draw(row, None, width)).strip()

    assert [drawn(width) for width in (5, 10, 16)] == ["1/3", "4s 1/3", "1 of 3, 4s left"]


def test_long_pids_have_room_for_their_brackets_beside_a_good_name() -> None:
    long = [Row(key=pid, name="n", pid=pid) for pid in ("<0.9.0>", "<0.1000007.0>")]
    assert longest_pid(long) == 13
    assert longest_pid([]) == 0
    for width in (77, 117, 197):
        layout = lay_out(width, COLUMNS, longest_pid(long))
        column, cells = next((column, cells) for column, cells in layout.columns if column.id == "pid")
        assert ["".join(text for text, _ in column.draw(row, None, cells)).strip() for row in long] == [
            "<0.9.0>",
            "<0.1000007.0>",
        ]
        assert layout.name >= LEAST_NAME
