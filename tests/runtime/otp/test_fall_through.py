"""Which functions answer None only where no case was taken."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.otp.fall_through import falls_through


def falls(self: Any, request: Any, caller: Any) -> Any:
    """With a docstring, and a line before the match."""
    self.count += 1
    match request:
        case "get":
            return self.count
        case ("add", n) if n > 0:
            if n > 10:
                return "too much"
            return n
        case ("fail", why):
            raise ValueError(why)


def has_a_last_case(self: Any, request: Any, caller: Any) -> Any:
    match request:
        case "get":
            return 1
        case _:
            return 2


def has_a_name_for_the_rest(self: Any, request: Any, caller: Any) -> Any:
    match request:
        case "get":
            return 1
        case other:
            return other


def has_a_guard_on_the_rest(self: Any, request: Any, caller: Any) -> Any:
    match request:
        case other if other:
            return other


def answers_none_in_a_case(self: Any, request: Any, caller: Any) -> Any:  # noqa: RET503  # that is what is tested
    match request:
        case "get":
            return 1
        case ("put", value):
            self.value = value


def says_none(self: Any, request: Any, caller: Any) -> Any:
    match request:
        case "get":
            return None


def goes_on_after_the_match(self: Any, request: Any, caller: Any) -> Any:
    match request:
        case "get":
            return 1
    return 2


def has_no_match(self: Any, request: Any, caller: Any) -> Any:
    self.value = request


@pytest.mark.parametrize("function", [falls, has_a_guard_on_the_rest])
def test_a_match_without_a_case_for_everything_falls_through(function: Any) -> None:
    assert falls_through(function)


@pytest.mark.parametrize(
    "function",
    [
        has_a_last_case,
        has_a_name_for_the_rest,
        answers_none_in_a_case,
        says_none,
        goes_on_after_the_match,
        has_no_match,
        lambda self, request, caller: None,
        len,
        eval("lambda request: request"),
    ],
)
def test_where_none_may_be_an_answer_or_there_is_no_source_nothing_is_said(function: Any) -> None:
    assert not falls_through(function)
