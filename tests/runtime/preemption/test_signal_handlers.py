"""A signal is given back when none is on its way any more."""

import signal

import pytest

from runtime import run, sleep
from runtime.preemption import signal_handlers
from runtime.preemption.signal_handlers import TURNS, give_back


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Have a signal noted late in each turn; return what handled them."""
    handlers: list[object] = []

    def turn(seconds: float) -> None:
        handlers.append(signal.getsignal(signal.SIGALRM))
        signal.raise_signal(signal.SIGALRM)  # by default it would end these tests

    monkeypatch.setattr(signal_handlers, "sleep", turn)
    return handlers


def test_a_signal_that_is_noted_late_is_dropped(late: list[object]) -> None:
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    give_back(signal.SIGALRM, None)
    assert late == [signal_handlers._drop] * TURNS
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_time_slices_give_their_signal_back_so(late: list[object]) -> None:
    run(lambda: sleep(0), time_slice=0.01)
    assert len(late) == TURNS
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
