"""The node's time, which a test can replace."""

import time
from contextlib import suppress

import pytest

from runtime.kernel.clock import MockClock, SystemClock, current_clock, now, use_clock


def test_the_node_reads_the_machines_clock_which_no_test_can_move() -> None:
    before = time.monotonic()
    assert before <= now() <= time.monotonic()
    assert not current_clock().mock
    with pytest.raises(RuntimeError, match="cannot be moved"):
        SystemClock().advance_to(0.0)


def test_a_mock_clock_stands_still_and_jumps_forward_only() -> None:
    clock = MockClock(start=5.0)
    assert [clock.now(), clock.now()] == [5.0, 5.0]
    clock.advance_to(7.5)
    clock.advance_to(6.0)
    assert clock.now() == 7.5


def test_a_clock_is_in_use_while_its_block_runs_and_the_one_before_it_afterwards() -> None:
    outer, inner = MockClock(1.0), MockClock(2.0)
    system = current_clock()
    with use_clock(outer):
        with suppress(KeyError), use_clock(inner) as used:
            assert (used, now()) == (inner, 2.0)
            raise KeyError
        assert (current_clock(), now()) == (outer, 1.0)
    assert current_clock() is system
    assert now() >= time.monotonic() - 60
