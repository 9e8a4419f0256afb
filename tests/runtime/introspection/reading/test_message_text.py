from __future__ import annotations

from typing import Any

import pytest

from runtime import GenServer, call, cast, send, sleep, spawn, suspend
from runtime.introspection.reading.message_text import message_text
from runtime.introspection.threads.racy_read import messages
from runtime.otp.calls import CALL, CAST
from tests.support.in_node import in_node


@in_node
def test_what_waits_for_a_server_is_shown_as_what_it_is() -> None:
    server = GenServer.start()
    assert server is not None
    assert server.process is not None
    suspend(server)
    cast(server, "x")
    send(server, ("plain", 1))
    caller = spawn(lambda: call(server, ("get", 1), timeout=1.0))
    sleep(0.1)
    texts = [message_text(message) for message in messages(server.process, 10)]
    assert texts == ["cast: 'x'", "('plain', 1)", f"call from {caller}: ('get', 1)"]


class Untold(list[int]):
    """Fails when it is asked for anything."""

    def __len__(self) -> int:
        raise LookupError

    def __getitem__(self, index: Any) -> Any:
        raise LookupError


class Unsaid:
    @property  # type: ignore[misc]  # what it lies about
    def __class__(self) -> type:
        raise LookupError


@pytest.mark.parametrize("message", [Untold([1, 2]), (1, Unsaid(), 2), (CALL, Unsaid(), 2), (CAST, Untold(), 2)])
def test_no_message_is_asked_what_it_is(message: Any) -> None:
    assert message_text(message)
