"""Requests: what is refused at the call, and what is left behind. What they bring, the conformance scenarios show."""

from typing import Any

import pytest

from runtime import (
    GenServer,
    check_response,
    exit,
    flush,
    receive,
    receive_response,
    reqids_add,
    reqids_new,
    reqids_size,
    reqids_to_list,
    send_request,
    sleep,
    spawn,
    wait_response,
)
from tests.support.in_node import in_node


class Echo(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        sleep(1.0)
        return request


@in_node
def test_replies_are_received_in_any_order() -> None:
    server = Echo.start_link()
    first, second = send_request(server, 1), send_request(server, 2)
    assert receive_response(second) == ("reply", 2)
    assert receive_response(first, "infinity") == ("reply", 1)


@in_node
def test_a_request_that_is_given_up_drops_its_late_reply() -> None:
    server = Echo.start_link()
    request = send_request(server, 1)
    assert wait_response(request, 0.5) == "timeout"
    assert receive_response(request, 0.25) == "timeout"
    sleep(5.0)
    assert flush() == []


@in_node
def test_a_reply_that_was_received_already_is_recognized() -> None:
    server = Echo.start_link()
    request, other = send_request(server, 1), send_request("nowhere", 2)
    message = receive()
    assert check_response(message, request) == "no_reply"
    assert check_response(message, other) == ("error", ("noproc", "nowhere"))
    assert check_response("something else", request) == "no_reply"
    assert check_response(receive(), request) == ("reply", 1)


@in_node
def test_the_request_of_a_process_that_died_leaves_nothing_behind() -> None:
    server = Echo.start_link()
    assert server is not None
    assert server.process is not None
    client = spawn(lambda: (send_request(server, 1), receive()))
    sleep(0.5)
    exit(client, "kill")
    sleep(5.0)
    assert not server.process.watchers


@in_node
def test_wrong_arguments_are_refused_at_the_call() -> None:
    request = send_request("nowhere", 1)
    assert repr(request) == f"Request({request.pid}, {request.ref})"
    for receive_it in (receive_response, wait_response):
        with pytest.raises(TypeError, match="timeout must be a number of seconds"):
            receive_it(request, "soon")  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="a request that send_request"):
            receive_it(7)  # type: ignore[call-overload]
    assert receive_response(request) == ("error", ("noproc", "nowhere"))


@in_node
def test_a_collection_does_not_change() -> None:
    server = Echo.start_link()
    empty = reqids_new()
    one = send_request(server, 1, "one", empty)
    two = send_request(server, 2, "two", one)
    assert [reqids_size(c) for c in (empty, one, two)] == [0, 1, 2]
    assert [label for _, label in reqids_to_list(two)] == ["one", "two"]
    assert receive_response(two, 5.0, delete=False) == (("reply", 1), "one", two)
    outcome = wait_response(two, 5.0)
    assert not isinstance(outcome, str)
    assert outcome[:2] == (("reply", 2), "two")
    assert [label for _, label in reqids_to_list(outcome[2])] == ["one"]


@in_node
def test_what_is_no_collection_or_is_in_it_already_is_refused() -> None:
    request = send_request(Echo.start_link(), 1)
    wrong: Any = {"a": 1}
    for use in (
        reqids_size,
        reqids_to_list,
        lambda c: reqids_add(request, "l", c),
        lambda c: send_request("x", 1, 2, c),
    ):
        with pytest.raises(TypeError, match="takes a collection that reqids_new"):
            use(wrong)
    with pytest.raises(TypeError, match="takes a request"):
        reqids_add(wrong, "l", reqids_new())
    with pytest.raises(ValueError, match="in the collection already"):
        reqids_add(request, "m", reqids_add(request, "l", reqids_new()))
