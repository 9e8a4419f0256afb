"""Rows: which of them may have others below them."""

from __future__ import annotations

import pytest

from runtime.introspection import wire


@pytest.mark.parametrize(
    ("kind", "is_parent"), [("supervisor", True), ("group", True), ("worker", False), ("greenlet", False)]
)
def test_supervisors_and_groups_may_have_rows_below_them(kind: str, is_parent: bool) -> None:
    assert wire.Row(key="k", kind=kind).is_parent is is_parent  # type: ignore[arg-type]


def test_a_row_that_says_nothing_but_its_key_takes_few_bytes() -> None:
    assert wire.frame(wire.Row(key="app")).endswith(b"\x00\x01\xa3key\xa3app")
