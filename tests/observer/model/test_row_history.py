from __future__ import annotations

from observer.model.row_history import RowHistories
from runtime.introspection.wire import Row


def test_a_row_flashes_after_its_process_was_replaced_and_fades() -> None:
    histories = RowHistories()
    histories.take([Row(key="a", pid="<0.1.0>")], 10.0)
    histories.take([Row(key="a", pid="<0.1.0>")], 11.0)
    history = histories.get("a")
    assert history is not None
    assert history.flash(11.0) == 0
    histories.take([Row(key="a", pid="<0.2.0>", restarts=1)], 12.0)
    assert history.flash(12.0) == 1
    assert 0 < history.flash(14.0) < 1
    assert history.flash(16.0) == 0


def test_lives_not_seen_for_longest_are_forgotten() -> None:
    histories = RowHistories(limit=2)
    histories.take([Row(key="a"), Row(key="b")], 1.0)
    histories.take([Row(key="a"), Row(key="c")], 2.0)
    assert histories.get("b") is None
    assert histories.get("a") is not None
    assert len(histories) == 2


def test_memory_that_grew_before_a_restart_is_not_counted_for_the_new_process() -> None:
    histories = RowHistories()
    for time, pid, memory in ((1.0, "<0.1.0>", 1_000), (2.0, "<0.1.0>", 9_000), (3.0, "<0.2.0>", 2_000)):
        histories.take([Row(key="a", pid=pid, memory=memory)], time)
    history = histories.get("a")
    assert history is not None
    assert history.growth == 0
