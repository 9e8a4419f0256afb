"""How a stream cuts its items into batches."""

from time import perf_counter
from typing import Any

import pytest

from runtime.cores.batches import BATCH_TIME
from runtime.cores.stream import FIRST_BATCH_TIME, SHARE, SHORTER, _Stream


class _Unknown:
    """An iterator that fails where it is asked how many items are left."""

    def __next__(self) -> int:
        return 1

    def __iter__(self) -> "_Unknown":
        return self

    def __length_hint__(self) -> int:
        raise OSError("unknown")


@pytest.mark.parametrize(
    ("items", "size"),
    [(range(1000), 80), (range(320), 80), (range(200), 50), (range(8), 80 // SHORTER), (_Unknown(), 80)],
)
def test_batches_become_shorter_where_the_number_of_items_is_known(items: Any, size: int) -> None:
    stream: Any = _Stream.__new__(_Stream)
    stream.items, stream.size = iter(items), 80
    stream.workers = dict.fromkeys(range(2))
    assert stream._next_size() == size
    assert next(stream.items) in (0, 1)


def test_a_batch_has_an_item_at_least() -> None:
    stream: Any = _Stream.__new__(_Stream)
    stream.items, stream.size = iter([1]), 1
    stream.workers = dict.fromkeys(range(4))
    assert stream._next_size() == 1


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
