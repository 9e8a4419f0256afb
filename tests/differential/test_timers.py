"""Compiled timers: the node's records of them are those that the sources leave."""

from __future__ import annotations

import random
from typing import Any

import pytest

from runtime import Ref, cancel_timer, receive, run, self_, send_after, spawn, start_timer
from runtime.kernel.clock import MockClock, use_clock
from runtime.kernel.node import this_node
from tests.differential.kernels import compiled

PART = "runtime.kernel._kernel"


def played(set_one: Any, cancel_one: Any, seed: int) -> list[Any]:
    """Return what is left of timers after random steps, and what came of each."""
    chance, me, seen = random.Random(seed), self_(), []
    timers = this_node().timers
    dead = spawn(int)
    spawn(self_)
    receive(timeout=0.001, default=None)
    pending: list[Ref] = []
    for _ in range(2_500):
        if pending and chance.random() < 0.5:
            left = cancel_one(chance.choice(pending))
            seen.append(None if left is None else round(left))
        else:
            dest = chance.choice([me, me, me, dead, "a name that nobody has"])
            seconds = chance.choice([0.0, 0.001, 60.0, 60.0, 1_000.0, 1e13, float(chance.randrange(100, 300)), 5])
            pending.append(set_one(dest, ["a message"], seconds))
        seen.append((len(timers.pending), timers.entries, timers.stale))
    return seen


def on_a_still_clock(function: Any, *arguments: Any) -> Any:
    """Run a function as a process of a node whose time passes only when all processes wait: the steps take none."""
    with use_clock(MockClock()):
        return run(function, *arguments)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_steps_leave_the_same_timers(seed: int) -> None:
    part = compiled(PART)
    ours, theirs = (
        on_a_still_clock(played, *functions, seed)
        for functions in (
            (part.send_after, part.cancel_timer),
            (part.sources["send_after"], part.sources["cancel_timer"]),
        )
    )
    assert ours == theirs
    assert any(isinstance(step, int) for step in ours)


def test_a_timer_that_has_fired_or_is_no_timer_is_cancelled_to_no_effect() -> None:
    compiled(PART)

    def main() -> None:
        ref = send_after(self_(), ["it"], 0.0)
        assert receive() == ["it"]
        assert cancel_timer(ref) is None
        assert cancel_timer(Ref()) is None
        started = start_timer(self_(), "it", 60.0)
        assert cancel_timer(started)
        for wrong in (-1.0, float("nan")):
            with pytest.raises(ValueError, match="must be 0 seconds or more"):
                send_after(self_(), "it", wrong)
        with pytest.raises(TypeError, match="takes what send_after"):
            cancel_timer("text")  # type: ignore[arg-type]

    run(main)


def test_a_call_without_room_on_the_stack_changes_nothing() -> None:
    compiled(PART)

    def main() -> int:
        timers = this_node().timers

        def deeper() -> int:
            try:
                return deeper()
            except RecursionError:
                before = len(timers.pending)
                with pytest.raises(RecursionError):
                    send_after(self_(), "it", 60.0)
                return len(timers.pending) - before

        return deeper()

    assert run(main) == 0
