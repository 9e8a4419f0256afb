"""`assert_receive` and `refute_receive`."""

from __future__ import annotations

import pytest

from runtime import flush, self_, send, send_after
from runtime.testing import TestClock, assert_receive, refute_receive

pytest_plugins = ["runtime.testing"]


def test_a_message_that_matches_is_taken_and_returned_and_the_others_stay() -> None:
    for message in ("first", ("reply", 1), "last"):
        send(self_(), message)
    assert assert_receive(("reply", int)) == ("reply", 1)
    assert flush() == ["first", "last"]


def test_one_that_comes_later_is_waited_for(clock: TestClock) -> None:
    send_after(self_(), "late", 0.05)
    assert_receive("late")


def test_without_a_match_the_failure_shows_the_mailbox_and_leaves_it(clock: TestClock) -> None:
    with pytest.raises(AssertionError, match=r"no message matched 'this' within 0.1 s; the mailbox is empty"):
        assert_receive("this")
    send(self_(), "that")
    with pytest.raises(AssertionError, match="the mailbox holds 'that'"):
        assert_receive("this")
    assert_receive("that")


def test_a_message_that_should_not_come_fails_the_test(clock: TestClock) -> None:
    refute_receive("unwanted")
    send(self_(), ("unwanted", 1))
    with pytest.raises(AssertionError, match=r"received .'unwanted', 1., which matches"):
        refute_receive(("unwanted", int))
