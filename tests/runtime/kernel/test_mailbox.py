"""Sending and receiving: order, timeouts, aliases, names, threads."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from runtime import (
    ANY,
    NoProcessError,
    NotInProcessError,
    Pid,
    ReceiveTimeout,
    alias,
    alive,
    dictionary,
    exit,
    flush,
    process_info,
    receive,
    register,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    unalias,
)
from runtime.kernel.clock import now
from tests.support.in_node import in_node


@in_node
def test_the_oldest_message_that_matches_is_taken_and_the_others_stay_in_order() -> None:
    for number in range(6):
        send(self_(), number)
    assert receive(lambda m: m > 2) == 3
    assert receive(5, 4) == 4
    assert flush() == [0, 1, 2, 5]


@in_node
def test_the_position_of_a_message_beats_the_order_of_patterns() -> None:
    send(self_(), "b")
    send(self_(), "a")
    assert receive("a", "b") == "b"


@in_node
def test_a_timeout_of_zero_looks_through_all_and_never_waits() -> None:
    for number in range(100):
        send(self_(), number)
    before = now()
    assert receive(99, timeout=0) == 99
    assert receive("none", timeout=0, default="default") == "default"
    with pytest.raises(ReceiveTimeout):
        receive("none", timeout=0)
    assert now() == before


@in_node
def test_messages_that_do_not_match_do_not_start_the_timeout_anew() -> None:
    begun = now()
    for number in range(1, 20):
        send_after(self_(), "noise", number)
    assert receive("signal", timeout=5.5, default=None) is None
    assert now() - begun == pytest.approx(5.5)


@in_node
def test_a_timeout_error_is_one_of_pythons_too_and_says_how_long() -> None:
    with pytest.raises(TimeoutError) as caught:
        receive(timeout=2)
    assert isinstance(caught.value, ReceiveTimeout)
    assert caught.value.timeout == 2


@in_node
def test_a_message_that_arrives_in_time_ends_the_wait_and_a_later_wait_is_whole() -> None:
    send_after(self_(), "early", 1)
    assert receive(timeout=5) == "early"
    begun = now()
    assert receive(timeout=5, default=None) is None
    assert now() - begun == pytest.approx(5)


@in_node
def test_messages_of_one_sender_arrive_in_order() -> None:
    here = self_()

    def sender(name: int) -> None:
        for number in range(100):
            send(here, (name, number))
            if number % 7 == name:
                sleep(0)

    for name in range(5):
        spawn(sender, name)
    got = [receive(tuple) for _ in range(500)]
    for name in range(5):
        assert [number for who, number in got if who == name] == [*range(100)]


@in_node
def test_sending_to_the_dead_is_silent_and_to_an_unknown_name_an_error() -> None:
    pid = spawn(lambda: None)
    sleep(0.1)
    assert send(pid, "hello") == "hello"
    with pytest.raises(NoProcessError, match="'nobody'"):
        send("nobody", "hello")
    with pytest.raises(TypeError, match="no destination"):
        send([], "hello")  # type: ignore[arg-type]


@in_node
def test_send_gives_the_message_itself_and_delivers_a_copy() -> None:
    register("me", self_())
    message = {"list": [1]}
    assert send("me", message) is message
    message["list"].append(2)
    assert receive() == {"list": [1]}


@in_node
def test_an_alias_delivers_until_it_is_taken_back_and_a_reply_alias_once() -> None:
    lasting, once = alias(), alias("reply")
    for ref in (lasting, lasting, once, once):
        send(ref, ref)
    assert flush() == [lasting, lasting, once]
    assert unalias(lasting)
    assert not unalias(lasting)
    send(lasting, "dropped")
    assert flush() == []


def test_any_thread_may_send_and_its_messages_keep_their_order() -> None:
    def main() -> list[Any]:
        here = self_()

        def work() -> None:
            for number in range(1_000):
                send(here, number)

        thread = threading.Thread(target=work)
        thread.start()
        got = [receive(timeout=30) for _ in range(1_000)]
        thread.join()
        return got

    assert run(main) == [*range(1_000)]


def test_receive_outside_a_process_is_refused() -> None:
    with pytest.raises(NotInProcessError, match="inside a process"):
        receive(ANY)


@pytest.mark.parametrize("timeout", [-1, float("nan"), "soon", True])
def test_a_timeout_that_is_no_time_is_refused(timeout: Any) -> None:
    def main() -> None:
        with pytest.raises((TypeError, ValueError), match="timeout must be"):
            receive(timeout=timeout)

    run(main)


@in_node
def test_what_a_dead_process_sends_goes_nowhere() -> None:
    here = self_()

    def work() -> None:
        try:
            receive()
        finally:
            send(here, "from the dead")

    pid = spawn(work)
    sleep(0.1)
    exit(pid, "kill")
    assert receive(timeout=1, default="nothing") == "nothing"


@pytest.mark.parametrize("no_limit", [None, "infinity", float("inf")])
@in_node
def test_none_and_infinity_mean_no_limit(no_limit: Any) -> None:
    me = self_()
    sleeper = spawn(sleep, no_limit)
    send_after(me, "late", 1_000.0)
    assert receive("late", timeout=no_limit) == "late"
    assert alive(sleeper)


@pytest.mark.parametrize("wrong", ["soon", True, -1, float("nan"), []])
@in_node
def test_what_is_no_time_is_refused_also_when_no_one_has_to_wait(wrong: Any) -> None:
    send(self_(), "there")
    with pytest.raises((TypeError, ValueError), match="timeout must be"):
        receive("there", timeout=wrong)
    with pytest.raises((TypeError, ValueError), match="seconds must be"):
        sleep(wrong)
    assert receive() == "there"


@in_node
def test_messages_that_were_passed_over_are_found_by_later_patterns_and_taken_first() -> None:
    for number in range(6):
        send(self_(), number)
    assert receive(3) == 3
    assert receive(2, timeout=0) == 2
    assert [receive(timeout=0) for _ in range(2)] == [0, 1]
    assert receive(5, timeout=0) == 5
    assert receive(timeout=0) == 4
    assert receive(timeout=0, default="empty") == "empty"


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("meanwhile", ["never", 1, 4])
@pytest.mark.parametrize("are_saved", [False, True])
@in_node
def test_a_predicate_may_receive_in_the_middle_of_a_receive(are_saved: bool, meanwhile: object, number: int) -> None:
    calls: list[object] = []
    taken: list[object] = []

    def is_three(message: object) -> bool:
        calls.append(message)
        if len(calls) == number:
            taken.append(receive(meanwhile, timeout=0, default=None))
        return message == 3

    for each in range(6):
        send(self_(), each)
    if are_saved:
        receive("never", timeout=0, default=None)
    assert receive(is_three, timeout=0) == 3
    assert flush() == [each for each in range(6) if each not in (3, *taken)]


class TellsItsEnd:
    def __init__(self, told: Pid) -> None:
        self.told = told

    def __del__(self) -> None:
        send(self.told, "freed")


@in_node
def test_what_a_process_leaves_behind_may_send_when_it_is_freed() -> None:
    def hold(value: object) -> None:
        dictionary()["value"] = value

    def drop(value: object) -> None:
        pass

    for function in (hold, drop, exit):
        spawn(function, TellsItsEnd(self_()))
        assert receive(timeout=1, default="nothing") == "freed", function


@in_node
def test_a_pattern_that_receives_in_its_turn_loses_nothing() -> None:
    numbers = [*range(5)]
    for number in numbers:
        send(self_(), number)
    for _ in range(2):  # the second time all of them were passed over before
        assert receive(lambda message: receive("none", timeout=0, default=False), timeout=0, default="no") == "no"
        assert process_info(self_(), "messages") == {"messages": numbers}
    assert receive(lambda message: receive(0, timeout=0, default=True) and message == 3, timeout=0) == 3
    assert receive(lambda message: receive(1, timeout=0, default=False) is False, timeout=0) == 2
    assert receive(lambda message: receive(), timeout=0, default="no") == "no"
    assert flush() == []


@in_node
def test_a_pattern_that_takes_one_message_and_passes_over_another_looks_at_that_too() -> None:
    def takes_two(message: object) -> bool:
        if message == "first":
            assert receive("first", timeout=0) == "first"
            assert receive("last", timeout=0) == "last"  # passes over what is wanted
        return message == "wanted"

    send(self_(), "first")
    assert receive("never", timeout=0, default="none") == "none"
    for message in ("wanted", "last"):
        send(self_(), message)
    assert receive(takes_two, timeout=0) == "wanted"
    assert flush() == []


@in_node
def test_a_pattern_that_takes_messages_up_to_an_equal_one_looks_at_those_between() -> None:
    calls: list[object] = []

    def takes_some(message: object) -> bool:
        calls.append(message)
        if calls == ["tick"]:
            assert [receive(each, timeout=0) for each in ("tick", "old", "last")] == ["tick", "old", "last"]
        return message == "wanted"

    send(self_(), "old")
    assert receive("never", timeout=0, default="none") == "none"
    assert receive("old", timeout=0) == "old"
    for message in ("tick", "wanted", "old", "last", "tick"):
        send(self_(), message)
    assert receive(takes_some, timeout=0) == "wanted"
    assert flush() == ["tick"]


@in_node
def test_a_pattern_that_takes_the_message_itself_does_not_accept_an_equal_one() -> None:
    calls: list[object] = []

    def is_number(message: object) -> bool:
        calls.append(message)
        if len(calls) == 1:
            assert receive(timeout=0) is message
        return type(message) is int

    for message in (1, True):
        send(self_(), message)
    assert receive(is_number, timeout=0, default="none") == "none"
    assert flush() == [True]


@in_node
def test_a_pattern_that_takes_the_messages_themselves_matches_what_is_left() -> None:
    for number in range(2_000):
        send(self_(), number)
    assert receive(lambda message: message == 1_990 or receive() is None, timeout=0) == 1_990
    assert flush() == [*range(1_991, 2_000)]


class Meddler:
    """A message whose comparison receives another one, once."""

    meanwhile: object = None
    taken: ClassVar[list[object]] = []

    def __init__(self, at: int) -> None:
        self.at = at

    def __eq__(self, other: object) -> bool:
        if not self.taken:
            self.taken.append("nothing yet")
            self.taken[0] = receive(Meddler.meanwhile, timeout=0, default=None)
        return other == self.at

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("meanwhile", ["never", 0, 2, 4])
@pytest.mark.parametrize("wanted", [2, 3, "never", (2, ANY)])
@pytest.mark.parametrize("are_saved", [False, True])
@in_node
def test_a_message_may_receive_as_it_is_compared(are_saved: bool, wanted: object, meanwhile: object, at: int) -> None:
    Meddler.meanwhile = meanwhile
    for each in (0, 1, 2, 3, 4, 2, 0):
        send(self_(), Meddler(each) if each == at else each)
    if are_saved:
        Meddler.taken[:] = ["not now"]
        receive("none", timeout=0, default=None)
    Meddler.taken.clear()
    got = receive(wanted, timeout=0, default=None)
    taken = Meddler.taken[0] if Meddler.taken else None
    Meddler.taken[:] = ["no more"]
    numbers = [each.at if isinstance(each, Meddler) else each for each in (got, taken, *flush())]
    assert sorted(each for each in numbers if isinstance(each, int)) == [0, 0, 1, 2, 2, 3, 4]
    assert numbers[0] == (wanted if isinstance(wanted, int) else None)
    left = [0, 1, 2, 3, 4, 2, 0]
    for each in numbers[:2]:
        if isinstance(each, int):
            left.remove(each)  # the oldest one
    assert numbers[2:] == left
