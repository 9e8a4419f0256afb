"""What a test leaves behind: found, named with where it waits, and ended."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from runtime import Pid, alive, monitor, processes, receive, self_, send_after, sleep, spawn
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
    assert line.endswith(f"started by {self_()}")
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
        (monitor, "- monitor of <0."),
    ],
    ids=["timer", "monitor"],
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
