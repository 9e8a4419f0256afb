"""What servers say of their states, and why some say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import GenServer, cast, exit, receive, send, sleep, spawn
from runtime.introspection.answers import server_states
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer


class Counter(GenServer):
    """Has a state, and may be busy."""

    def init(self, count: int = 0) -> None:
        self.count = count

    def handle_cast(self, message: Any) -> None:
        receive("go on")

    def format_status(self, state: dict[str, Any]) -> Any:
        if state["count"] < 0:
            raise ValueError("negative")
        return state


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_states, "TIMEOUT", 60.0)  # that of a busy machine, where no server is


def _state(observer: Observer, pid: Pid | None) -> tuple[str | None, str]:
    assert pid is not None
    process = pid.process
    assert process is not None
    state: tuple[str | None, str] = in_thread(lambda: observer.node.server_states.of(process))
    return state


@in_node
def test_a_server_says_its_state_and_what_is_no_server_has_none_to_say() -> None:
    observer = Observer()
    assert _state(observer, Counter.start_link(7)) == ("{'count': 7}", "")
    state, why = _state(observer, spawn(receive))
    assert state is None
    assert why == "It is not a server: it keeps its state in the variables of its functions."


@in_node
def test_a_state_that_cannot_be_shown_is_said_with_why() -> None:
    state, why = _state(Observer(), Counter.start_link(-1))
    assert state is None
    assert why.startswith("Its format_status() failed: ")
    assert "negative" in why


@in_node
def test_a_busy_server_is_asked_once_and_says_its_state_later(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer()
    server = Counter.start_link(7)
    cast(server, "wait")
    sleep(0)
    limit, why = 0.025, "The hub"
    while why.startswith("The hub"):  # a busy machine takes longer to ask
        limit *= 2
        monkeypatch.setattr(server_states, "TIMEOUT", limit)
        _, why = _state(observer, server)
    for _ in range(2):
        assert _state(observer, server) == (None, why)
    assert why == f"It is busy and has not said its state within {limit:g} second."
    assert server is not None
    assert server.process is not None
    assert len(server.process.mailbox or ()) + len(server.process.saved or ()) == 1
    monkeypatch.setattr(server_states, "TIMEOUT", 60.0)
    send(server, "go on")
    sleep(0.01)
    assert _state(observer, server) == ("{'count': 7}", "")


@in_node
def test_a_server_that_ends_before_it_has_said_its_state_is_said_to_have() -> None:
    observer = Observer()
    server = Counter.start(7)
    cast(server, "wait")
    sleep(0)
    process = server.process if server is not None else None
    assert process is not None
    exit(server, "kill")
    state: tuple[str | None, str] = in_thread(lambda: observer.node.server_states.of(process))
    assert state == (None, "It did not say its state: noproc.")
