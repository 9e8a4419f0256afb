"""The search for what an exception has lost comes to its end, however often it is struck itself."""

from __future__ import annotations

from contextlib import suppress

from runtime import spawn
from runtime.kernel.node import this_node
from runtime.kernel.process import Process
from runtime.kernel.scheduler import LOW_SHARE
from runtime.kernel.table import BLOCK
from tests.runtime.kernel.test_headroom import Struck
from tests.runtime.kernel.test_strikes import Strikes, strikes
from tests.support.in_node import in_node

BLOCKS = 3

POINTS = 30_000
"""Where a search is struck: it looks through a block by then, and not through three."""

MOST_SEARCHES = 10


def process_of(number: int) -> Process:
    found = this_node().find(number)
    assert found is not None
    return found


@in_node
def test_a_search_that_is_struck_again_and_again_finds_all_that_is_lost() -> None:
    node = this_node()
    numbers = [spawn(int).id for _ in range(BLOCKS * BLOCK)]
    lost = [process_of(numbers[0]), process_of(numbers[-1])]
    for process in lost:
        node.scheduler.ready.remove(process)
    node.scheduler.may_have_lost = True
    struck = 0
    for _ in range(MOST_SEARCHES):
        with suppress(Struck), Strikes(POINTS) as striking:
            node._search.go_on()
        if not striking.reached:
            break
        struck += 1
    assert 0 < struck < MOST_SEARCHES
    assert [node.scheduler.ready.count(process) for process in lost] == [1, 1]
    assert len(node.scheduler.ready) == len(numbers)


@in_node
def test_what_is_lost_in_the_middle_of_a_search_is_found_as_well() -> None:
    node = this_node()
    numbers = [spawn(int).id for _ in range(BLOCKS * BLOCK)]
    node.scheduler.may_have_lost = True
    with suppress(Struck), Strikes(POINTS) as striking:
        node._search.go_on()
    assert striking.reached
    lost = process_of(numbers[0])
    node.scheduler.ready.remove(lost)
    node.scheduler.may_have_lost = True
    node._search.go_on()
    assert node.scheduler.ready.count(lost) == 1


@in_node
def test_one_of_low_priority_is_in_a_queue_wherever_an_exception_strikes_that_gives_it_its_turn() -> None:
    scheduler = this_node().scheduler
    process = process_of(spawn(int).id)
    for number in strikes():
        scheduler.ready.remove(process)
        scheduler.low.append(process)
        scheduler._batches = LOW_SHARE
        with suppress(Struck), Strikes(number) as striking:
            scheduler._serve_low_priority()
        assert process in scheduler.ready or process in scheduler.low, f"at point {number}"
        while process in scheduler.ready:
            scheduler.ready.remove(process)
        scheduler.low.clear()
        scheduler.ready.append(process)
        if not striking.reached:
            break
