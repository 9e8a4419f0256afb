from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from observer.output import files, strict_json
from runtime.introspection import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_every_value_is_strict_json_in_ascii(value: object) -> None:
    text = strict_json.encode(value)
    json.loads(text, parse_constant=pytest.fail)
    assert text.isascii()


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_is_null_at_every_depth(number: float) -> None:
    encoded: Any = json.loads(strict_json.encode({"a": [number, {"b": number}], "c": (number,)}))
    assert encoded == {"a": [None, {"b": None}], "c": [None]}


def test_without_indent_it_is_one_line() -> None:
    assert strict_json.encode({"a": [1, "\n"]}, indent=None) == '{"a": [1, "\\n"]}'


def test_the_file_that_the_dashboard_writes_is_strict_json_too() -> None:
    row = wire.Row(key="top", pid="<0.2.0>", kind="supervisor", max_restarts=3, max_seconds=math.inf)
    (record,) = json.loads(files.records([row]), parse_constant=pytest.fail)
    assert record["max_seconds"] is None
