"""One run of one contender: its figure, and the stopwatch and the scale it is read from."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Sample:
    """The figure of one run, once by the wall clock and once by the CPU time of the operating-system process.

    Other programs on the machine distort the first more than the second. A figure that is no time has both the same.
    """

    wall: float
    cpu: float

    @classmethod
    def exact(cls, figure: float) -> Sample:
        """A figure that does not depend on a clock, e.g. a size."""
        return cls(figure, figure)


class Stopwatch:
    """Measures a ``with`` block; garbage of the preparations is collected before it starts."""

    def __enter__(self) -> Self:
        gc.collect()
        self.wall, self.cpu = -time.perf_counter(), -time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()

    def rate(self, count: float) -> Sample:
        """Return how many of `count` things were done in a second."""
        return Sample(count / self.wall, count / max(self.cpu, 1e-9))

    def seconds(self, count: float = 1) -> Sample:
        """Return how long each of `count` things took."""
        return Sample(self.wall / count, self.cpu / count)


def rate_of(work: Callable[[int], object], count: int) -> Sample:
    """Let `work` do `count` things, after a tenth of them to warm up; return how many it did in a second."""
    work(max(1, count // 10))
    with Stopwatch() as watch:
        work(count)
    return watch.rate(count)


async def rate_of_async(work: Callable[[int], Awaitable[object]], count: int) -> Sample:
    """`rate_of` for a coroutine function."""
    await work(max(1, count // 10))
    with Stopwatch() as watch:
        await work(count)
    return watch.rate(count)


def resident() -> int:
    """Return the resident memory of this operating-system process, in bytes."""
    import psutil

    gc.collect()
    return int(psutil.Process(os.getpid()).memory_info().rss)
