"""Tests that run as the first process of a node of their own."""

from collections.abc import Callable
from functools import wraps

from runtime import run
from runtime.kernel.clock import MockClock, use_clock


def in_node(test: Callable[[], None]) -> Callable[[], None]:
    """Run a test as the first process of a fresh node, on a clock that jumps when every process waits."""

    @wraps(test)
    def run_test() -> None:
        with use_clock(MockClock()):
            run(test)

    return run_test
