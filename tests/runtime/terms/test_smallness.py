"""Which values are so small that their own classes may describe them."""

from __future__ import annotations

import sys

import pytest

from runtime.terms.smallness import SMALL, SMALL_CONTAINER, SMALL_SIZE, is_small, size_of


class Liar(list[int]):
    """Says that it is empty."""

    def __len__(self) -> int:
        return 0

    def __sizeof__(self) -> int:
        return 0


class Text(str):
    """Says that it is empty."""

    __slots__ = ()

    def __len__(self) -> int:
        return 0


class Holder:
    def __init__(self, held: object) -> None:
        self.held = held


SELF: list[object] = []
SELF.append(SELF)


@pytest.mark.parametrize(
    ("value", "small"),
    [
        (7, True),
        (1 << (8 * SMALL_SIZE + 64), False),
        ("x" * SMALL_SIZE, True),
        ("x" * (SMALL_SIZE + 1), False),
        (b"x" * (SMALL_SIZE + 1), False),
        ([0] * SMALL_CONTAINER, True),
        ([0] * (SMALL_CONTAINER + 1), False),
        ([[object() for _ in range(100)] for _ in range(20)], False),
        (SELF, True),
        (Holder({"a": [1, 2]}), True),
        (Holder(["x" * SMALL_SIZE, "y" * SMALL_SIZE]), False),
        (Liar([0] * 1_000), False),
        (Holder(Liar(range(100_000))), False),
        (Holder(["x"] * 100), True),
        (Holder([[f"{i} {j}" for i in range(100)] for j in range(100)]), False),
        (Text("x" * (SMALL_SIZE + 1)), False),
        (is_small, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_small_by_what_it_consists_of_whatever_it_says(value: object, small: bool) -> None:
    assert is_small(value) is small
    assert SMALL < 2_000


def test_only_classes_written_in_c_are_asked_for_a_size() -> None:
    assert size_of([], list) == [].__sizeof__()
    assert size_of(Liar(), Liar) == sys.maxsize
