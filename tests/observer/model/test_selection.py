"""The selection belongs to a process in its place, and never to a row number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from observer.model.selection import Selection, reveal, scroll_for
from runtime.introspection.wire import NodeStats, Row, Window

STATS = NodeStats(name="n", time=1.0, started_at=0.0, os_pid=1)


def window(*keys: str, offset: int = 0, total: int | None = None, anchor: int | None = None) -> Window:
    rows = tuple(Row(key=key, pid=f"<{key}>") for key in keys)
    return Window(
        rows=rows, offset=offset, total=len(rows) if total is None else total, stats=STATS, anchor_index=anchor
    )


def follow(selection: Selection, new: Window) -> Selection:
    return selection.follow(new, {new.offset + number: row for number, row in enumerate(new.rows)})


def chosen(index: int, key: str) -> Selection:
    return Selection().at(index, Row(key=key, pid=f"<{key}>"))


def test_until_the_user_chooses_the_first_row_is_selected() -> None:
    selection = follow(Selection(), window("a", "b"))
    assert selection.key == "a"
    assert follow(selection, window("b", "a")).key == "b"


def test_a_chosen_row_is_followed_to_where_it_went() -> None:
    selection = follow(chosen(0, "a"), window("b", "c", "a"))
    assert (selection.key, selection.index) == ("a", 2)


def test_a_place_keeps_the_selection_when_its_process_is_replaced() -> None:
    new = Window(rows=(Row(key="a", pid="<new>"),), offset=0, total=1, stats=STATS)
    assert follow(chosen(0, "a"), new).pid == "<new>"


def test_a_process_whose_place_changed_is_followed_by_its_pid() -> None:
    new = Window(rows=(Row(key="x"), Row(key="moved/a", pid="<a>")), offset=0, total=2, stats=STATS)
    selection = follow(chosen(0, "a"), new)
    assert (selection.key, selection.index) == ("moved/a", 1)


def test_outside_the_window_the_nodes_word_on_where_the_row_stands_is_taken() -> None:
    selection = follow(chosen(3, "a"), window("x", "y", offset=0, total=100, anchor=70))
    assert (selection.key, selection.index) == ("a", 70)


def test_when_the_row_is_gone_its_successor_is_selected() -> None:
    selection = follow(chosen(1, "b"), window("a", "c", "d"))
    assert (selection.key, selection.index) == ("c", 1)
    selection = follow(chosen(2, "c"), window("a", "b"))
    assert (selection.key, selection.index) == ("b", 1)


def test_an_empty_list_selects_nothing_and_remembers_nothing() -> None:
    assert follow(chosen(5, "a"), window()) == Selection(0, None, None, True)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True), st.data())
def test_however_rows_are_ordered_a_row_that_is_there_stays_selected(keys: list[str], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(keys))
    order = data.draw(st.permutations(keys))
    selection = follow(chosen(0, key), window(*order))
    assert selection.key == key
    assert order[selection.index] == key


def test_rows_inserted_above_leave_the_selection_on_its_line() -> None:
    assert scroll_for(index=25, before=20, scroll=15, height=10) == 20


def test_at_the_top_the_list_stays_put_while_the_selection_is_in_sight() -> None:
    assert scroll_for(index=5, before=2, scroll=0, height=10) == 0


def test_a_selection_out_of_sight_is_left_there() -> None:
    assert scroll_for(index=90, before=80, scroll=10, height=10) == 10


@given(
    st.integers(min_value=0, max_value=1000),
    st.integers(min_value=0, max_value=1000),
    st.integers(min_value=1, max_value=50),
)
def test_a_revealed_row_is_in_sight(index: int, scroll: int, height: int) -> None:
    offset = reveal(index, scroll, height)
    assert offset <= index < offset + height
