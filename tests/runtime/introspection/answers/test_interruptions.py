"""A process that holds the hub is interrupted once, and the event of that is handed on once."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from runtime import receive, spawn
from runtime.introspection.answers.interruptions import Interruptions
from runtime.kernel.process import Process
from runtime.preemption.watchdog import Watchdog
from tests.support.in_node import in_node
from tests.support.trees import Observer

Told = Callable[[Process, object], None]


class Held:
    """A watchdog that says who holds the hub, and keeps what it is asked to interrupt."""

    def __init__(self, busy_with: Process | None) -> None:
        self.busy_with = busy_with
        self.interruption = self
        self.asked: list[tuple[Process, object, Told]] = []

    def request(self, process: Process, reason: object, told: Told) -> None:
        self.asked.append((process, reason, told))


@in_node
def test_only_the_process_that_holds_the_hub_is_interrupted_and_only_once() -> None:
    hog, other = spawn(receive).process, spawn(receive).process
    assert hog is not None
    assert other is not None
    observer, watchdog = Observer(), Held(hog)
    interruptions = Interruptions(cast(Watchdog, watchdog), observer.log, observer.greenlets)
    assert not interruptions.request(other, "kill")
    assert watchdog.asked == []
    assert not interruptions.request(hog, "boom")
    ((process, reason, told),) = watchdog.asked
    assert (process, reason) == (hog, "boom")
    told(hog, "boom")  # as the interruption does once it has happened
    assert interruptions.request(hog, "boom")
    assert len(watchdog.asked) == 1
    (event,) = observer.events()
    assert (event.kind, event.pid) == ("kill", str(hog.pid))
    assert interruptions.take(hog) == event.id
    assert interruptions.take(hog) is None
