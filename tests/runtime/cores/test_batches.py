"""What a worker of a stream makes of a batch."""

from collections.abc import Iterator

import pytest

from runtime import Crash, ProcessExit, run
from runtime.cores.batches import run_batch


def _halve(number: int, by: int = 2) -> int:
    if number % by:
        raise ProcessExit(number)
    return number // by


def test_what_a_function_ends_with_stands_beside_the_results_of_the_others() -> None:
    assert run(lambda: run_batch([2, 3, 4], _halve, (), {})) == ([1, None, 2], {1: 3})
    assert run(lambda: run_batch([3, 4], _halve, (3,), {})) == ([1, None], {1: 4})
    assert run(lambda: run_batch([3, 4], _halve, (), {"by": 3})) == ([1, None], {1: 4})


def _stop(number: int) -> int:
    if number % 2:
        raise StopIteration(number)
    return number


def test_a_function_that_fails_again_and_again_fails_for_its_own_items_alone() -> None:
    failure = Crash("StopIteration", "1")
    assert run(lambda: run_batch([1, 1, 2, 1], _stop, (), {})) == (
        [None, None, 2, None],
        dict.fromkeys((0, 1, 3), failure),
    )
    assert run(lambda: run_batch([], _stop, (), {})) == ([], {})


class _Struck(list[int]):
    """Items between two of which the handler of a signal raises."""

    def __iter__(self) -> Iterator[int]:
        return _StruckIterator(self[:])


class _StruckIterator:
    def __init__(self, rest: list[int]) -> None:
        self.rest = rest

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if len(self.rest) == 2:
            raise KeyboardInterrupt
        return self.rest.pop(0)

    def __length_hint__(self) -> int:
        return len(self.rest)


def test_what_strikes_between_two_items_is_the_outcome_of_neither() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(lambda: run_batch(_Struck([2, 4, 6, 8]), _halve, (), {}))
