"""What is worth knowing about one process, in lines."""

from __future__ import annotations

from observer.drawing.process_facts import facts, more_facts
from runtime.introspection import wire

ROW = wire.Row(key="consumer", pid="<0.4.0>", name="consumer", message_queue_len=400)
LINE = wire.Frame(file="/srv/shop/orders.py", line=53, function="take", source="cast(consumer, order)")
SENDERS = (
    wire.Sender(rate=87.0, pid="<0.5.0>", name="producer", at=LINE),
    wire.Sender(rate=2.5, name="a timer or another thread"),
)


def told(found: list[tuple[str, list[tuple[str, str]]]], label: str) -> str:
    return next(("".join(text for text, _ in spans) for name, spans in found if name == label), "")


def test_the_fastest_sender_is_told_with_its_line_and_how_many_others_there_are() -> None:
    details = wire.Details(row=ROW, senders=SENDERS, more_senders=3)
    line = "87/s producer <0.5.0>  orders.py:53 take  cast(consumer, order)  and 4 more"
    assert told(facts(ROW, details, None, 0.0), "Sent by") == line
    assert told(more_facts(details), "Sent by") == line


def test_of_a_process_without_known_senders_none_is_told() -> None:
    details = wire.Details(row=ROW)
    assert not told(facts(ROW, details, None, 0.0), "Sent by")
    assert not told(facts(ROW, None, None, 0.0), "Sent by")


def test_a_sender_that_is_no_process_is_named_by_what_it_is() -> None:
    details = wire.Details(row=ROW, senders=SENDERS[1:])
    assert told(facts(ROW, details, None, 0.0), "Sent by") == "2.5/s a timer or another thread"


def test_a_state_machine_is_told_with_its_state_and_other_processes_without() -> None:
    machine = wire.Row(key="door", pid="<0.4.0>", name="door", machine_state="locked")
    assert told(facts(machine, None, None, 0.0), "Machine") == "in the state locked"
    assert not told(facts(ROW, None, None, 0.0), "Machine")
