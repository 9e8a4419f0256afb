from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observer.text.quantity import per_second, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90", 90.0), ("90s", 90.0), ("1.5m", 90.0), ("500ms", 0.5), ("1 h", 3600.0), ("0s", 0.0), ("2d", 172_800.0)],
)
def test_a_span_of_time_is_read_in_its_unit(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "value"), [("20", 20.0), ("20/s", 20.0), ("90/m", 1.5), ("1/ms", 1000.0)])
def test_a_rate_is_read_per_its_unit(text: str, value: float) -> None:
    assert per_second(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5/s", "1e3", "5w", "nan", "٣s", "9" * 400 + "x", "9" * 400])
def test_what_is_no_span_of_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="90s"):
        seconds(text)


@pytest.mark.parametrize("text", ["", "0/s", "0", "20/", "20s", "-1/s", "٣/s", "9" * 400 + "/s"])
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="20/s"):
        per_second(text)


@pytest.mark.parametrize(("text", "longer"), [("366d", "367d"), ("8784h", "8785h")])
def test_the_longest_span_of_time_is_a_year(text: str, longer: str) -> None:
    assert seconds(text) == 31_622_400.0
    with pytest.raises(ValueError, match="too long: at most 366d"):
        seconds(longer)


def test_a_rate_has_an_upper_limit() -> None:
    assert per_second("1000/ms") == pytest.approx(1_000_000.0)
    with pytest.raises(ValueError, match="too fast: at most"):
        per_second("1000001/s")


def test_what_is_wrong_is_shown_up_to_a_length() -> None:
    with pytest.raises(ValueError, match=r"'x{40}…' is not"):
        seconds("x" * 100_000)


@given(st.text(max_size=12))
def test_nothing_typed_raises_anything_else(text: str) -> None:
    for read in (seconds, per_second):
        try:
            assert read(text) >= 0
        except ValueError as error:
            assert "Write something like" in str(error)  # noqa: PT017
