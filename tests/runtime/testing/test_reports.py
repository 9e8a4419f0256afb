"""The reports that a test causes."""

from __future__ import annotations

import pytest

from runtime import CallError, GenServer, call, monitor, receive, spawn
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
