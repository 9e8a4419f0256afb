"""A sequence diagram: lifelines by first appearance, steps between them, all of it safe to draw."""

from __future__ import annotations

import msgspec
import pytest

from observer.drawing.sequence import MAX_LABEL, MAX_LIFELINES, OTHERS, OUTSIDE, STYLES, Diagram, Labels, label_of, span
from runtime.introspection import wire
from tests.support.traces import BANK, EVENTS, HOSTILE, NEW_BANK


def test_lifelines_stand_in_the_order_in_which_they_come() -> None:
    assert Diagram(EVENTS).lifelines == ["client", "bank", OUTSIDE, "pool"]


def test_who_takes_the_place_of_a_process_that_has_ended_goes_on_in_its_lifeline() -> None:
    diagram = Diagram(EVENTS)
    assert [step.target for step in diagram.steps if step.event.target == NEW_BANK] == [1, 1, 1, 0]
    living = Diagram(event for event in EVENTS if event.kind != "exit")
    assert living.lifelines == ["client", "bank", OUTSIDE, "pool", "bank <0.9.0>"]


def test_each_step_goes_from_one_lifeline_to_another_and_a_note_stays_on_its_own() -> None:
    diagram = Diagram(EVENTS)
    assert [(step.event.kind, step.source, step.target, step.style) for step in diagram.steps[:6]] == [
        ("call", 0, 1, "sync"),
        ("reply", 1, 0, "reply"),
        ("cast", 0, 1, "async"),
        ("message", 2, 1, "async"),
        ("call", 0, 1, "sync"),
        ("exit", 1, 1, "note"),
    ]
    assert "received" not in [step.event.kind for step in diagram.steps]
    assert Diagram(EVENTS, with_receipts=True).steps[1].source == 1


def test_a_diagram_may_grow_and_lose_its_oldest_steps() -> None:
    diagram = Diagram(EVENTS[:4])
    diagram.add(EVENTS[4:])
    whole = Diagram(EVENTS)
    assert (diagram.lifelines, diagram.steps) == (whole.lifelines, whole.steps)
    diagram.drop(3)
    assert diagram.steps == whole.steps[3:]
    assert diagram.lifelines == whole.lifelines


def test_labels_say_what_the_arrow_does_not_and_are_safe_and_short() -> None:
    labels = {event.kind: label_of(event) for event in EVENTS}
    assert labels["reply"] == "1.00ms 'ok'"
    assert labels["failed"] == "failed after 100.0ms KeyError: 'x'"
    assert labels["given_up"] == "gave up after 5.00s late"
    assert labels["returned"] == "returned 100.0ms 30"
    long = msgspec.structs.replace(EVENTS[4], what="x" * 10_000)
    assert len(label_of(long)) == MAX_LABEL
    odd = msgspec.structs.replace(EVENTS[4], what=HOSTILE)
    assert label_of(odd).isprintable()


def test_for_more_lifelines_than_there_is_room_one_stands_for_the_others() -> None:
    events = [
        wire.TraceEvent(id=n, time=1.0, kind="message", target=wire.Related(pid=f"<0.{n}.0>", name=f"p{n}"))
        for n in range(1, 3 * MAX_LIFELINES)
    ]
    diagram = Diagram(events)
    assert len(diagram.lifelines) == MAX_LIFELINES + 1
    assert diagram.lifelines[-1] == OTHERS
    assert diagram.steps[-1].target == MAX_LIFELINES


def test_a_name_without_text_is_the_pid() -> None:
    labels = Labels()
    assert labels.of(wire.Related(pid="<0.7.0>")) == "<0.7.0>"
    assert [labels.of(each) for each in (BANK, NEW_BANK, BANK, None)] == ["bank", "bank <0.9.0>", "bank", OUTSIDE]


def test_every_kind_of_the_wire_is_drawn() -> None:
    assert set(STYLES) == set(wire.TraceKind.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00015, "0.15ms"), (0.0506, "50.6ms"), (1.2, "1.20s"), (0.9999, "1.00s")]
)
def test_times_have_three_digits(seconds: float, text: str) -> None:
    assert span(seconds) == text
