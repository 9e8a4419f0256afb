"""The producers and their consumers, tested with the plugin that the runtime brings for such tests."""

from __future__ import annotations

from demos.overload import TAKES, Consumer, tree
from runtime import ChildSpec, call, now, process_info, resume, suspend, whereis, which_children
from runtime.testing import TestClock, assert_restarted, crash, start_supervised

pytest_plugins = ["runtime.testing"]


def waiting(name: str) -> int:
    """Return how many messages wait for a process."""
    pid = whereis(name)
    assert pid is not None
    info = process_info(pid, "message_queue_len")
    assert info is not None
    length: int = info["message_queue_len"]
    return length


def test_a_piece_of_work_takes_its_time(clock: TestClock) -> None:
    consumer, began = start_supervised(Consumer), now()
    assert [call(consumer, "work") for _ in range(3)] == [1, 2, 3]
    assert round(now() - began, 6) == 3 * TAKES


def test_a_mailbox_grows_unless_the_producer_waits_or_is_held(clock: TestClock) -> None:
    start_supervised(ChildSpec(id="tree", start=(tree,), type="supervisor"))
    clock.advance(2)
    assert waiting("consumer") > 80
    assert waiting("other_consumer") <= 1
    (producer,) = (child.pid for child in which_children("overloaded") if child.id == "producer")
    suspend(producer)
    clock.advance(TAKES * 120)
    assert waiting("consumer") == 0
    resume(producer)
    clock.advance(1)
    assert waiting("consumer") > 40
    assert_restarted(crash("consumer"))
    assert waiting("consumer") <= 1
