"""Calls: what is refused at the call, and which replies count. The conformance scenarios show the rest."""

from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    Agent,
    CallError,
    From,
    GenServer,
    Pid,
    Reply,
    Stop,
    await_exit,
    call,
    cast,
    exit,
    flag,
    flush,
    process_info,
    receive,
    reply,
    run,
    self_,
    sleep,
    spawn,
    stop,
    sys,
    timer,
)
from tests.support.in_node import in_node
from tests.support.outside import in_greenlet, in_thread


class Dying(GenServer):
    """Is killed while it answers, and answers all the same."""

    def handle_call(self, request: Any, caller: From) -> Any:
        match request:
            case "swallow":
                self.swallow()
                return "from the grave"
            case "swallow, with more":
                self.swallow()
                return Reply("from the grave")
            case "finally":
                try:
                    self.swallow()
                finally:
                    reply(caller, "from the grave")
            case "terminate":
                return Stop("boom", reply="from the grave")
        return None

    def swallow(self) -> None:
        try:
            exit(self_(), "kill")
            sleep(1.0)
        except BaseException:
            pass

    def terminate(self, reason: Any) -> None:
        self.swallow()


@pytest.mark.parametrize("request_", ["swallow", "swallow, with more", "finally", "terminate"])
@in_node
def test_the_reply_of_a_server_that_was_killed_does_not_count(request_: str) -> None:
    server = Dying.start()
    with pytest.raises(CallError) as caught:
        call(server, request_)
    assert caught.value.reason == "killed"


class Slow(GenServer):
    def handle_call(self, request: float, caller: From) -> str:
        sleep(request)
        return "late"


def _after_a_while(value: int) -> int:
    sleep(100.0)
    return value


@pytest.mark.parametrize("no_limit", [None, "infinity", 10**400])
@in_node
def test_none_and_infinity_mean_no_limit(no_limit: Any) -> None:
    server = Slow.start_link(timeout=no_limit)
    assert server is not None
    assert call(server, 1_000.0, no_limit) == "late"
    assert sys.get_state(server, no_limit) == {}
    agent = Agent.start_link(lambda: 1, timeout=no_limit)
    assert Agent.get(agent, _after_a_while, timeout=no_limit) == 1
    Agent.stop(agent, "normal", no_limit)
    stop(server, "normal", no_limit)


@pytest.mark.parametrize("wrong", ["soon", True, -1, float("nan"), []])
@in_node
def test_a_time_that_is_none_is_refused_at_the_call(wrong: Any) -> None:
    server = Slow.start_link()
    assert server is not None
    agent = Agent.start_link(lambda: 1)
    for ask in (
        lambda: call(server, 0.0, wrong),
        lambda: stop(server, "normal", wrong),
        lambda: sys.get_state(server, wrong),
        lambda: Agent.get(agent, abs, timeout=wrong),
        lambda: Slow.start(timeout=wrong),
        lambda: Slow.start_link(timeout=wrong),
    ):
        with pytest.raises((TypeError, ValueError), match="timeout must be"):
            ask()
    assert call(server, 0.0) == "late"
    assert _info(server, "messages_in") == 1


@in_node
def test_what_is_no_destination_is_refused_at_the_call() -> None:
    for ask in (lambda: call(7, "x"), lambda: cast(7, "x"), lambda: stop(7)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="7 is no destination"):
            ask()
    with pytest.raises(TypeError, match=r"reply\(\) takes the caller that handle_call\(\) got, not 7"):
        reply(7, "x")  # type: ignore[arg-type]


@in_node
def test_a_call_leaves_nothing_behind_in_the_server_however_it_ends() -> None:
    server = Slow.start()
    assert server is not None
    call(server, 0.0)
    with pytest.raises(CallError):
        call(server, 1.0, 0.5)
    caller = spawn(call, server, 1.0)
    sleep(0.1)
    exit(caller, "kill")
    sleep(5.0)
    assert _info(server, "monitored_by") == []
    assert server.process is not None
    assert not server.process.watchers


def reply_twice(caller: From) -> None:
    reply(caller, "first")
    reply(caller, "second")


@in_node
def test_a_reply_that_another_process_gives_counts_once() -> None:
    class Deferring(GenServer):
        def handle_call(self, request: Any, caller: From) -> Any:
            spawn(reply_twice, caller)
            sleep(0.1)
            return "third"

    flag(trap_exit=True)
    server = Deferring.start_link()
    assert call(server, "x") == "first"


def _info(pid: Pid, item: str) -> Any:
    info = process_info(pid, item)
    assert info is not None
    return info[item]


@in_node
def test_the_end_of_a_process_is_waited_for() -> None:
    ends = spawn(lambda: exit(["why"]))
    assert await_exit(ends) == ["why"]
    assert await_exit(ends) == "noproc"
    assert await_exit("no such name") == "noproc"
    lives = spawn(receive, name="lives")
    with pytest.raises(CallError, match="timeout") as caught:
        await_exit(lives, timeout=1.0)
    assert caught.value.reason == "timeout"
    assert process_info(lives, "monitored_by") == {"monitored_by": []}
    timer.kill_after(lives, 1.0)
    assert await_exit("lives", "infinity") == "killed"
    with pytest.raises(CallError, match="calling_self"):
        await_exit(self_())
    with pytest.raises(ValueError, match="timeout"):
        await_exit(lives, -1)
    assert flush() == []


@pytest.mark.parametrize("outside", [in_greenlet, in_thread])
def test_the_end_of_a_process_is_waited_for_outside_any(outside: Callable[[Callable[[], Any]], Any]) -> None:
    def main() -> None:
        pid = spawn(sleep, 0.05)
        assert outside(lambda: await_exit(pid, 5.0)) == "normal"
        assert outside(lambda: await_exit(pid)) == "noproc"
        lives = spawn(receive)
        with pytest.raises(CallError, match="timeout"):
            outside(lambda: await_exit(lives, 0.01))

    run(main)


class Ends:
    """Ends a process when it is copied, as it travels."""

    def __init__(self, pid: Pid) -> None:
        self.pid = pid

    def __deepcopy__(self, memo: object) -> "Ends":
        exit(self.pid, "kill")
        return self


@in_node
def test_a_call_whose_server_dies_while_the_request_is_copied_fails() -> None:
    server = Dying.start()
    assert server is not None
    with pytest.raises(CallError) as caught:
        call(server, Ends(server))
    assert caught.value.reason == "noproc"
