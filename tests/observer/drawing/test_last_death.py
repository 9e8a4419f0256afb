"""A supervisor's view names the last death below it."""

from __future__ import annotations

from observer.drawing.process_facts import failure
from runtime.introspection import wire

LINE = wire.Frame(file="/srv/shop/orders.py", line=53, function="take", source="cast(consumer, order)")


def test_the_last_death_below_a_supervisor_is_told_with_its_reason_and_its_line() -> None:
    crash = "KeyError: 'x'"
    event = wire.Event(id=3, time=1.0, kind="exit", name="orders", reason=crash, crashed=True, stacktrace=(LINE,))
    label, spans = failure(event)
    assert label == "Last death"
    assert "".join(text for text, _ in spans) == "✗ orders: KeyError: 'x'  orders.py:53 take  cast(consumer, order)"
