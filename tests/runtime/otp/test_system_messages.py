"""What a server does with system messages."""

import logging
import sys as stdlib_sys
from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    ANY,
    Crash,
    Down,
    GenServer,
    Registry,
    alive,
    call,
    cast,
    exit,
    monitor,
    receive,
    reply,
    self_,
    sleep,
    spawn,
    sys,
)
from runtime.sys import SystemRequestError
from tests.support.in_node import in_node


class Old(GenServer):
    def init(self) -> None:
        self.seen: list[Any] = [1]
        self.inner: dict[str, list[Any]] = {"deep": [1]}

    def handle_call(self, request: Any, caller: Any) -> Any:
        if request == "later":
            spawn(reply, caller, "now")
        return self.seen

    def handle_cast(self, message: Any) -> None:
        self.seen.append(message)

    def handle_info(self, message: Any) -> None:
        self.seen.append(message)


class Failing(Old):
    def code_change(self, old_version: Any, extra: Any) -> None:
        self.seen.append("changed")
        self.inner["deep"].append("changed")
        self.added = True
        del self.inner
        if extra == "exit":
            exit("not this one")
        if extra == "interrupt":
            raise KeyboardInterrupt
        raise ValueError("half done")


@pytest.mark.parametrize("way", ["raise", "exit", "interrupt"])
@in_node
def test_a_code_change_that_fails_leaves_the_old_state_whole(way: str) -> None:
    server = Old.start_link()
    assert server is not None
    sys.suspend(server)
    with pytest.raises(SystemRequestError) as caught:
        sys.change_code(server, Failing, 1, way)
    error = {
        "raise": Crash("ValueError", "half done"),
        "exit": "not this one",
        "interrupt": Crash("KeyboardInterrupt", ""),
    }
    assert caught.value.reason == ("EXIT", error[way])
    assert sys.get_state(server) == {"seen": [1], "inner": {"deep": [1]}}
    assert sys.get_status(server)[2] == "Old"
    sys.resume(server)
    assert call(server, "seen") == [1]


@in_node
def test_a_system_request_whose_function_exits_leaves_the_server_as_it_was() -> None:
    class Shy(Old):
        def format_status(self, state: dict[str, Any]) -> Any:
            exit("not shown")

    server = Shy.start_link()
    ways: list[Callable[[Any], Any]] = [lambda state: exit("no"), lambda state: stdlib_sys.exit("no")]
    for way in ways:
        with pytest.raises(SystemRequestError) as caught:
            sys.replace_state(server, way)
        failed, _, reason = caught.value.reason
        assert (failed, reason) in (("callback_failed", "no"), ("callback_failed", Crash("SystemExit", "no")))
    with pytest.raises(SystemRequestError) as caught:
        sys.get_status(server)
    assert caught.value.reason == "not shown"
    assert call(server, "seen") == [1]


@in_node
def test_one_that_is_killed_in_a_system_request_ends() -> None:
    server = Old.start()
    ref = monitor(server)

    def kill(state: Any) -> Any:
        exit(server, "kill")

    caller = spawn(sys.replace_state, server, kill)
    assert receive(Down(ref, ANY, ANY)).reason == "killed"
    sleep(0.1)
    assert not alive(caller)


@in_node
def test_a_class_that_the_server_cannot_become_leaves_it_as_it_was() -> None:
    server = Old.start_link()
    sys.suspend(server)
    with pytest.raises(SystemRequestError):
        sys.change_code(server, dict, 1, None)
    with pytest.raises(TypeError, match="takes the class that the server becomes, not 'Old'"):
        sys.change_code(server, "Old", 1, None)  # type: ignore[arg-type]
    assert sys.get_status(server)[2] == "Old"


@in_node
def test_a_running_server_does_not_know_the_request_to_change_its_code() -> None:
    server = Old.start_link()
    with pytest.raises(SystemRequestError) as caught:
        sys.change_code(server, Failing, 1, "extra")
    assert caught.value.reason == ("unknown_system_msg", ("change_code", Failing, 1, "extra"))


def test_each_line_of_a_trace_says_which_server_it_is_about(caplog: pytest.LogCaptureFixture) -> None:
    pids: list[Any] = []

    @in_node
    def trace_two() -> None:
        Registry.start_link("unique", name="names")
        one, two, three = Old.start_link(name="one"), Old.start_link(), Old.start_link(name=("via", "names", 3))
        pids.extend((two, self_()))
        for server in (one, two, three):
            sys.trace(server, True)
        cast("one", "hello")
        call(two, "seen")
        cast(three, "hello")
        for server in (one, two, three):
            sys.trace(server, False)

    with caplog.at_level(logging.INFO, "runtime.sys"):
        trace_two()
    two, me = pids
    lines = [record.getMessage() for record in caplog.records if record.name == "runtime.sys"]
    assert [line for line in lines if "one" in line] == ["*DBG* one got cast 'hello'", "*DBG* one did not reply"]
    assert [line for line in lines if f"*DBG* {two}" in line] == [
        f"*DBG* {two} got call 'seen' from {me}",
        f"*DBG* {two} sent [1] to {me}",
    ]
    assert "*DBG* (via, names, 3) got cast 'hello'" in lines


@in_node
def test_a_key_that_cannot_be_one_is_refused_at_the_call() -> None:
    server = Old.start_link()
    with pytest.raises(TypeError, match=r"install\(\) takes a hashable key"):
        sys.install(server, [1], lambda state, event: state, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"remove\(\) takes a hashable key"):
        sys.remove(server, [1])  # type: ignore[arg-type]
