"""Functions for tests refuse wrong arguments at the call, before anything is done."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from runtime import GenServer, alive, self_, spawn
from runtime.kernel.mailbox import receive
from runtime.testing import assert_receive, assert_restarted, chaos, crash, refute_receive, start_supervised

pytest_plugins = ["runtime.testing"]

SECONDS = [(-1, ValueError), (math.nan, ValueError), (math.inf, ValueError), (True, TypeError), ("1", TypeError)]
RATES = [(0, ValueError), *SECONDS]


class Worker(GenServer):
    """A server that only waits."""


@pytest.mark.parametrize(("wrong", "error"), SECONDS, ids=repr)
def test_seconds_are_finite_and_not_negative(wrong: Any, error: type[Exception]) -> None:
    pid = spawn(receive)
    calls: list[Callable[[], object]] = [
        lambda: chaos(self_(), seconds=wrong),
        lambda: chaos(self_(), timeout=wrong),
        lambda: crash(pid, timeout=wrong),
        lambda: assert_restarted("name", timeout=wrong),
        lambda: assert_receive("x", timeout=wrong),
        lambda: refute_receive("x", timeout=wrong),
    ]
    for call in calls:
        with pytest.raises(error, match=r"must be .*second"):
            call()
    assert alive(pid)
    crash(pid)


@pytest.mark.parametrize(("wrong", "error"), RATES, ids=repr)
def test_a_rate_is_above_zero(wrong: Any, error: type[Exception]) -> None:
    pid = start_supervised(Worker)
    with pytest.raises(error, match=r"rate must be .* times a second"):
        chaos(self_(), rate=wrong)
    assert alive(pid)


def test_a_process_is_a_pid_or_a_name() -> None:
    wrong: Any
    for wrong in (5, None, ("via", "r", "k")):
        with pytest.raises(TypeError, match="supervisor must be a Pid or a registered name"):
            chaos(wrong)
        with pytest.raises(TypeError, match="process must be a Pid or a registered name"):
            crash(wrong)
        with pytest.raises(TypeError, match="takes what crash"):
            assert_restarted(wrong)
