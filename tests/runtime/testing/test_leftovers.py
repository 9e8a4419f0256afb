"""What a test leaves behind: found, named with where it waits, and ended."""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap

import gevent
import pytest

from runtime import (
    Pid,
    alive,
    cancel_timer,
    monitor,
    processes,
    receive,
    register,
    self_,
    send_after,
    sleep,
    spawn,
    timer,
)
from runtime.testing.leftovers import LeftBehind, Leftovers
from tests.support.in_node import in_node


@in_node
def test_what_was_there_before_and_what_ends_in_time_is_not_left_behind() -> None:
    spawn(receive)
    leftovers = Leftovers()
    spawn(sleep, 0.05)
    gevent.spawn(gevent.sleep, 0)
    leftovers.check()


@in_node
def test_a_process_is_named_with_its_line_and_its_starter_and_is_ended() -> None:
    leftovers = Leftovers()
    before = processes()
    pid = spawn(receive, label="forgotten")
    with pytest.raises(LeftBehind) as caught:
        leftovers.check()
    (line,) = str(caught.value).splitlines()[1:]
    assert line.startswith(f"- process {pid} 'forgotten' running ")
    assert f"started by {self_()} at {__file__}:" in line
    assert line.endswith(" in test_a_process_is_named_with_its_line_and_its_starter_and_is_ended")
    sleep(0)
    assert not alive(pid)
    assert processes() == before


@in_node
def test_a_greenlet_is_named_and_ended() -> None:
    leftovers = Leftovers()
    greenlet = gevent.spawn(gevent.sleep, 1_000)
    with pytest.raises(LeftBehind, match=r"- greenlet <Greenlet .* sleep"):
        leftovers.check()
    gevent.sleep(0)
    assert greenlet.dead


@pytest.mark.parametrize(
    ("hold", "named"),
    [
        (lambda old: send_after(self_(), "late", 1_000), "- timer that will send 'late' to <0."),
        (lambda old: timer.send_interval(self_(), "often", 1_000), "- process <0."),
        (lambda old: timer.apply_interval(1_000, len, ""), "- process <0."),
        (monitor, "- monitor of <0."),
    ],
    ids=["timer", "interval", "apply_interval", "monitor"],
)
def test_what_is_left_with_a_process_that_was_there_before_is_named(hold: Callable[[Pid], object], named: str) -> None:
    @in_node
    def look() -> None:
        old = spawn(receive)
        leftovers = Leftovers()
        hold(old)
        with pytest.raises(LeftBehind) as caught:
            leftovers.check()
        assert named in str(caught.value)

    look()


@in_node
def test_a_timer_for_a_name_and_a_name_of_another_process_are_named_with_their_lines() -> None:
    old = spawn(receive)
    leftovers = Leftovers()
    send_after("nobody", "late", 1_000)
    register("old", old)
    with pytest.raises(LeftBehind) as caught:
        leftovers.check()
    name, set_timer = str(caught.value).splitlines()[1:]
    assert name.startswith(f"- name 'old' of {old} 'old' running ")
    assert set_timer.startswith("- timer that will send 'late' to 'nobody', set at ")
    assert set_timer.endswith(" in test_a_timer_for_a_name_and_a_name_of_another_process_are_named_with_their_lines")


def _poll() -> None:
    gevent.sleep(1_000)


@in_node
def test_what_is_set_or_started_is_told_with_the_line_that_did_it() -> None:
    old = spawn(receive)
    leftovers = Leftovers()
    monitor(old)
    send_after(self_(), "late", 1_000)
    cancel_timer(send_after(self_(), "never", 1_000))
    gevent.spawn(_poll)
    gevent.sleep(0)
    here = f"{__file__}:{{}} in test_what_is_set_or_started_is_told_with_the_line_that_did_it"
    line = unwrap(test_what_is_set_or_started_is_told_with_the_line_that_did_it).__code__.co_firstlineno
    with pytest.raises(LeftBehind) as caught:
        leftovers.check()
    set_timer, watch, greenlet = str(caught.value).splitlines()[1:]
    assert watch.endswith(f", set by a fixture at {here.format(line + 4)}")
    assert set_timer.endswith(f", set for a fixture at {here.format(line + 5)}")
    assert f", at {__file__}:" in greenlet
    assert " in _poll, started at " in greenlet
    assert greenlet.endswith(here.format(line + 7))
