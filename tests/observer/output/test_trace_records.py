"""A trace as JSON."""

from __future__ import annotations

import msgspec

from observer.output import strict_json
from observer.output.slow_calls import SlowCalls
from observer.output.trace_records import TraceRecord, of_event, of_trace
from runtime.introspection import wire
from tests.support.traces import EVENTS


def test_messages_are_values_and_reasons_are_text() -> None:
    found = {event.kind: of_event(event) for event in EVENTS}
    assert found["exit"].what == "KeyError: 'x'"
    assert found["message"].what == "tick"
    assert found["spawn"].what is None
    assert of_event(EVENTS[0]).what == ("get", 17)
    assert found["reply"].ends == 1
    assert of_event(EVENTS[0]).at is not None


def test_a_whole_trace_says_what_is_missing_from_it() -> None:
    slow = SlowCalls()
    slow.add(EVENTS)
    state = wire.TraceState(noted=15, dropped=2, unread=1, running=False, ending="Over.")
    record = of_trace("shop", EVENTS, state, slow.records())
    text = strict_json.encode(record)
    back = msgspec.json.decode(text, type=TraceRecord)
    assert (back.node, len(back.events), back.noted, back.dropped, back.unread, back.ending) == (
        "shop",
        15,
        15,
        2,
        1,
        "Over.",
    )
    assert len(back.slowest) == 4
