from typing import Any

import pytest

from runtime import (
    ChangeCallbackModule,
    EventTimeout,
    GenServer,
    Keep,
    NamedTimeout,
    Next,
    NextEvent,
    Postpone,
    PushCallbackModule,
    Repeat,
    StateTimeout,
)


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


def test_a_timeout_can_be_cancelled_or_updated_by_a_word() -> None:
    assert StateTimeout("cancel").seconds == "cancel"
    assert NamedTimeout("name", "update", "other").event == "other"


def test_the_name_of_a_timeout_is_hashable() -> None:
    with pytest.raises(TypeError, match=r"the name of a timeout is a hashable value, .* not \['a'\]"):
        NamedTimeout(["a"], 1.0)


@pytest.mark.parametrize("kind", ["enter", "interval", None, ("timeout",)])
def test_an_event_of_a_kind_that_cannot_be_inserted_is_refused_where_it_is_written(kind: Any) -> None:
    with pytest.raises(ValueError, match="is no kind of event to insert; allowed are 'call'"):
        NextEvent(kind, "event")


def test_an_inserted_call_needs_its_caller_and_other_events_have_none() -> None:
    with pytest.raises(TypeError, match="an inserted call needs the caller"):
        NextEvent("call", "event")
    with pytest.raises(TypeError, match="only a call has a caller"):
        NextEvent("cast", "event", object())  # type: ignore[arg-type]


def test_a_callback_module_is_a_state_machine() -> None:
    for action in (ChangeCallbackModule, PushCallbackModule):
        for wrong in (GenServer, "Door", Keep):
            with pytest.raises(TypeError, match="is a subclass of GenStatem, not"):
                action(wrong)  # type: ignore[arg-type]


def test_an_absolute_time_may_be_any_time_of_the_clock() -> None:
    assert StateTimeout(-5.0, absolute=True).seconds == -5.0
    assert NamedTimeout("a", "infinity", absolute=True).absolute
    for wrong in (True, "soon", float("nan")):
        with pytest.raises((TypeError, ValueError)):
            StateTimeout(wrong, absolute=True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timeout"):
        StateTimeout(-5.0)
