from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection.reading import ranking
from runtime.introspection.reading.ranking import Ranking
from runtime.introspection.threads import chunked
from runtime.introspection.threads.chunked import Chunked, ChunkedList
from runtime.introspection.threads.pace import Pace


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked, "CHUNK", 4)
    monkeypatch.setattr(ranking, "HEAD", 3)
    monkeypatch.setattr(ranking, "SAMPLE", 6)
    monkeypatch.setattr(ranking, "BUCKETS", 3)
    monkeypatch.setattr(ranking, "AROUND", 1)


Item = tuple[int, int]

ITEMS = st.lists(st.tuples(st.integers(0, 5), st.integers()), unique=True)


def _ranking(items: list[Item], descending: bool) -> Ranking[Item]:
    return Ranking(ChunkedList(items), lambda some: [figure for figure, _ in some], descending)


def _sorted(items: list[Item], descending: bool) -> list[Item]:
    return sorted(items, key=lambda item: item[0], reverse=descending)


@given(ITEMS, st.booleans(), st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12))))
def test_windows_are_parts_of_the_sorted_list(
    items: list[Item], descending: bool, windows: list[tuple[int, int]]
) -> None:
    whole = _sorted(items, descending)
    ranking = _ranking(items, descending)
    for start, end in windows:
        assert list(ranking.window(start, end, Pace())) == whole[start:end]
        assert ranking.total == len(items)


@given(ITEMS, st.booleans())
def test_a_line_is_found_with_those_around_it_in_order(items: list[Item], descending: bool) -> None:
    whole = _sorted(items, descending)
    ranking = _ranking(items, descending)
    for item in items:
        assert ranking.index_of(item, Pace()) == whole.index(item)
    assert ranking.index_of((9, 9), Pace()) is None


class Mortal(Chunked[Item]):
    """Items that are remembered by number, and of which some are gone later."""

    def __init__(self, items: list[Item]) -> None:
        self.items = dict(enumerate(items))

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[list[Item]]:
        return chunked.chunks([*self.items.values()])

    def pack(self, items: Sequence[Item]) -> list[int]:
        return [number for item in items for number, other in self.items.items() if other is item]

    def unpack(self, packed: list[int]) -> list[Item]:
        return [self.items[number] for number in packed if number in self.items]


@given(ITEMS, st.booleans(), st.sets(st.integers(0, 20)), st.integers(1, 12))
def test_who_lives_is_in_order_when_others_are_gone(
    items: list[Item], descending: bool, gone: set[int], end: int
) -> None:
    mortal = Mortal(items)
    ranking = Ranking(mortal, lambda some: [figure for figure, _ in some], descending)
    ranking.window(0, end, Pace())
    for number in gone:
        mortal.items.pop(number, None)
    living = [*mortal.items.values()]
    shown = ranking.window(0, len(items), Pace())
    assert [item for item in shown if item in living] == _sorted(living, descending)
    assert len(living) <= ranking.total <= len(items)


@given(ITEMS, st.booleans())
def test_an_item_is_placed_without_sorting_the_others(items: list[Item], descending: bool) -> None:
    whole = _sorted(items, descending)
    ranking = _ranking(items, descending)
    for item in items:
        assert ranking.count_before(item, Pace()) == whole.index(item)
    assert ranking.count_before((9, 9), Pace()) is None
