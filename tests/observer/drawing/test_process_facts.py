"""Facts about a process."""

from __future__ import annotations

import pytest

from observer.drawing.process_facts import facts, more_facts, related, sender_spans, senders, supervision
from observer.text import tones
from runtime.introspection.wire import Details, Frame, Related, Row, Sender

ROW = Row(key="app/shop", pid="<0.7.0>", name="shop", initial_call="shop.Shop", started_at=100.0, restart="permanent")


def _text(found: list[tuple[str, list[tuple[str, str]]]]) -> dict[str, str]:
    return {label: "".join(text for text, _ in spans) for label, spans in found}


def test_a_process_is_told_most_important_first() -> None:
    found = facts(ROW, None, None, 160.0)
    assert [label for label, _ in found] == ["Process", "State", "Mailbox", "Memory", "Place"]
    text = _text(found)
    assert text["Process"] == "shop <0.7.0>  shop.Shop"
    assert text["State"].endswith("up 1m00s") or "up 1m" in text["State"]
    assert text["Memory"] == "no estimate yet"
    assert text["Place"] == "app/shop  permanent"


def test_whom_it_waits_for_comes_right_after_what_it_does() -> None:
    details = Details(row=ROW, waiting_for=Related(pid="<0.9.0>", name="bank"), trap_exit=True, messages=("'hello'",))
    found = facts(ROW, details, None, 160.0)
    assert [label for label, _ in found][:3] == ["Process", "State", "Waits for"]
    text = _text(found)
    assert text["Waits for"].split() == ["⧗", "bank", "<0.9.0>"]
    assert text["Place"].endswith("traps exits")
    assert text["First"] == "'hello'"


def test_a_group_and_a_greenlet_have_fewer_facts() -> None:
    assert [label for label, _ in facts(Row(key="~free", kind="group", child_count=3), None, None, 0.0)] == ["Group"]
    greenlet = Row(key="g1", pid="g1", kind="greenlet", name="tick")
    assert [label for label, _ in facts(greenlet, None, None, 0.0)] == ["Greenlet", "State"]


def test_restarts_and_findings_are_told_with_the_state() -> None:
    row = Row(key="k", pid="<0.7.0>", restarts=1, lints=("hog", "unwatched"))
    text = _text(facts(row, None, None, 0.0))["State"]
    assert "restarted once" in text
    assert "! hog, unwatched" in text
    more = Row(key="k", pid="<0.7.0>", restarts=1_200)
    assert "restarted 1,200 times" in _text(facts(more, None, None, 0.0))["State"]


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("runtime.supervision.supervisor.Supervisor.init", "Supervisor.init"),
        ("shop.till.Till.init", "shop.till.Till.init"),
    ],
)
def test_an_initial_call_of_the_runtimes_own_has_no_module(call: str, shown: str) -> None:
    label, spans = facts(Row(key="app", name="app", pid="<0.2.0>", initial_call=call), None, None, 0.0)[0]
    assert label == "Process"
    assert "".join(text for text, _ in spans) == f"app <0.2.0>  {shown}"


def test_a_supervisors_budget_is_in_the_colour_of_trouble_once_it_is_spent() -> None:
    def told(used: int) -> tuple[str, str]:
        row = Row(
            key="app",
            kind="supervisor",
            strategy="one_for_one",
            child_count=2,
            not_running=1,
            max_restarts=3,
            max_seconds=5.0,
            restarts_used=used,
        )
        label, spans = supervision(row)
        assert label == "Strategy"
        return "".join(text for text, _ in spans), next(tone for text, tone in spans if "restarts" in text)

    assert "2 children" in told(0)[0]
    assert "1 not running" in told(0)[0]
    assert [told(used)[1] for used in (0, 1, 3)] == [tones.MUTED, tones.WARN, tones.BAD]


def test_senders_are_told_with_their_rate_and_line() -> None:
    at = Frame(file="/srv/shop.py", line=7, function="tick", source=" cast(bank, 1)")
    fast, other = Sender(rate=1_200.0, pid="<0.9.0>", name="tick", at=at), Sender(rate=1.0)
    text = "".join(span for span, _ in sender_spans(fast))
    assert "tick <0.9.0>" in text
    assert "shop.py:7" in text
    assert text.endswith("cast(bank, 1)")
    assert "?" in "".join(span for span, _ in sender_spans(other))
    assert senders(Details(row=ROW)) == []
    (told,) = senders(Details(row=ROW, senders=(fast, other), more_senders=2))
    assert told[0] == "Sent by"
    assert told[1][-1][0] == "  and 3 more"


def test_the_view_of_one_process_has_names_flags_and_work() -> None:
    row = Row(key="k", pid="<0.7.0>", registered_name="shop", label="till", reductions=1_000, cpu_time=0.5)
    text = _text(more_facts(Details(row=row, priority="high", trap_exit=True, max_heap_size=5_000)))
    assert text["Names"].split() == ["registered", "shop", "label", "till"]
    assert text["Flags"] == "priority high  traps exits  max_heap_size 5,000"
    assert text["Work"] == "1,000 reductions  0.500s of processor time seen"
    assert _text(more_facts(Details(row=Row(key="k"))))["Names"] == "none"


def test_of_many_processes_the_first_are_named() -> None:
    many = [Related(pid=f"<0.{n}.0>", name="w" if n else "") for n in range(9)]
    text = "".join(span for span, _ in related(many, most=2))
    assert text == "<0.0.0> w <0.1.0>  and 7 more"


CONSUMER = Row(key="consumer", pid="<0.4.0>", name="consumer", message_queue_len=400)
LINE = Frame(file="/srv/shop/orders.py", line=53, function="take", source="cast(consumer, order)")
SENDERS = (
    Sender(rate=87.0, pid="<0.5.0>", name="producer", at=LINE),
    Sender(rate=2.5, name="a timer or another thread"),
)


def told(found: list[tuple[str, list[tuple[str, str]]]], label: str) -> str:
    return next(("".join(text for text, _ in spans) for name, spans in found if name == label), "")


def test_the_fastest_sender_is_told_with_its_line_and_how_many_others_there_are() -> None:
    details = Details(row=CONSUMER, senders=SENDERS, more_senders=3)
    line = "87/s producer <0.5.0>  orders.py:53 take  cast(consumer, order)  and 4 more"
    assert told(facts(CONSUMER, details, None, 0.0), "Sent by") == line
    assert told(more_facts(details), "Sent by") == line


def test_of_a_process_without_known_senders_none_is_told() -> None:
    details = Details(row=CONSUMER)
    assert not told(facts(CONSUMER, details, None, 0.0), "Sent by")
    assert not told(facts(CONSUMER, None, None, 0.0), "Sent by")


def test_a_sender_that_is_no_process_is_named_by_what_it_is() -> None:
    details = Details(row=CONSUMER, senders=SENDERS[1:])
    assert told(facts(CONSUMER, details, None, 0.0), "Sent by") == "2.5/s a timer or another thread"


def test_a_state_machine_is_told_with_its_state_and_other_processes_without() -> None:
    machine = Row(key="door", pid="<0.4.0>", name="door", machine_state="locked")
    assert told(facts(machine, None, None, 0.0), "Machine") == "in the state locked"
    assert not told(facts(CONSUMER, None, None, 0.0), "Machine")


def test_the_view_of_a_server_tells_which_calls_no_case_of_it_takes() -> None:
    details = Details(row=CONSUMER, unanswered=3, unanswered_kinds=("discount 2", "open 1"))
    assert told(more_facts(details), "Unanswered") == "3 calls that no case of handle_call() takes: discount 2, open 1"
    assert not told(more_facts(Details(row=CONSUMER)), "Unanswered")
    machine = Row(key="door", pid="<0.4.0>", name="door", machine_state="locked")
    assert told(more_facts(Details(row=machine, unanswered=1)), "Unanswered") == "1 call that no case takes"


def test_what_is_to_be_said_of_a_group_is_said_in_full() -> None:
    row = Row(key="erl@x", kind="group", name="erl@x", machine_state="is down: net_tick_timeout")
    assert ("Note", [("is down: net_tick_timeout", tones.WARN)]) in facts(row, None, None, 0.0)
