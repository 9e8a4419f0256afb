"""References: unique, ordered and readable; and that a receive by one passes over what came before it was made."""

import copy
import pickle
from typing import Any

import pytest

from runtime import ANY, Ref, TimerRef, flush, receive, run, self_, send
from runtime.terms.pattern import matching


def test_every_reference_is_a_new_one_and_the_older_is_the_smaller() -> None:
    first, second = Ref(), Ref()
    assert first != second
    assert first < second
    assert sorted([second, first]) == [first, second]
    assert len({first, second, Ref(first.id)}) == 2
    assert first != first.id


def test_a_reference_is_read_as_it_is_printed() -> None:
    ref = Ref()
    assert Ref.parse(str(ref)) == ref
    assert Ref.parse("#Ref<3.0.17>") == Ref(17, 3)
    for text in ("", "#Ref<0.0.17", "#Ref<0.1.17>", "#Ref<0.0.x>", "<0.17.0>", None, 17):
        with pytest.raises(ValueError, match=r"one looks like #Ref<0\.0\.17>"):
            Ref.parse(text)  # type: ignore[arg-type]


def test_a_copy_is_the_same_reference_and_a_timers_stays_one() -> None:
    ref = TimerRef()
    assert copy.copy(ref) is copy.deepcopy(ref) is ref
    again = pickle.loads(pickle.dumps(ref))
    assert again == ref
    assert type(again) is TimerRef


def test_a_pattern_knows_the_newest_reference_that_it_demands() -> None:
    older, newer = Ref(), Ref()
    assert matching(((older, newer, ANY),)).newer_than == newer.id
    assert matching(((older, ANY), (newer, ANY))).newer_than == older.id
    assert matching(((older, ANY), str)).newer_than == 0
    assert matching((lambda message: message[0] == older,)).newer_than == 0
    assert matching(((Ref(2**96, 5), ANY),)).newer_than == 0
    assert matching(((Ref(2**96, 5), older),)).newer_than == older.id


@pytest.mark.parametrize("options", [{}, {"timeout": 0}])
@pytest.mark.parametrize("number", [1, 2**40, 2**96 + 1])
def test_a_reference_of_another_node_is_found_among_what_was_passed_over(number: int, options: dict[str, Any]) -> None:
    def main() -> object:
        ref = Ref(number, 5)
        for message in ((ref, "reply"), "next"):
            send(self_(), message)
        assert receive("next") == "next"
        later = Ref()
        send(self_(), (later, "reply"))
        return receive((ref, ANY), (later, ANY), **options)

    assert run(main) == (Ref(number, 5), "reply")


def test_a_number_that_no_reference_has_ends_no_receive() -> None:
    def main() -> object:
        for message in ("other", "next", "last"):
            send(self_(), message)
        assert receive("next") == "next"
        return receive((Ref(2**81), ANY), "last")

    assert run(main) == "last"


def test_replies_are_found_behind_thousands_of_other_messages() -> None:
    def main() -> tuple[list[int], int]:
        me = self_()
        for number in range(3_000):
            send(me, ("other", number))
        found = []
        for number in range(300):
            ref = Ref()
            send(me, (ref, number))
            found.append(receive((ref, int), timeout=1)[1])
        return found, len(flush())

    assert run(main) == (list(range(300)), 3_000)


def test_a_message_with_an_older_reference_is_still_found_among_those_that_were_refused() -> None:
    def main() -> list[object]:
        me = self_()
        first, second = Ref(), Ref()
        send(me, "noise")
        send(me, (first, "one"))
        send(me, (second, "two"))
        third = Ref()
        send(me, (third, "three"))
        order = [receive((third, ANY), timeout=1)[1]]
        order.append(receive((second, ANY), timeout=1)[1])
        order.append(receive((first, ANY), timeout=1)[1])
        return [*order, flush()]

    assert run(main) == ["three", "two", "one", ["noise"]]
