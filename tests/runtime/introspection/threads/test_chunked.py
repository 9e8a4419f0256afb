from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.introspection.threads import chunked, racy_read
from runtime.introspection.threads.chunked import dict_chunks


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked, "CHUNK", 3)
    monkeypatch.setattr(chunked, "AT_ONCE", 4)


@given(st.integers(0, 20))
def test_the_pieces_are_the_whole(size: int) -> None:
    numbers = dict.fromkeys(range(size))
    found = list(dict_chunks(numbers.keys()))
    assert [number for piece in found for number in piece] == list(range(size))
    assert all(1 <= len(piece) <= 3 for piece in found)


@given(st.integers(5, 20), st.sets(st.integers(0, 6)))
def test_what_is_added_meanwhile_comes_at_the_end(size: int, moments: set[int]) -> None:
    numbers = dict.fromkeys(range(size))
    found = []
    for moment, piece in enumerate(dict_chunks(numbers.keys())):
        found += piece
        if moment in moments:
            numbers[size + moment] = None
    assert found[:size] == list(range(size))
    assert found == [*numbers][: len(found)]


def test_what_leaves_meanwhile_takes_at_most_the_place_of_one() -> None:
    numbers = dict.fromkeys(range(20))
    found = []
    for piece in dict_chunks(numbers.keys()):
        found += piece
        numbers.pop(0, None)
    assert found == [0, 1, 2, *range(4, 20)]


def test_what_never_stands_still_is_read_at_once() -> None:
    reads = []

    class Restless(Collection[int]):
        def __contains__(self, number: Any) -> bool:
            raise NotImplementedError

        def __len__(self) -> int:
            return 20

        def __iter__(self) -> Iterator[int]:
            reads.append(True)
            for number in range(20):
                if number == 7 and len(reads) <= racy_read.ATTEMPTS:
                    raise RuntimeError("dictionary changed size during iteration")
                yield number

    assert [number for piece in dict_chunks(Restless()) for number in piece] == list(range(20))
    assert len(reads) == racy_read.ATTEMPTS + 1
