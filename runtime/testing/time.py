"""A clock that stands still: tests of timers and timeouts take no time."""

from __future__ import annotations

import pytest

from runtime import MockClock, sleep
from runtime.kernel.clock import current_clock


class TestClock(MockClock):
    """The clock of a test: it jumps to the next deadline when every process waits.

    A call with a timeout of five seconds to a server that never answers fails at once, and `advance` lets timers fire
    without waiting for them.
    """

    __test__ = False  # pytest takes classes called Test... for tests

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for every process: timers and timeouts that end within them fire, in their order."""
        sleep(seconds)


@pytest.fixture(name="clock")
def clock_fixture() -> TestClock:
    """Return the `TestClock` that the test's node has been started on."""
    clock = current_clock()
    assert isinstance(clock, TestClock)
    return clock
