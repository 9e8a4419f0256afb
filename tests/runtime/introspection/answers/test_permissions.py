"""What observers are not shown where that was switched off."""

from __future__ import annotations

from runtime import dictionary, exit, receive, self_, send, send_after, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.events.event_log import EventLog
from runtime.kernel.instrument import install_instrument, remove_instrument
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.trees import Observer


def _keep_a_secret() -> None:
    dictionary()["token"] = "swordfish"
    send(self_(), "swordfish")
    send_after(self_(), ("password", "swordfish"), 100)
    receive("never")


def _seen_of(pid: Pid, state: bool) -> list[str]:
    observer = Observer(permissions=Permissions(state=state))
    return [
        str(observer.ask(wire.GetProcess(pid=str(pid)))),
        str(observer.ask(wire.GetNames())),
        str(observer.ask(wire.GetNames(filter="swordfish"))),
    ]


@in_node
def test_messages_dictionaries_and_timers_are_shown() -> None:
    pid = spawn(_keep_a_secret)
    sleep(0.01)
    details, names, found = _seen_of(pid, state=True)
    assert details.count("swordfish") == 2
    assert "swordfish" in names
    assert "timers_total=1" in found


@in_node
def test_without_state_neither_messages_nor_dictionaries_nor_timers_are_shown_or_found() -> None:
    pid = spawn(_keep_a_secret)
    sleep(0.01)
    details, names, found = _seen_of(pid, state=False)
    assert "swordfish" not in details + names + found
    assert "timers_total=1" in names
    assert wire.NOT_SHOWN in names
    assert "timers_total=0" in found


@in_node
def test_events_show_no_text_of_exceptions_and_reasons_where_that_is_switched_off() -> None:
    log = EventLog(this_node(), exception_texts=False)
    install_instrument(log)
    observer = Observer(log, Permissions(exception_texts=False))

    def fail() -> None:
        raise ValueError("swordfish")

    spawn(fail)
    spawn(lambda: exit("swordfish"))
    sleep(0.01)
    remove_instrument(log)
    reasons = [event.reason for event in observer.events() if event.kind == "exit"]
    assert reasons == ["ValueError", wire.NOT_SHOWN]
    assert "swordfish" not in str(observer.events()).replace(__file__, "").replace('raise ValueError("swordfish")', "")
