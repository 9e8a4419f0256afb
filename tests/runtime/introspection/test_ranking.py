from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection import ranking
from runtime.introspection.ranking import rank
from runtime.native import Pace


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "CHUNK", 4)
    monkeypatch.setattr(ranking, "HEAD", 3)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers())), st.booleans(), st.none() | st.integers(0, 12))
def test_a_ranking_is_the_beginning_of_the_sorted_list(
    items: list[tuple[int, int]], descending: bool, wanted: int | None
) -> None:
    whole = sorted(items, key=lambda item: item[0], reverse=descending)
    assert rank(items, lambda item: item[0], descending, wanted, Pace()) == whole[:wanted]
