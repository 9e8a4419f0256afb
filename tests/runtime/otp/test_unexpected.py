"""What a server without a `handle_info` is sent."""

import logging
from typing import Any

import pytest

from runtime import (
    Agent,
    CallError,
    GenServer,
    GenStatem,
    Keep,
    Next,
    Pid,
    Postpone,
    Reply,
    Report,
    call,
    cast,
    process_info,
    send,
    spawn_task,
    sys,
)
from runtime.otp.unexpected import MAX_KINDS
from tests.support.in_node import in_node


class Deaf(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        return request


class Picky(GenServer):
    """Takes what it knows, and passes on what it does not."""

    def handle_info(self, message: Any) -> Any:
        if message != "known":
            super().handle_info(message)


def _reports(caplog: pytest.LogCaptureFixture) -> list[Report]:
    made = [record.__dict__["report"] for record in caplog.records if record.levelno == logging.ERROR]
    return [report for report in made if report.kind == "unexpected_message"]


def _counts(server: Pid | None) -> Any:
    return sys.get_status(server)[3][4]["unexpected_messages"]


def test_messages_of_one_kind_are_reported_once_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def send_them() -> None:
        server = Deaf.start(name="deaf")
        for number in range(3):
            send("deaf", ("tick", number))
        send("deaf", "tock")
        call("deaf", "done?")
        send("deaf", ("tick", 3))
        assert _counts(server) == {"tick": 4, "tock": 1}

    send_them()
    said = [tuple(r.fields[field] for field in ("name", "module", "message", "count")) for r in _reports(caplog)]
    assert said == [("deaf", "Deaf", ("tick", 0), 3), ("deaf", "Deaf", "tock", 1)]


def test_each_server_has_its_own_kinds(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def send_them() -> None:
        for server in (Deaf.start(), Deaf.start(), Picky.start()):
            send(server, "tick")
            send(server, "known")
            assert _counts(server)["tick"] == 1

    send_them()
    assert [report.fields["message"] for report in _reports(caplog)] == ["tick", "known"] * 2 + ["tick"]


def test_any_text_does_not_make_a_kind_of_its_own_without_end(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def send_them() -> None:
        server = Deaf.start()
        for number in range(1_000):
            send(server, f"text {number}")
        assert len(_counts(server)) == MAX_KINDS + 1
        assert sum(_counts(server).values()) == 1_000

    send_them()
    assert len(_reports(caplog)) == MAX_KINDS + 1


def test_a_server_that_was_sent_such_a_message_goes_on_as_before(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def send_it() -> None:
        server = Deaf.start()
        assert server is not None
        send(server, "tick")
        assert call(server, 1) == 1
        assert server.process is not None
        assert server.process.loop is None
        assert process_info(server, "message_queue_len") == {"message_queue_len": 0}

    send_it()


def test_an_agent_drops_messages_silently(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def send_it() -> None:
        agent = Agent.start_link(lambda: 1)
        send(agent, "tick")
        assert Agent.get(agent, lambda value: value) == 1

    send_it()
    assert not _reports(caplog)


class Till(GenServer):
    """Falls through for what it does not know."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case ("price", what):
                return len(what)


def test_a_call_that_no_case_takes_is_reported_once_a_kind_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def ask() -> None:
        till = Till.start(name="till")
        assert till is not None
        for request in (("price", "tea"), ("discount", 1), ("discount", 2)):
            call(till, request)
        *_, misc = sys.get_status(till)[3]
        assert misc["unanswered_requests"] == {"discount": 2}

    with caplog.at_level(logging.ERROR, "runtime"):
        ask()
    (report,) = [record.__dict__["report"] for record in caplog.records]
    assert report.kind == "unanswered_request"
    assert (report.fields["name"], report.fields["request"]) == ("till", ("discount", 1))
    assert "case _: return super().handle_call(request, caller)" in report.fields["advice"]


class Door(GenStatem):
    """Falls through for what it does not know, in one state; the other answers, or postpones."""

    def init(self) -> Any:
        return "shut"

    def shut(self, kind: Any, event: Any) -> Any:
        match kind, event:
            case "call", "later":
                return Keep(Postpone())
            case "cast", "open":
                return Next("opened")

    def opened(self, kind: Any, event: Any) -> Any:
        if kind == "call":
            return Keep(Reply(self.caller, event))
        return None


def test_a_call_that_no_case_of_a_state_takes_is_reported_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def ask() -> None:
        door = Door.start(name="door")
        spawn_task(call, "door", "later")
        for number in range(2):
            with pytest.raises(CallError, match="timeout"):
                call("door", ("knock", number), timeout=0.1)
        cast("door", "open")
        assert call("door", "hello") == "hello"
        *_, misc = sys.get_status(door)[3]
        assert misc["unanswered_requests"] == {"knock": 2}

    with caplog.at_level(logging.ERROR, "runtime"):
        ask()
    (report,) = [record.__dict__["report"] for record in caplog.records]
    assert (report.kind, report.fields["request"]) == ("unanswered_request", ("knock", 0))
    assert "its caller waits in vain" in report.fields["advice"]
