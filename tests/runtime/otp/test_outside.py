"""Calls from outside any process: from plain greenlets, and from threads that are not the node's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest

from runtime import (
    Agent,
    CallError,
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    NotInProcessError,
    Pid,
    StartError,
    Supervisor,
    SupervisorError,
    Task,
    TaskSupervisor,
    alive,
    async_stream,
    call,
    cast,
    count_children,
    pg,
    process_info,
    processes,
    receive,
    run,
    self_,
    send,
    sleep,
    start_child,
    stop,
    sys,
    terminate_child,
    which_children,
)
from runtime.kernel.node import running_node
from runtime.kernel.threads import start_thread
from tests.support.outside import in_greenlet, in_thread


class Counter(GenServer):
    def init(self, start: int = 0) -> None:
        self.count = start

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "next":
                self.count += 1
                return self.count
            case "die":
                raise ValueError("no luck")
            case ("wait", seconds):
                sleep(seconds)
        return request

    def handle_cast(self, message: Any) -> None:
        self.count = message


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Check that there are as many processes, names, timers and aliases, and no new watchers, as there were."""

    def traces() -> Any:
        node = running_node()
        assert node is not None
        watched = [len(process.watchers or ()) for process in node.processes()]
        return len(processes()), sum(watched), len(node.timers.pending), len(node.aliases), dict(node.names)

    before = traces()
    yield
    sleep(0.01)
    assert traces() == before


OUTSIDE = pytest.mark.parametrize("outside", [in_greenlet, in_thread])
Outside = Callable[[Callable[[], Any]], Any]


@OUTSIDE
def test_a_server_is_called_by_pid_and_by_name(outside: Outside) -> None:
    def main() -> None:
        server = Counter.start_link(name="counter")
        with nothing_left_behind():
            assert outside(lambda: call("counter", "next")) == 1
            assert outside(lambda: call(server, "next", None)) == 2
            assert outside(lambda: [call(server, "next") for _ in range(100)]) == [*range(3, 103)]
            outside(lambda: cast(server, 7))
            assert outside(lambda: sys.get_state("counter")) == {"count": 7}

    run(main)


@OUTSIDE
def test_a_call_fails_as_it_does_in_a_process(outside: Outside) -> None:
    def main() -> None:
        server, doomed = Counter.start(), Counter.start()
        calls: list[tuple[Callable[[], Any], Any]] = [
            (lambda: call("nowhere", 1), "noproc"),
            (lambda: call(server, ("wait", 0.5), 0.1), "timeout"),
            (lambda: stop("nowhere"), "noproc"),
            (lambda: sys.get_state("nowhere"), "noproc"),
            (lambda: Agent.get("nowhere", abs), "noproc"),
        ]
        with nothing_left_behind():
            for make, reason in calls:
                with pytest.raises(CallError) as caught:
                    outside(make)
                assert caught.value.reason == reason
            sleep(0.5)
        with pytest.raises(CallError) as caught:
            outside(lambda: call(doomed, "die"))
        assert caught.value.reason.exception == "ValueError"
        for wrong in (lambda: call(server, 1, "soon"), lambda: call(7, 1)):  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                outside(wrong)

    run(main)


@OUTSIDE
def test_supervisors_are_asked_and_told(outside: Outside) -> None:
    def main() -> None:
        supervisor = Supervisor.start_link([])
        dynamic = DynamicSupervisor.start_link()
        spec = ChildSpec(id="one", start=(Counter.start_link, 1))
        child = outside(lambda: start_child(supervisor, spec))
        assert call(child, "next") == 2
        assert [info.pid for info in outside(lambda: which_children(supervisor))] == [child]
        assert outside(lambda: count_children(supervisor))["active"] == 1
        with pytest.raises(StartError) as caught:
            outside(lambda: start_child(supervisor, spec))
        assert caught.value.reason == ("already_started", child)
        outside(lambda: terminate_child(supervisor, "one"))
        with pytest.raises(SupervisorError, match="not_found"):
            outside(lambda: terminate_child(supervisor, "two"))
        other = outside(lambda: start_child(dynamic, (Counter, 5)))
        sleep(0.05)
        assert alive(other)
        tasks = TaskSupervisor.start_link()
        me = self_()
        outside(lambda: TaskSupervisor.start_child(tasks, send, me, "done"))
        assert receive("done", timeout=60) == "done"

    run(main)


@OUTSIDE
def test_agents_and_system_messages_and_stops_work(outside: Outside) -> None:
    def main() -> None:
        agent, server = Agent.start_link(lambda: 1), Counter.start_link()
        assert agent is not None
        assert server is not None
        with nothing_left_behind():
            assert outside(lambda: Agent.get(agent, lambda value: value + 1)) == 2
            outside(lambda: Agent.update(agent, lambda value: value + 5))
            assert outside(lambda: Agent.get_and_update(agent, lambda value: (value, 0))) == 6
            outside(lambda: sys.suspend(server))
            assert outside(lambda: sys.get_status(server))[3][1] == "suspended"
            outside(lambda: sys.resume(server))
        outside(lambda: stop(server))
        outside(lambda: Agent.stop(agent))
        assert not alive(server)
        assert not alive(agent)
        own = outside(lambda: Counter.start(3))
        sleep(0.01)
        assert call(own, "next") == 4
        stop(own)

    run(main)


def test_a_greenlet_that_is_killed_while_it_waits_takes_its_call_along() -> None:
    def main() -> None:
        server = Counter.start_link()
        with nothing_left_behind():
            waiting = gevent.spawn(call, server, ("wait", 0.2), None)
            sleep(0.05)
            assert _monitored(server)
            waiting.kill()
            sleep(0.05)
            assert not _monitored(server)
            with pytest.raises(gevent.Timeout):
                in_greenlet(lambda: gevent.with_timeout(0.05, call, server, ("wait", 0.2)))
            sleep(0.5)

    run(main)


def _monitored(server: Pid | None) -> bool:
    assert server is not None
    assert server.process is not None
    return bool(server.process.watchers)


def test_many_greenlets_and_threads_wait_at_the_same_time() -> None:
    def main() -> None:
        servers = [Counter.start_link() for _ in range(10)]
        with nothing_left_behind():
            greenlets = [gevent.spawn(call, servers[n % 10], "next") for n in range(200)]
            gevent.joinall(greenlets)
            pool = gevent.get_hub().threadpool
            results = [pool.spawn(call, servers[n % 10], "next") for n in range(50)]
            for result in results:
                result.get()
            assert sum(call(server, "next") for server in servers) == 10 * (20 + 5 + 1)
            for greenlet in greenlets:
                assert greenlet.successful()

    run(main)


def test_the_hub_itself_cannot_wait() -> None:
    def main() -> None:
        server = Counter.start_link()
        said: list[BaseException] = []

        def ask() -> None:
            try:
                call(server, "next")
            except NotInProcessError as error:
                said.append(error)

        gevent.get_hub().loop.run_callback(ask)
        sleep(0.05)
        assert "would have to wait, which the hub cannot" in str(said[0])

    run(main)


def _ask_in_thread(said: list[Any], timeout: float | None) -> None:
    """Call the counter from a thread, and keep why that failed."""

    def ask() -> None:
        try:
            call("counter", ("wait", 60.0), timeout)
        except CallError as error:
            said.append(error.reason)

    start_thread(ask, ())


def test_a_threads_time_is_over_while_the_node_is_stuck() -> None:
    def main() -> None:
        server, said = Counter.start_link(name="counter"), list[Any]()
        _ask_in_thread(said, 0.05)
        while not said:
            pass  # the hub has no turn meanwhile
        assert said == ["timeout"]
        sleep(0.05)
        assert not _monitored(server)

    run(main)


def test_a_thread_that_waits_when_the_node_ends_is_told() -> None:
    said: list[Any] = []

    def main() -> None:
        server = Counter.start_link(name="counter")
        _ask_in_thread(said, None)
        while not _monitored(server):
            sleep(0.001)

    run(main)
    while not said:
        gevent.sleep(0.001)
    assert said[0] in ("shutdown", "killed", "noproc")


def test_without_a_node_there_is_no_process_to_call() -> None:
    assert running_node() is None
    for ask in (lambda: call("counter", 1), lambda: stop("counter"), lambda: sys.get_state("counter")):
        with pytest.raises(CallError, match="noproc"):
            ask()
    assert running_node() is None


@OUTSIDE
def test_what_needs_a_mailbox_of_its_own_still_says_so(outside: Outside) -> None:
    def main() -> None:
        needs: dict[str, Callable[[], Any]] = {
            "self_": self_,
            "receive": receive,
            "start_link": Counter.start_link,
            "Task.completed": lambda: Task.completed(1),
            "async_": lambda: TaskSupervisor.async_("tasks", print),
            "async_nolink": lambda: TaskSupervisor.async_nolink("tasks", print),
            "async_stream": lambda: [*async_stream([1], print)],
            "pg.monitor": lambda: pg.monitor("group"),
            "pg.monitor_scope": pg.monitor_scope,
        }
        for function, need in needs.items():
            with pytest.raises(NotInProcessError, match=rf"^{function}\(\) works only inside a process"):
                outside(need)

    run(main)


def _order_tea() -> None:
    with pytest.raises(CallError, match="no luck"):
        call("counter", "die")


@OUTSIDE
def test_the_report_of_a_failed_call_names_the_line_at_which_the_caller_waits(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    def main() -> None:
        Counter.start(name="counter")
        outside(_order_tea)

    run(main)
    reports = [record.__dict__["report"] for record in caplog.records]
    (stack,) = [report.fields["client_stacktrace"] for report in reports if report.kind == "server_terminated"]
    assert "_order_tea" in [frame.function for frame in stack]


def test_a_server_sees_a_process_as_the_caller() -> None:
    class Curious(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            return caller.pid, process_info(caller.pid, "label")

    def main() -> None:
        server = Curious.start_link()
        pid, info = in_greenlet(lambda: call(server, "who?"))
        assert info == {"label": "call() from outside"}
        assert not alive(pid)

    run(main)
