"""GenServer: starting, naming and stopping servers. What their callbacks do, the conformance scenarios show."""

import time
from typing import Any

import pytest

from runtime import (
    IGNORE,
    AlreadyRegisteredError,
    CallError,
    ChildSpec,
    Down,
    GenServer,
    Registry,
    SpecError,
    StartError,
    Supervisor,
    Timeout,
    alive,
    call,
    flag,
    flush,
    get_callback_module,
    process_info,
    processes,
    receive,
    run,
    self_,
    sleep,
    stop,
    sys,
    whereis,
)
from runtime.kernel.node import this_node
from runtime.kernel.process import Process
from tests.support.in_node import in_node


class Counter(GenServer):
    def init(self, start: Any = 0, step: int = 1) -> Any:
        if start is None:
            return IGNORE
        self.count, self.step = start + 0, step
        return None

    def handle_call(self, request: Any, caller: Any) -> int:
        self.count += self.step
        return int(self.count)


@in_node
def test_a_server_keeps_its_state_between_calls() -> None:
    server = Counter.start_link(1, step=2)
    assert [call(server, "next"), call(server, "next")] == [3, 5]


@in_node
def test_a_start_that_does_not_succeed_leaves_no_process_and_no_name() -> None:
    flag(trap_exit=True)
    before = len(processes())
    assert Counter.start_link(None, name="counter") is None
    with pytest.raises(StartError) as caught:
        Counter.start_link("x", name="counter")
    assert caught.value.reason.exception == "TypeError"
    assert (whereis("counter"), len(processes())) == (None, before)


@in_node
def test_a_start_that_takes_too_long_is_given_up() -> None:
    class Slow(GenServer):
        def init(self) -> None:
            sleep(5.0)

    before = len(processes())
    with pytest.raises(StartError, match="timeout"):
        Slow.start_link(name="slow", timeout=1.0)
    assert (whereis("slow"), len(processes())) == (None, before)


@in_node
def test_a_name_is_taken_once() -> None:
    Registry.start_link("unique", name="names")
    for name in ("counter", ("via", "names", "counter")):
        first = Counter.start_link(name=name)
        with pytest.raises(StartError) as caught:
            Counter.start_link(name=name)
        assert caught.value.reason == ("already_started", first)
        assert not isinstance(caught.value.__cause__, AlreadyRegisteredError)


@in_node
def test_a_name_that_cannot_be_one_is_refused_at_the_call() -> None:
    before = len(processes())
    for name, error in ((7, TypeError), ("", ValueError), ("undefined", ValueError), (("via", "nowhere"), TypeError)):
        with pytest.raises(error, match="name"):
            Counter.start_link(name=name)  # type: ignore[arg-type]
    with pytest.raises(StartError) as caught:
        Counter.start_link(name=("via", "nowhere", 1))
    assert caught.value.reason == ("noproc", "nowhere")
    assert len(processes()) == before


@in_node
def test_the_spec_of_a_server_starts_it_with_the_same_arguments() -> None:
    spec = Counter.child_spec(1, step=2)
    assert spec == Counter.child_spec(1, step=2) != Counter.child_spec(1, step=3)
    assert isinstance(spec, ChildSpec)
    assert (spec.id, spec.modules, spec.type) == ("Counter", [Counter], "worker")
    function, *arguments = spec.start
    assert call(function(*arguments), "next") == 3


@in_node
def test_a_server_shows_its_init_as_the_initial_call() -> None:
    server = Counter.start_link()
    assert server is not None
    assert process_info(server, "initial_call") == {"initial_call": f"{__name__}.Counter.init"}


@in_node
def test_stopping_waits_for_the_end_and_tells_of_another_reason() -> None:
    class Stubborn(GenServer):
        def terminate(self, reason: Any) -> None:
            sleep(1.0)
            raise ValueError("not today")

    server = Counter.start()
    stop(server)
    assert server is not None
    assert not alive(server)
    stubborn = Stubborn.start()
    with pytest.raises(CallError) as caught:
        stop(stubborn, timeout=0.5)
    assert caught.value.reason == "timeout"
    stubborn = Stubborn.start()
    with pytest.raises(CallError) as caught:
        stop(stubborn)
    assert caught.value.reason.exception == "ValueError"
    with pytest.raises(CallError) as caught:
        stop(self_())
    assert caught.value.reason == "calling_self"


@in_node
def test_a_timeout_without_a_limit_never_comes() -> None:
    class Waiting(GenServer):
        def init(self, limit: Any) -> Timeout:
            self.owner = receive
            return Timeout(limit)

        def handle_info(self, message: Any) -> None:
            raise AssertionError(message)

    for limit in (None, "infinity", float("inf")):
        server = Waiting.start_link(limit)
        sleep(1_000.0)
        assert server is not None
        assert alive(server)
    wrong: Any
    for wrong in ("soon", -1, True):
        with pytest.raises((TypeError, ValueError), match=r"the argument of Timeout\(\) must be"):
            Timeout(wrong)


@in_node
def test_a_server_is_started_with_a_priority_and_followed_from_its_first_message() -> None:
    events: list[Any] = []

    def keep(state: Any, event: Any) -> None:
        events.append(event[0])

    server = Counter.start_link(debug=["statistics", "log", ("install", "k", keep, None)], priority="low", step=3)
    assert server is not None
    assert process_info(server, "priority") == {"priority": "low"}
    assert call(server, "next") == 3
    assert sys.statistics(server, "get")["messages_in"] == 1
    assert events == ["in", "out"]
    assert [event[0] for event in sys.get_log(server)] == ["in", "out"]


@in_node
def test_a_start_option_that_is_not_allowed_is_refused_before_there_is_a_process() -> None:
    before = len(processes())
    wrong: list[tuple[Any, str]] = [
        ({"priority": "urgent"}, "priority is one of low, normal, high, max, not 'urgent'"),
        ({"debug": ["all"]}, "debug has 'all'; allowed are 'trace'"),
        ({"debug": [("log", 0)]}, "allowed are 'trace'"),
        ({"debug": [("install", "k", 5, None)]}, "allowed are 'trace'"),
        ({"debug": "trace"}, "debug is a list of 'trace'"),
    ]
    for options, sentence in wrong:
        with pytest.raises((TypeError, ValueError), match=sentence):
            Counter.start_link(**options)
    assert len(processes()) == before


class Prioritised(GenServer):
    def init(self, priority: str) -> None:
        self.own = priority


@in_node
def test_an_argument_of_init_is_no_start_option() -> None:
    server = Prioritised.start_link(priority="urgent")
    assert server is not None
    assert sys.get_state(server) == {"own": "urgent"}
    assert process_info(server, "priority") == {"priority": "normal"}


@in_node
def test_a_monitored_start_tells_of_the_end_and_not_of_a_failed_start() -> None:
    assert Counter.start_monitor(None) is None
    with pytest.raises(StartError):
        Counter.start_monitor("wrong")
    with pytest.raises(ValueError, match="timeout"):
        Counter.start_monitor(timeout=-1)
    assert flush() == []
    found = Counter.start_monitor(name="counter")
    assert found is not None
    with pytest.raises(StartError, match="already_started"):
        Counter.start_monitor(name="counter")
    pid, ref = found
    stop(pid)
    assert flush() == [Down(ref, pid, "normal")]


@in_node
def test_the_class_of_a_server_can_be_asked_for() -> None:
    server = Counter.start_link()
    assert get_callback_module(server) is Counter
    assert get_callback_module(Supervisor.start_link([])) is Supervisor
    with pytest.raises(CallError, match="noproc"):
        get_callback_module("nobody")


def test_what_is_meant_for_the_child_spec_is_refused_with_what_to_write() -> None:
    class Takes(GenServer):
        def init(self, number: int = 0) -> None:
            self.number = number

    with pytest.raises(SpecError, match=r"write child_spec\(Takes, id='a'\)$"):
        Takes.child_spec(id="a")
    with pytest.raises(SpecError, match=r"write child_spec\(\(Takes, 1\), id='a'\)$"):
        Takes.child_spec(1, id="a")


def test_servers_that_start_together_share_the_time_of_their_start() -> None:
    def main() -> bool:
        return any(started().started_at is started().started_at for _ in range(100))

    assert run(main)


def test_the_time_of_a_servers_start_follows_the_clock_also_backwards() -> None:
    def main() -> None:
        for difference in (-3600.0, -0.01, 3600.0, 0.01):
            before = time.time()
            this_node().last_start = before + difference
            assert before <= started().started_at <= time.time()

    run(main)


def started() -> Process:
    pid = GenServer.start()
    assert pid is not None
    assert pid.process is not None
    return pid.process
