"""Group G, our own: requests that a server does not know. The BEAM's side is `beam/unknown_requests.exs`."""

from typing import Any

import pytest

from runtime import CallError, Crash, From, GenServer, Pid, alive, call, cast, send
from tests.conformance.harness import Log, answer, down_after
from tests.conformance.scenarios.elixir import started_pid


class Knowing(GenServer):
    def handle_call(self, request: Any, caller: From) -> Any:
        match request:
            case "known":
                return "yes"
            case _:
                return super().handle_call(request, caller)

    def handle_cast(self, message: Any) -> Any:
        if message != "known":
            super().handle_cast(message)

    def handle_info(self, message: Any) -> Any:
        if message != "known":
            super().handle_info(message)


def g68_unknown_requests(log: Log) -> None:
    def begin() -> Pid:
        return log.bind("server", started_pid(Knowing.start()))

    server = begin()
    log("known", call(server, "known"), answer(cast, server, "known"), send(server, "known"))
    with pytest.raises(CallError) as caught:
        call(server, "unknown")
    assert isinstance(caught.value.reason, Crash)
    log("call", "fails_with_the_servers_error", alive(server))
    server = begin()
    assert isinstance(down_after(server, lambda: cast(server, "unknown")), Crash)
    log("cast", "ends_the_server", alive(server))
    server = begin()
    send(server, "unknown")
    log("info", "is_dropped", call(server, "known"))
