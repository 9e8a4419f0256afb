"""What is shown of an event: bounded in size and time, and nothing that is withheld."""

from __future__ import annotations

import os

from runtime import receive, self_, spawn
from runtime.introspection import wire
from runtime.introspection.reading.own_line import NOWHERE, OwnLine
from runtime.introspection.tracing import noted
from runtime.introspection.tracing.noted import LONGEST, Noted, Shown
from tests.support.in_node import in_node


def test_a_message_is_text_of_a_bounded_length() -> None:
    shown = Shown(state=True, exception_texts=True)
    assert shown.text(("get", 17)) == "('get', 17)"
    assert len(shown.text("x" * 10_000)) <= LONGEST
    assert (shown.kind_of(("get", 17)), shown.kind_of("get"), shown.kind_of(5)) == ("get", "get", "int")


def test_when_the_time_for_texts_is_used_up_a_message_is_called_by_its_type_until_the_next_second() -> None:
    shown = Shown(state=True, exception_texts=True)
    shown._left = 0.0
    assert shown.text({"a": 1}) == "<dict>"
    shown.new_second()
    assert shown.text({"a": 1}) == "{'a': 1}"
    assert shown._left < noted.BUDGET


def test_a_node_that_withholds_its_messages_shows_neither_them_nor_their_kinds() -> None:
    shown = Shown(state=False, exception_texts=True)
    assert shown.text("swordfish") == wire.NOT_SHOWN
    assert shown.kind_of("swordfish") == ""


@in_node
def test_an_event_names_its_processes_and_its_line() -> None:
    friend = spawn(receive, name="friend")
    assert friend.process is not None
    code = test_an_event_names_its_processes_and_its_line.__code__
    shown = Shown(state=True, exception_texts=True)
    event = shown.event(
        Noted(1, 2.0, "message", self_(), friend.process, "hi", "hi", None, None, OwnLine(code, code.co_firstlineno))
    )
    assert event.target == wire.Related(pid=str(friend), name="friend")
    assert event.source is not None
    assert event.at is not None
    assert event.at.file == code.co_filename
    assert event.at.function == code.co_name


@in_node
def test_a_dead_process_keeps_its_name() -> None:
    friend = spawn(receive, name="friend")
    shown = Shown(state=True, exception_texts=True)
    assert friend.process is not None
    shown.remember(friend.process)
    event = shown.event(Noted(1, 2.0, "exit", friend, None, "normal", "", None, None, NOWHERE))
    assert event.source == wire.Related(pid=str(friend), name="friend")
    assert event.at is None


def test_a_file_whose_name_no_text_can_hold_is_sent_all_the_same() -> None:
    odd = compile("x = 1", os.fsdecode(b"caf\xe9.py"), "exec")
    event = Shown(True, True).event(Noted(1, 2.0, "message", None, None, "\ud800", "", None, None, OwnLine(odd, 1)))
    assert wire.frame(wire.TraceState(events=(event,)))
