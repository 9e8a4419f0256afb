"""How a stream cuts its items into batches."""

from time import perf_counter
from typing import Any

import pytest

from runtime import run, self_
from runtime.cores.batches import BATCH_TIME
from runtime.cores.stream import FIRST_BATCH_TIME, GROWTH, PART, SHARE, SHORTER, _Batch, _Stream, _Worker


class _Unknown:
    """An iterator that fails where it is asked how many items are left."""

    def __next__(self) -> int:
        return 1

    def __iter__(self) -> "_Unknown":
        return self

    def __length_hint__(self) -> int:
        raise OSError("unknown")


def _stream_of(items: Any, size: int, workers: int) -> Any:
    stream: Any = _Stream.__new__(_Stream)
    stream.items, stream.size = iter(items), size
    stream.workers = {number: _Worker(self_(), "peer", number) for number in range(workers)}
    return stream


@pytest.mark.parametrize(
    ("items", "size"),
    [(range(1000), 80), (range(320), 80), (range(200), 60), (range(8), 80 // SHORTER), (_Unknown(), 80)],
)
def test_batches_become_shorter_where_the_number_of_items_is_known(items: Any, size: int) -> None:
    stream = run(lambda: _stream_of(items, 80, workers=2))
    assert stream._next_size(stream.workers[0]) == size
    assert next(stream.items) in (0, 1)


def test_a_batch_has_an_item_at_least() -> None:
    stream = run(lambda: _stream_of([1], 1, workers=4))
    stream.workers[0].pace = 1.0
    assert stream._next_size(stream.workers[0]) == 1


def test_what_is_left_goes_to_the_worker_that_would_end_first() -> None:
    stream = run(lambda: _stream_of(range(14), 1, workers=2))
    busy, free = stream.workers[0], stream.workers[1]
    busy.give(_Batch(0, [*range(10)]))
    busy.pace = 1_000.0
    assert (stream._next_size(busy), stream._next_size(free)) == (1, 1)
    stream.size = 100  # and the least that it gets 6, so that the two items of its share are too few
    assert (stream._next_size(busy), stream._next_size(free)) == (0, int(PART * 12))
    busy.pace = 0.0  # nobody knows yet how long it takes
    assert stream._next_size(busy) == int(100 / SHORTER)


def test_a_worker_has_to_run_what_it_has_not_run_since_the_last_outcomes() -> None:
    worker = run(lambda: _Worker(self_(), "peer", 1))
    assert worker.rest() == 0
    worker.give(_Batch(0, [*range(10)]))
    worker.give(_Batch(10, [*range(5)]))
    assert worker.rest() == 15
    worker.pace = 1_000.0
    worker.began = perf_counter() - 4_000.0
    assert worker.rest() == pytest.approx(11, abs=0.1)
    worker.began -= 1e6
    assert worker.rest() == 5
    assert worker.take(10) is not None
    assert worker.take(10) is None
    assert worker.rest() == pytest.approx(10)


def test_batches_grow_step_by_step_and_short_ones_tell_little() -> None:
    stream = run(lambda: _stream_of(range(1_000), 1, workers=2))
    stream.item_time = 0.0
    stream._adapt(1, BATCH_TIME / 1_000)
    assert stream.size == GROWTH
    stream.size, stream.item_time = 80, BATCH_TIME / 80
    stream._adapt(1, BATCH_TIME)
    assert stream.size == 40
    stream._adapt(40, 2 * BATCH_TIME)
    assert stream.size == 20
    stream._adapt(20, 30.0)
    assert stream.size == 1


@pytest.mark.parametrize(
    ("items", "age", "seconds"),
    [
        (range(1), 0.0, BATCH_TIME),
        (_Unknown(), 0.0, FIRST_BATCH_TIME),
        (_Unknown(), 0.02 / SHARE, 0.02),
        (_Unknown(), 1000.0, BATCH_TIME),
    ],
)
def test_batches_grow_with_the_stream_where_any_may_be_the_last(items: Any, age: float, seconds: float) -> None:
    stream: Any = _Stream.__new__(_Stream)
    stream.items, stream.began = iter(items), perf_counter() - age
    assert stream._batch_time() == pytest.approx(seconds, rel=0.2)
