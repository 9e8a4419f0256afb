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
    for receive_it in (receive_response, wait_response):
        with pytest.raises(TypeError, match="timeout must be a number of seconds"):
            receive_it(request, "soon")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a request that send_request"):
            receive_it(7)  # type: ignore[arg-type]
    assert receive_response(request) == ("error", ("noproc", "nowhere"))
