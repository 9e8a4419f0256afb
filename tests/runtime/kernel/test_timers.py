"""Timers: messages in the future, beside a model; cancelling, reading, and what dies with whom."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import (
    Ref,
    Registry,
    cancel_timer,
    exit,
    flush,
    read_timer,
    receive,
    register,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    start_timer,
)
from runtime.kernel.clock import MockClock, current_clock, now, use_clock
from runtime.kernel.node import running_node
from tests.support.in_node import in_node

DELAYS = st.integers(0, 40)


@given(st.lists(st.tuples(DELAYS, st.none() | DELAYS), max_size=25))
@settings(deadline=None, max_examples=50)
def test_timers_fire_in_order_unless_they_were_cancelled_in_time(plan: list[tuple[int, int | None]]) -> None:
    """Each is set for a time (in tenths of seconds), and cancelled at another one or not at all."""

    def main() -> tuple[list[int], list[float | None]]:
        refs = [send_after(self_(), number, delay / 10 + 0.01) for number, (delay, _) in enumerate(plan)]
        left = []
        begun = now()
        for cancel, number in sorted((cancel, number) for number, (_, cancel) in enumerate(plan) if cancel is not None):
            sleep(max(0.0, begun + cancel / 10 - now()))
            left.append(cancel_timer(refs[number]))
        sleep(5)
        return flush(), left

    with use_clock(MockClock()):
        arrived, left = run(main)
    fired = [(d, n) for n, (d, c) in enumerate(plan) if c is None or c > d]
    assert arrived == [number for _, number in sorted(fired)]
    cancelled = sorted((c, n) for n, (_, c) in enumerate(plan) if c is not None)
    expected = [plan[n][0] / 10 + 0.01 - c / 10 if c <= plan[n][0] else None for c, n in cancelled]
    assert left == [None if seconds is None else pytest.approx(seconds) for seconds in expected]


@in_node
def test_a_timer_can_be_read_until_it_has_fired() -> None:
    ref = send_after(self_(), "now", 10)
    sleep(4)
    assert read_timer(ref) == pytest.approx(6)
    assert receive() == "now"
    assert read_timer(ref) is None
    assert cancel_timer(ref) is None


@in_node
def test_a_started_timer_brings_its_reference_with_it() -> None:
    ref = start_timer(self_(), "go", 1)
    assert receive() == ("timeout", ref, "go")


@in_node
def test_a_timer_outlives_who_set_it_and_dies_with_whom_it_is_for() -> None:
    here = self_()
    spawn(lambda: send_after(here, "from the dead", 1))
    assert receive(timeout=5) == "from the dead"
    other = spawn(receive)
    ref = send_after(other, "too late", 5)
    exit(other, "kill")
    assert read_timer(ref) is None
    node = running_node()
    assert node is not None
    assert node.timers.pending == {}


@in_node
def test_a_name_is_looked_up_when_the_time_has_come() -> None:
    send_after("later", "hello", 1)
    send_after("nobody", "hello", 1)
    register("later", self_())
    assert receive(timeout=5) == "hello"
    assert receive(timeout=5, default="nothing else") == "nothing else"


@in_node
def test_a_timeout_is_not_lost_when_another_message_has_come_just_before() -> None:
    """Its time is over while the process is in the run queue for a message that does not match."""
    here = self_()
    pid = spawn(lambda: send(here, receive("wanted", timeout=5, default="timed out")))
    sleep(1)
    send(pid, "noise")
    current_clock().advance_to(now() + 10)
    node = running_node()
    assert node is not None
    node.timers.fire()
    assert receive(timeout=1) == "timed out"


@in_node
def test_what_was_given_to_a_timer_does_not_change_any_more() -> None:
    message = ["before"]
    send_after(self_(), message, 1)
    message.append("after")
    assert receive() == ["before"]


@in_node
def test_a_hundred_thousand_cancelled_timers_leave_next_to_nothing() -> None:
    for _ in range(100_000):
        cancel_timer(send_after(self_(), "never", 1_000))
    node = running_node()
    assert node is not None
    assert node.timers.pending == {}
    assert node.timers.entries < 3_000


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=40))
@settings(deadline=None, max_examples=50)
def test_timers_set_at_different_times_fire_when_they_are_due(plan: list[tuple[int, int]]) -> None:
    """Each is set at one time and due some time later, both in milliseconds."""

    def main() -> list[tuple[int, int, int]]:
        begun = now()
        for number, (at, after) in sorted(enumerate(plan), key=lambda item: item[1][0]):
            sleep(max(0.0, begun + at / 1000 - now()))
            send_after(self_(), number, begun + (at + after) / 1000 - now())
        received: list[tuple[int, int, int]] = []
        while len(received) < len(plan):
            number = receive(timeout=10)
            received.append((sum(plan[number]), number, round((now() - begun) * 1000)))
        return received

    with use_clock(MockClock()):
        fired = run(main)
    assert [due for due, _, _ in fired] == sorted(sum(times) for times in plan)
    last_set = max((at for at, _ in plan), default=0)
    assert all(at == max(due, last_set) for due, _, at in fired)


@in_node
def test_those_that_are_pending_survive_the_sweeping_out_of_cancelled_ones() -> None:
    kept = [send_after(self_(), number, 0.01 + number / 100) for number in range(500)]
    for number in range(20_000):
        cancel_timer(send_after(self_(), "never", 0.005 + number % 1_000 / 100))
    assert [receive() for _ in kept] == [*range(500)]


@in_node
def test_a_timer_may_be_set_for_ever() -> None:
    timer = send_after(self_(), "never", float("inf"))
    send_after(self_(), "soon", 1e9)
    assert receive() == "soon"
    assert cancel_timer(timer) == float("inf")


@pytest.mark.parametrize(
    ("seconds", "error", "match"),
    [
        (-1, ValueError, "0 seconds or more"),
        ("soon", TypeError, "number of seconds"),
        (True, TypeError, "number"),
        (None, TypeError, "must be a number of seconds, not None"),
    ],
)
def test_a_time_that_is_none_is_refused(seconds: float, error: type[Exception], match: str) -> None:
    def main() -> None:
        with pytest.raises(error, match=match):
            send_after(self_(), "x", seconds)

    run(main)


@in_node
def test_what_a_timer_cannot_send_to_is_refused_when_it_is_set() -> None:
    wrong: list[Any] = [17, ["list"], ("via",), Ref()]
    for dest in wrong:
        for start in (send_after, start_timer):
            with pytest.raises(TypeError, match="is no destination"):
                start(dest, "x", 0.1)


@in_node
def test_a_destination_that_cannot_be_looked_up_any_more_does_not_stop_the_other_timers() -> None:
    send_after(("via", "topics", "key"), "x", 1)
    send_after(self_(), "y", 2)
    Registry.start_link("duplicate", name="topics")  # which gives no names
    assert receive(timeout=3) == "y"


@in_node
def test_a_reference_that_is_no_timers_has_no_time_left() -> None:
    assert cancel_timer(Ref()) is None
    assert read_timer(Ref()) is None


@in_node
def test_what_is_no_timer_is_refused() -> None:
    with pytest.raises(TypeError, match="what send_after"):
        cancel_timer("timer")  # type: ignore[arg-type]


@in_node
def test_a_time_larger_than_any_float_is_refused_at_the_call() -> None:
    with pytest.raises(ValueError, match=r"seconds is larger than any float; use math\.inf"):
        send_after(self_(), "late", 10**400)
