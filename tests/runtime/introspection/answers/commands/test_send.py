"""`Send`: plain messages, casts and calls."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import GenServer, Stop, receive, self_, send, spawn, sys
from runtime.introspection import wire
from runtime.introspection.answers.commands import send as sending
from runtime.introspection.answers.observed_node import Permissions
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer


class Shop(GenServer):
    """Answers, keeps silent, or fails."""

    def init(self) -> None:
        self.heard: list[Any] = []

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "wait":
                receive("never")
            case "fail":
                return Stop(("no", "disk"))
        return ("ok", request)

    def handle_cast(self, message: Any) -> None:
        self.heard.append(("cast", message))

    def handle_info(self, message: Any) -> None:
        self.heard.append(("info", message))


def _ask(observer: Observer, pid: object, message: str, via: str) -> Any:
    return in_thread(lambda: observer.ask(wire.Send(pid=str(pid), message=message, via=via)))  # type: ignore[arg-type]


@in_node
def test_a_message_and_a_cast_arrive_as_what_they_are() -> None:
    observer = Observer()
    shop = Shop.start_link()
    assert shop is not None
    assert _ask(observer, shop, "('price', 7)", "send").sentence == f"Sent it to {shop}."
    _ask(observer, shop, "'close'", "cast")
    assert sys.get_state(shop)["heard"] == [("info", ("price", 7)), ("cast", "close")]
    assert [event.message for event in observer.events()] == [
        "sent ('price', 7) by send to test_send.Shop",
        "sent 'close' by cast to test_send.Shop",
    ]


@in_node
def test_a_call_is_answered_with_its_reply() -> None:
    observer = Observer()
    shop = Shop.start_link()
    done = _ask(observer, shop, "'price'", "call")
    assert (done.sentence, done.value) == (f"{shop} replied.", "('ok', 'price')")
    assert done.event == observer.events()[-1].id


@in_node
def test_a_call_without_a_reply_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "CALL_TIMEOUT", 0.5)
    observer = Observer()
    shop = Shop.start()
    answer = _ask(observer, shop, "'wait'", "call")
    assert answer == wire.Failed(why=f"{shop} did not reply within 0.5 seconds.", kind="timeout")
    monkeypatch.setattr(sending, "CALL_TIMEOUT", 60.0)
    broken = Shop.start()
    answer = _ask(observer, broken, "'fail'", "call")
    assert isinstance(answer, wire.Failed)
    assert answer.why == f"{broken} did not reply: (no, disk)."


@in_node
def test_messages_are_logged_without_their_text_where_states_are_not_shown() -> None:
    observer = Observer(permissions=Permissions(state=False))
    shop = Shop.start_link()
    _ask(observer, shop, "'swordfish'", "cast")
    assert "swordfish" not in str(observer.events())
    assert "a message" in str(observer.events())


@in_node
def test_a_reply_that_is_long_is_cut() -> None:
    def answer() -> None:
        _, caller, _ = receive()
        caller.settle("x" * 100_000)

    pid: Pid = spawn(answer)
    done = _ask(Observer(), pid, "'hello'", "call")
    assert done.sentence == f"{pid} replied."
    assert len(done.value) <= sending.MAX_REPLY_TEXT
    send(self_(), "over")
