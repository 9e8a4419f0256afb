"""What a worker of a stream makes of a batch."""

from runtime import ProcessExit, run
from runtime.cores.batches import run_batch


def _halve(number: int, by: int = 2) -> int:
    if number % by:
        raise ProcessExit(number)
    return number // by


def test_what_a_function_ends_with_stands_beside_the_results_of_the_others() -> None:
    assert run(lambda: run_batch([2, 3, 4], _halve, (), {})) == ([1, None, 2], {1: 3})
    assert run(lambda: run_batch([3, 4], _halve, (3,), {})) == ([1, None], {1: 4})
    assert run(lambda: run_batch([3, 4], _halve, (), {"by": 3})) == ([1, None], {1: 4})
