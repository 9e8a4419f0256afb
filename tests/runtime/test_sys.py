"""System messages as their sender sees them. Their order and their replies, the conformance scenarios compare."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from runtime import Agent, CallError, Crash, GenServer, Supervisor, alive, call, monitor, receive, sys, which_children
from runtime.kernel.signals import Down
from tests.support.in_node import in_node


class Counter(GenServer):
    """Counts its calls."""

    def init(self, count: int = 0) -> None:
        self.count = count

    def handle_call(self, request: Any, caller: Any) -> Any:
        self.count += 1
        return self.count

    def format_status(self, state: dict[str, Any]) -> Any:
        if state["count"] > 100:
            raise RuntimeError("too many")
        return {"count": state["count"], "secret": "<hidden>"}


class Doubled(Counter):
    """The next version of the counter."""

    def code_change(self, old_version: Any, extra: Any) -> None:
        if extra == "refuse":
            raise RuntimeError("refused")
        self.count *= 2


@in_node
def test_wrong_arguments_are_refused_at_the_call() -> None:
    pid = GenServer.start_link()
    calls: list[tuple[Any, ...]] = [(sys.replace_state, 7), (sys.install, "key", 7, None)]
    for function, *arguments in calls:
        with pytest.raises(TypeError, match="takes a function, not 7"):
            function(pid, *arguments)
    calls = [(sys.install, [], print, None), (sys.remove, [])]
    for function, *arguments in calls:
        with pytest.raises(TypeError, match="takes a hashable key"):
            function(pid, *arguments)
    calls = [(sys.trace, "on"), (sys.log, "on"), (sys.statistics, "on"), (sys.log, True, 0), (sys.log, True, True)]
    for function, *arguments in calls:
        with pytest.raises(ValueError, match=f"{function.__name__}()"):
            function(pid, *arguments)
    with pytest.raises(TypeError, match="takes the class that the server becomes, not 7"):
        sys.change_code(pid, 7, None, None)  # type: ignore[arg-type]
    assert sys.get_state(pid) == {}


@in_node
def test_a_state_is_read_and_replaced_and_one_that_cannot_be_replaced_stays() -> None:
    pid = Counter.start_link(7)
    assert sys.get_state(pid) == {"count": 7}
    assert sys.replace_state(pid, lambda state: {"count": state["count"] + 1}) == {"count": 8}
    with pytest.raises(sys.SystemRequestError) as refused:
        sys.replace_state(pid, lambda state: {"count": state["no such key"]})
    failed, where, crash = refused.value.reason
    assert (failed, where) == ("callback_failed", ("gen_server", "system_replace_state"))
    assert crash == Crash("KeyError", "'no such key'")
    assert call(pid, "next") == 9


class Uncopied:
    def __deepcopy__(self, memo: Any) -> Any:
        raise SystemExit(3)


@in_node
def test_a_server_lives_on_whose_state_cannot_be_copied_whatever_that_raises() -> None:
    pid = Counter.start_link(Uncopied())
    assert pid is not None
    with pytest.raises(sys.SystemRequestError, match="SystemExit"):
        sys.get_state(pid)
    assert alive(pid)


@in_node
def test_a_state_is_shown_as_its_server_lets_it_be_shown() -> None:
    pid = Counter.start_link(7)
    assert sys.show_state(pid) == "{'count': 7, 'secret': '<hidden>'}"
    sys.replace_state(pid, lambda state: {"count": 101})
    with pytest.raises(sys.SystemRequestError, match="too many"):
        sys.show_state(pid)


@in_node
def test_a_suspended_server_answers_system_messages_alone_until_it_is_resumed() -> None:
    pid = Counter.start_link()
    for _ in range(2):
        sys.suspend(pid)
    status, who, _, (_, state, *_) = sys.get_status(pid)
    assert (status, who, state) == ("status", pid, "suspended")
    with pytest.raises(CallError, match="timeout"):
        call(pid, "next", timeout=1.0)
    sys.resume(pid)
    assert sys.get_status(pid)[3][1] == "running"
    assert call(pid, "next") == 2  # the call that had timed out was answered too


@in_node
def test_events_are_kept_counted_and_handed_to_functions_until_all_is_switched_off() -> None:
    pid = Counter.start_link()
    seen: list[object] = []

    def watch(left: int, event: object) -> object:
        seen.append(event)
        return left - 1 or "done"

    assert sys.statistics(pid, "get") == "no_statistics"
    sys.statistics(pid, True)
    sys.log(pid, True, keep=2)
    sys.install(pid, "watch", watch, 3)
    for _ in range(2):
        call(pid, "next")
    assert [event[0] for event in sys.get_log(pid)] == ["in", "out"]
    assert sys.get_log(pid)[-1][1] == 2
    assert len(seen) == 3
    counted = sys.statistics(pid, "get")
    assert (counted["messages_in"], counted["messages_out"]) == (2, 2)
    sys.no_debug(pid)
    call(pid, "next")
    assert sys.statistics(pid, "get") == "no_statistics"
    assert sys.get_log(pid) == []


@in_node
def test_an_installed_function_is_taken_out_again() -> None:
    pid = Counter.start_link()
    seen: list[object] = []
    sys.install(pid, "watch", lambda state, event: seen.append(event), None)
    sys.remove(pid, "watch")
    call(pid, "next")
    assert seen == []


@in_node
def test_an_installed_function_that_raises_is_dropped_whatever_it_raises() -> None:
    pid = Counter.start_link()
    calls: list[object] = []

    def leave(state: object, event: object) -> object:
        calls.append(event)
        raise SystemExit(3)

    sys.install(pid, "leave", leave, None)
    for _ in range(2):
        call(pid, "next")
    assert len(calls) == 1


def test_a_trace_is_logged_with_the_name_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    @in_node
    def look() -> None:
        Counter.start_link(name="counter")
        sys.trace("counter", True)
        call("counter", "next")
        sys.trace("counter", False)
        call("counter", "next")

    with caplog.at_level(logging.INFO, logger="runtime.sys"):
        look()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("*DBG* counter got call 'next' from <0.")


@in_node
def test_a_server_terminates_with_the_reason_that_it_is_given() -> None:
    pid = Counter.start()
    ref = monitor(pid)
    sys.terminate(pid, ("shutdown", "enough"))
    down = receive(Down)
    assert (down.ref, down.reason) == (ref, ("shutdown", "enough"))


@in_node
def test_a_suspended_server_becomes_another_class_and_keeps_its_own_when_that_fails() -> None:
    pid = Counter.start_link(4)
    with pytest.raises(sys.SystemRequestError, match="unknown_system_msg"):
        sys.change_code(pid, Doubled, None, None)
    sys.suspend(pid)
    with pytest.raises(sys.SystemRequestError, match="refused"):
        sys.change_code(pid, Doubled, None, "refuse")
    assert sys.get_state(pid) == {"count": 4}
    sys.change_code(pid, Doubled, None, None)
    sys.resume(pid)
    assert call(pid, "next") == 9


@in_node
def test_a_server_stays_of_its_kind() -> None:
    pid = Supervisor.start_link([])
    sys.suspend(pid)
    with pytest.raises(sys.SystemRequestError) as refused:
        sys.change_code(pid, Doubled, None, None)
    assert refused.value.reason == ("not_a_version_of", Supervisor, Doubled)
    with pytest.raises(sys.SystemRequestError, match="not_a_version_of"):
        sys.change_code(pid, dict, None, None)
    sys.resume(pid)
    assert which_children(pid) == []


@in_node
def test_an_agent_says_what_it_takes_to_change_its_value() -> None:
    pid = Agent.start_link(lambda: 1)
    sys.suspend(pid)
    with pytest.raises(sys.SystemRequestError, match=r"is \(function, \*arguments\) or None, not 7"):
        sys.change_code(pid, Agent, None, 7)
    sys.change_code(pid, Agent, None, None)
    sys.resume(pid)
    assert Agent.get(pid, lambda value: value) == 1


def test_events_are_written_to_a_file_until_it_cannot_be_written_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "folder" / "events"
    path.parent.mkdir()

    @in_node
    def write() -> None:
        Counter.start_link(name="counter", debug=[("log_to_file", path)])
        call("counter", "\N{SNOWMAN} \udc80")
        path.unlink()
        path.parent.rmdir()
        for _ in range(2):
            call("counter", "next")
        assert sys.get_status("counter")[3][3] == []
        with pytest.raises(sys.SystemRequestError, match=r"open_file.*No such file"):
            sys.log_to_file("counter", path)
        with pytest.raises(sys.SystemRequestError, match=r"open_file.*null byte"):
            sys.log_to_file("counter", "a\0b")
        with pytest.raises(OSError, match="No such file"):
            Counter.start_link(debug=[("log_to_file", path)])
        with pytest.raises(TypeError, match="a path, or False to stop, not True"):
            sys.log_to_file("counter", True)  # type: ignore[arg-type]

    write()
    assert len([record for record in caplog.records if "no longer logged to a file" in record.getMessage()]) == 1
