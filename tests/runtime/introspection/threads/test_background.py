"""Background work goes on after an exception that a signal's handler has raised in it, and ends in time."""

import pytest

from runtime import run, sleep
from runtime.introspection.threads import background
from runtime.introspection.threads.background import BackgroundWork
from runtime.kernel.node import this_node


class Struck(Exception):
    """What a signal's handler raises."""


class Work(BackgroundWork):
    """Is struck in its first step."""

    steps = 0
    stops = 0

    def step(self) -> bool:
        self.steps += 1
        if self.steps == 1:
            raise Struck
        return False

    def pause(self, took: float, more: bool) -> float:
        return 0.001

    def stop(self) -> None:
        self.stops += 1


def test_work_in_which_an_exception_strikes_goes_on_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_node().hub, "handle_error", lambda *error: None)

    def main() -> None:
        work = Work(this_node())
        work.keep_going()
        while work.steps <= 3:
            sleep(0.01)
        monkeypatch.setattr(background, "ATTENTION", 0.0)
        work.keep_going()
        while work.is_under_way:
            sleep(0.01)
        steps = work.steps
        sleep(0.05)
        assert work.steps == steps
        work.close()

    run(main)
