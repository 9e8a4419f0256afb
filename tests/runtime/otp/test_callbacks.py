"""What a server does with what it does not know. How such a server ends, a conformance scenario shows."""

from typing import Any

import pytest

from runtime import CallError, Continue, GenServer, call, cast, monitor, receive
from tests.support.in_node import in_node


class Bare(GenServer):
    def init(self, goes_on: bool = False) -> Any:
        return Continue("more") if goes_on else None


class Knowing(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "known":
                return "yes"
            case _:
                return super().handle_call(request, caller)

    def handle_cast(self, message: Any) -> Any:
        match message:
            case _:
                super().handle_cast(message)


@in_node
def test_a_request_that_no_case_fits_ends_the_server_and_says_so() -> None:
    for server, message in (
        (Knowing.start(), "Knowing.handle_call() does not know the request ('get', 1)"),
        (Bare.start(), "Bare has no handle_call(); it got the request ('get', 1)"),
    ):
        with pytest.raises(CallError) as caught:
            call(server, ("get", 1))
        assert caught.value.reason.message == message
    assert call(Knowing.start(), "known") == "yes"


@in_node
def test_a_cast_and_a_continuation_that_no_case_fits_end_the_server_and_say_so() -> None:
    for server, message in (
        (Knowing.start(), "Knowing.handle_cast() does not know the message 'go'"),
        (Bare.start(), "Bare has no handle_cast(); it got the message 'go'"),
    ):
        monitor(server)
        cast(server, "go")
        assert receive().reason.message == message
    monitor(Bare.start(True))
    assert receive().reason.message == "Bare has no handle_continue(); it got the term 'more'"


@in_node
def test_a_request_that_cannot_be_shown_ends_the_server_all_the_same() -> None:
    class Unshowable:
        def __repr__(self) -> str:
            raise ValueError("no text")

    with pytest.raises(CallError) as caught:
        call(Bare.start(), Unshowable())
    assert "has no handle_call(); it got the request <Unshowable whose" in caught.value.reason.message
