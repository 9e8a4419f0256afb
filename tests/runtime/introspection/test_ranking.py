from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection import ranking
from runtime.introspection.ranking import Ranking
from runtime.native import Pace


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CHUNK", 4)
    monkeypatch.setattr(ranking, "HEAD", 3)


Item = tuple[int, int]

ITEMS = st.lists(st.tuples(st.integers(0, 5), st.integers()), unique=True)


def _ranking(items: list[Item], descending: bool) -> Ranking[Item]:
    return Ranking([items[:5], items[5:]], lambda some: [figure for figure, _ in some], descending)


@given(ITEMS, st.booleans(), st.lists(st.none() | st.integers(0, 12)))
def test_a_ranking_is_the_beginning_of_the_sorted_list(
    items: list[Item], descending: bool, wanted: list[int | None]
) -> None:
    whole = sorted(items, key=lambda item: item[0], reverse=descending)
    ranking = _ranking(items, descending)
    for number in wanted:
        reached = list(ranking.reach(number, Pace()))
        assert reached == whole[: len(reached)]
        assert reached[:number] == whole[:number]


@given(ITEMS, st.booleans())
def test_an_item_is_placed_without_sorting_the_others(items: list[Item], descending: bool) -> None:
    whole = sorted(items, key=lambda item: item[0], reverse=descending)
    ranking = _ranking(items, descending)
    for item in items:
        assert ranking.count_before(item, Pace()) == whole.index(item)
    assert ranking.count_before((9, 9), Pace()) is None
