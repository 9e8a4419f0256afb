"""The reports that a test causes."""

from __future__ import annotations

import pytest

from runtime import CallError, GenServer, StartError, call, monitor, receive, spawn
from runtime.testing import Reports, start_supervised

pytest_plugins = ["runtime.testing"]


class Fragile(GenServer):
    """Fails when it is asked."""

    def handle_call(self, request: object, caller: object) -> object:
        """Fail."""
        raise KeyError(request)


def test_a_crash_is_asserted_by_its_exception_and_message(reports: Reports) -> None:
    with pytest.raises(CallError):
        call(start_supervised(Fragile), "price")
    assert reports.assert_crash(KeyError, "price").message == "'price'"


def test_a_crash_that_did_not_happen_fails_with_those_that_did(reports: Reports) -> None:
    monitor(spawn(lambda: 1 / 0))
    receive()
    assert [crash.exception for crash in reports.crashes] == ["ZeroDivisionError"]
    with pytest.raises(AssertionError, match="there was no crash of KeyError: ZeroDivisionError: division by zero"):
        reports.assert_crash("KeyError")
    reports.assert_crash("ZeroDivisionError")
    with pytest.raises(AssertionError, match="no process crashed"):
        reports.assert_crash("ZeroDivisionError")


def test_one_crash_is_asserted_once_however_many_reports_tell_of_it(reports: Reports) -> None:
    with pytest.raises(CallError):
        call(start_supervised(Fragile), "price")
    assert len(reports.crashes) == 1
    reports.assert_crash(KeyError)
    with pytest.raises(AssertionError, match="no process crashed"):
        reports.assert_crash(KeyError)


def test_a_name_is_compared_as_a_whole(reports: Reports) -> None:
    monitor(spawn(lambda: 1 / 0))
    receive()
    with pytest.raises(AssertionError, match="no crash of DivisionError"):
        reports.assert_crash("DivisionError")
    reports.assert_crash("ZeroDivisionError")


class Unborn(GenServer):
    """Fails while it starts."""

    def init(self) -> None:
        """Fail."""
        raise ValueError("not today")


def test_a_crash_of_a_start_is_asserted_too(reports: Reports) -> None:
    with pytest.raises(StartError):
        start_supervised(Unborn)
    reports.assert_crash(ValueError, "not today")
