from math import inf, nan
from typing import Any

import pytest

from runtime.terms.timeout import seconds_of


@pytest.mark.parametrize("no_limit", [None, "infinity", inf, 10**400])
def test_these_mean_no_limit(no_limit: Any) -> None:
    assert seconds_of(no_limit) is None


def test_seconds_are_seconds() -> None:
    assert [seconds_of(0), seconds_of(5), seconds_of(0.5)] == [0.0, 5.0, 0.5]


@pytest.mark.parametrize("wrong", ["soon", True, [], "5", b"infinity"])
def test_what_is_no_time_is_refused_with_what_is_allowed(wrong: Any) -> None:
    with pytest.raises(TypeError, match="patience must be a number of seconds, or None or 'infinity' for no limit"):
        seconds_of(wrong, "patience")


@pytest.mark.parametrize("wrong", [-1, -0.1, nan, -inf])
def test_less_than_nothing_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="timeout must be 0 seconds or more"):
        seconds_of(wrong)
