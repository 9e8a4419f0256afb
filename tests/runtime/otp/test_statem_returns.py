from typing import Any

import pytest

from runtime import EventTimeout, Keep, NamedTimeout, Next, NextEvent, Postpone, Repeat, StateTimeout


def test_what_is_no_action_is_refused_where_it_is_written() -> None:
    for make in (Keep, Repeat, lambda action: Next("state", action)):
        with pytest.raises(TypeError, match="'later' is not an action; allowed are Postpone"):
            make("later")  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-1, "soon", float("nan")])
def test_a_time_that_makes_no_sense_is_refused_where_it_is_written(seconds: Any) -> None:
    for make in (StateTimeout, EventTimeout, lambda seconds: NamedTimeout("name", seconds)):
        with pytest.raises((ValueError, TypeError)):
            make(seconds)


def test_returns_print_as_they_are_written() -> None:
    assert repr(Next("open", Postpone())) == "Next('open', Postpone())"
    assert repr(Keep(NextEvent("internal", 1))) == "Keep(NextEvent(kind='internal', event=1))"
    assert repr(Repeat()) == "Repeat()"
