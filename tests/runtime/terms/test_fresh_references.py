"""Receiving by a reference: what came before it was made is passed over, and nothing is lost by that."""

from runtime import ANY, Ref, flush, receive, run, self_, send
from runtime.terms.pattern import matching


def test_a_pattern_knows_the_newest_reference_that_it_demands() -> None:
    older, newer = Ref(), Ref()
    assert matching(((older, newer, ANY),)).newer_than == newer.id
    assert matching(((older, ANY), (newer, ANY))).newer_than == older.id
    assert matching(((older, ANY), str)).newer_than == 0
    assert matching((lambda message: message[0] == older,)).newer_than == 0


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
