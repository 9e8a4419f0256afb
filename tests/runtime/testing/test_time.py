"""The clock of a test stands still until every process waits."""

from __future__ import annotations

import pytest

from runtime import NOREPLY, CallError, GenServer, call, flush, now, self_, send_after
from runtime.testing import TestClock, start_supervised

pytest_plugins = ["runtime.testing"]


class Silent(GenServer):
    """Answers nothing."""

    def handle_call(self, request: object, caller: object) -> object:
        return NOREPLY


def test_time_passes_only_when_it_is_let_pass(clock: TestClock) -> None:
    before = now()
    send_after(self_(), "late", 3_600)
    send_after(self_(), "soon", 60)
    clock.advance(59)
    assert (now(), flush()) == (before + 59, [])
    clock.advance(1)
    assert flush() == ["soon"]
    clock.advance(3_600)
    assert flush() == ["late"]


def test_a_timeout_is_over_at_once_when_everybody_waits(clock: TestClock) -> None:
    before = now()
    with pytest.raises(CallError, match="timeout"):
        call(start_supervised(Silent), "hello", timeout=500)
    assert now() == before + 500
