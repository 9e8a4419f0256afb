"""The counters, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

import pytest

from demos.counter import COUNTER, LONELY, counter, session, start_counter, tree
from runtime import ChildSpec, alive, await_exit, exit, processes, self_, send, sleep, spawn, whereis
from runtime.testing import Reports, TestClock, assert_receive, assert_restarted, crash, start_supervised

pytest_plugins = ["runtime.testing"]


def count(name: str) -> int:
    """Ask a counter for its count."""
    send(name, ("get", self_()))
    found: int = assert_receive(int)
    return found


def test_it_counts_up_and_down() -> None:
    start_supervised(ChildSpec(id="counter", start=(start_counter,)))
    for click in ("increment", "increment", "decrement"):
        send(COUNTER, click)
    assert count(COUNTER) == 1


def test_with_a_supervisor_it_comes_back_and_counts_from_zero() -> None:
    start_supervised(ChildSpec(id="counter", start=(start_counter,)))
    send(COUNTER, "increment")
    again = assert_restarted(crash(COUNTER))
    assert (whereis(COUNTER), count(COUNTER)) == (again, 0)


def test_without_one_it_is_gone() -> None:
    lonely = spawn(counter, name=LONELY)
    crash(lonely)
    assert whereis(LONELY) is None


def test_both_are_clicked_on_and_one_too_many_deaths_end_the_supervisor(clock: TestClock, reports: Reports) -> None:
    top = start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor", restart="temporary"))
    lonely = whereis(LONELY)
    assert lonely is not None
    clock.advance(60)
    assert (count(COUNTER), count(LONELY)) != (0, 0)
    for _ in range(3):
        assert_restarted(crash(COUNTER))
    crash(COUNTER)
    sleep(0)
    assert not alive(top)
    assert alive(lonely)
    exit(lonely, "kill")


def test_the_session_prints_what_is_left_of_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    before = {*processes()}
    assert await_exit(spawn(session)) == "normal"
    counts = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Current count")]
    assert counts == ["Current count: 1", "Current count: 1", "Current count: 0"]
    for pid in {*processes()} - before:  # the counter that has no supervisor
        exit(pid, "kill")
