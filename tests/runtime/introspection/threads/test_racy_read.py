from __future__ import annotations

from runtime import self_, send
from runtime.introspection.threads.racy_read import ATTEMPTS, messages, some, steady, values
from tests.support.in_node import in_node


def test_a_read_is_tried_again_when_the_collection_has_changed_meanwhile() -> None:
    tries = iter(range(3))

    def read() -> list[int]:
        if next(tries) < 2:
            raise RuntimeError("dictionary changed size during iteration")
        return [1, 2]

    assert steady(read) == [1, 2]


def test_a_collection_that_changes_all_the_time_gives_nothing() -> None:
    tries = []

    def read() -> list[int]:
        tries.append(True)
        raise RuntimeError("deque mutated during iteration")

    assert steady(read) == []
    assert len(tries) == ATTEMPTS


def test_the_first_items_are_read_and_none_of_what_is_not_there() -> None:
    assert some(range(10), 3) == [0, 1, 2]
    assert some(None, 3) == []
    assert values({"a": 1, "b": 2}) == [1, 2]
    assert values(None) == []


@in_node
def test_messages_are_read_oldest_first_and_stay_where_they_are() -> None:
    process = self_().process
    assert process is not None
    for number in range(4):
        send(self_(), number)
    assert messages(process, 3) == [0, 1, 2]
    assert messages(process, 10) == [0, 1, 2, 3]
