"""Group G, our own: requests and what answers them. The BEAM's side is `beam/gen_server_cases.erl`."""

from typing import Any

from runtime import (
    call,
    cast,
    check_response,
    flush,
    receive,
    receive_response,
    send_request,
    wait_response,
)
from tests.conformance.actors import Srv
from tests.conformance.harness import (
    Log,
    attempt,
    settle,
)
from tests.conformance.scenarios.own_gen_server import Setting


def g65_requests(log: Log) -> None:
    srv = Srv.start("srv", name="g65")
    request = send_request(srv, "ping")
    log("another_message", check_response("something_else", request))
    log("its_reply", check_response(receive(timeout=5), request))
    log("by_name", receive_response(send_request("g65", "get"), timeout=5))
    other = Srv.start("other")
    slow = send_request(srv, ("sleep", 0.06, "slow"))
    quick = send_request(other, "ping")
    log("quick", receive_response(quick, timeout=5))
    log("slow", wait_response(slow, timeout=5))
    last = send_request(other, ("stop", "normal", "farewell"))
    log("reply_of_one_that_stops", receive_response(last, timeout=5))
    abandoned = send_request(srv, "never_answered")
    log("abandoned", receive_response(abandoned, timeout=0.02))
    log("a_second_time", receive_response(abandoned, timeout=0.02))
    kept = send_request(srv, "never_answered")
    log("kept", wait_response(kept, timeout=0.02))
    cast(srv, ("stop", "boom"))
    log("then_it_died", wait_response(kept, timeout=5))
    settle()
    log("mailbox", flush())


def g66_any_value_is_a_reply(log: Log) -> None:
    srv = Setting.start("srv")
    values: list[Any] = [None, False, [], "ok", ("reply", "x"), ("error", "x"), "timeout", {"a": 1}]
    for value in values:
        log("was", call(srv, ("set", value)))
        log("reply", call(srv, "get"))
    log(attempt(call, srv, ("stop", "normal", None)))
