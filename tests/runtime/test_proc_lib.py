"""Plain processes that start in step, and answer `runtime.sys`. How they start and end, the scenarios show."""

import logging
from typing import Any

import pytest
from gevent import socket

from runtime import (
    ANY,
    CallError,
    ChildSpec,
    Continue,
    Exit,
    GenServer,
    GenStatem,
    Keep,
    Pid,
    Reply,
    StartError,
    Stop,
    Supervisor,
    Timeout,
    alive,
    call,
    cast,
    exit,
    flag,
    flush,
    get_callback_module,
    install_instrument,
    monitor,
    proc_lib,
    process_info,
    processes,
    receive,
    remove_instrument,
    run,
    self_,
    send,
    sleep,
    spawn,
    stop,
    sys,
    which_children,
)
from tests.support.in_node import in_node
from tests.support.kept_reports import Reports


def acceptor(host: str) -> None:
    """Echo one line of each connection: what a supervisor starts, and goes on once it listens."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        listener.listen()
        spawn(receive, name=f"port {listener.getsockname()[1]}")
        proc_lib.init_ack()
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(100))


def test_an_acceptor_listens_when_its_supervisor_goes_on() -> None:
    def main() -> bytes:
        Supervisor.start_link([ChildSpec(id="acceptor", start=(proc_lib.start_link, acceptor, "127.0.0.1"))])
        (name,) = (
            found["registered_name"]
            for pid in processes()
            if (found := process_info(pid, "registered_name")) and str(found["registered_name"]).startswith("port ")
        )
        with socket.create_connection(("127.0.0.1", int(name.split()[1])), timeout=5) as client:
            client.sendall(b"hello")
            return bytes(client.recv(100))

    assert run(main) == b"hello"


def test_an_acceptor_that_cannot_listen_fails_the_start_of_its_supervisor() -> None:
    def main() -> Any:
        flag(trap_exit=True)
        with pytest.raises(StartError) as caught:
            Supervisor.start_link([ChildSpec(id="acceptor", start=(proc_lib.start_link, acceptor, "192.0.2.1"))])
        return caught.value.reason

    tag, (failed, id, crash) = run(main)
    assert (tag, failed, id) == ("shutdown", "failed_to_start_child", "acceptor")
    assert crash.exception == "OSError"


def counting() -> None:
    """Count jobs, and answer `runtime.sys`."""
    proc_lib.init_ack()
    state = {"done": 0}
    while True:
        match receive(("job", ANY), proc_lib.is_system_message):
            case ("job", _):
                state["done"] += 1
            case request:
                proc_lib.handle_system(request, state)


@in_node
def test_a_plain_process_answers_sys() -> None:
    pid = proc_lib.start_link(counting)
    send(pid, ("job", 1))
    assert sys.get_state(pid) == {"done": 1}
    assert sys.replace_state(pid, lambda state: {"done": state["done"] + 10}) == {"done": 11}
    assert sys.get_status(pid)[3][-1]["header"] == f"Status for plain process {pid}"
    assert get_callback_module(pid) is proc_lib.PlainProcess
    sys.suspend(pid)
    sys.suspend(pid)
    send(pid, ("job", 2))
    assert sys.get_state(pid) == {"done": 11}
    sys.resume(pid)
    sleep(0.01)
    assert sys.get_state(pid) == {"done": 12}
    with pytest.raises(sys.SystemRequestError, match="callback_failed"):
        sys.replace_state(pid, lambda state: 1 / 0)  # type: ignore[arg-type, return-value]
    flag(trap_exit=True)
    stop(pid)
    assert not alive(pid)
    assert [message.reason for message in flush()] == ["normal"]


@in_node
def test_a_suspended_plain_process_ends_with_its_parent() -> None:
    found: list[Pid] = []

    def parent() -> None:
        def child() -> None:
            flag(trap_exit=True)
            counting()

        found.append(proc_lib.start_link(child))
        sys.suspend(found[0])
        exit("parent is tired")

    spawn(parent)
    sleep(0.01)
    monitor(found[0])
    sleep(0.01)
    assert not alive(found[0])


@in_node
def test_what_is_no_system_message_is_refused() -> None:
    assert not proc_lib.is_system_message(("$system", 1, 2, 3))
    with pytest.raises(TypeError, match="is_system_message"):
        proc_lib.handle_system("job", {})

    def with_a_wrong_state() -> None:
        proc_lib.init_ack()
        with pytest.raises(TypeError, match="as a dict"):
            proc_lib.handle_system(receive(), [])  # type: ignore[arg-type]

    pid = proc_lib.start(with_a_wrong_state)
    with pytest.raises(CallError, match="normal"):
        sys.get_state(pid)


class Counter(GenServer):
    count: int

    def handle_call(self, request: Any, caller: Any) -> Any:
        return (request, self.count)

    def handle_continue(self, term: Any) -> Any:
        self.count += term
        return Timeout(1.0)

    def handle_info(self, message: Any) -> None:
        self.count += 100 if message == "timeout" else 0

    def handle_cast(self, message: Any) -> Any:
        raise ValueError(message)


def becomes_counter(count: int) -> None:
    proc_lib.init_ack()
    server = Counter()
    server.count = count
    try:
        proc_lib.enter_loop(server, Continue(5))
    except Exception:
        exit("swallowed")


@in_node
def test_a_plain_process_becomes_a_server() -> None:
    flag(trap_exit=True)
    pid = proc_lib.start_link(becomes_counter, 1)
    sleep(2.0)
    assert call(pid, "get") == ("get", 106)
    assert sys.get_state(pid) == {"count": 106}
    found = process_info(pid, "initial_call")
    assert found is not None
    assert "Counter" in found["initial_call"]
    cast(pid, "boom")
    assert receive().reason.message == "boom"


@in_node
def test_an_abnormal_end_is_reported_with_the_ancestors() -> None:
    reports = Reports()
    install_instrument(reports)
    flag(trap_exit=True)
    for reason in ("normal", "shutdown", ("shutdown", 1), "boom"):
        with pytest.raises(StartError):
            proc_lib.start_link(proc_lib.init_fail, reason)
        proc_lib.spawn_link(exit, reason)
    sleep(0.01)
    remove_instrument(reports)
    assert [(report.kind, report.level, report.fields["reason"]) for report in reports.made] == [
        ("crash_report", logging.ERROR, "boom")
    ] * 2
    assert all(report.fields["ancestors"] == [self_()] for report in reports.made)


@in_node
def test_what_needs_a_process_of_proc_lib_says_so() -> None:
    for use in (proc_lib.init_ack, lambda: proc_lib.init_fail("x"), lambda: proc_lib.enter_loop(Counter())):
        with pytest.raises(ValueError, match="proc_lib has started"):
            use()
    with pytest.raises(TypeError, match="takes a GenServer object"):
        proc_lib.enter_loop(Counter)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="as `then`"):
        proc_lib.enter_loop(Counter(), "then")
    with pytest.raises(TypeError, match="a process runs a function"):
        proc_lib.start_link("fn")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timeout"):
        proc_lib.start_link(counting, timeout=-1)


@in_node
def test_only_the_first_acknowledgement_counts_and_none_is_needed_of_spawn_link() -> None:
    def twice() -> None:
        proc_lib.init_ack("first")
        proc_lib.init_ack("second")
        receive("never")

    assert proc_lib.start_link(twice) == "first"
    pid = proc_lib.spawn_link(twice)
    sleep(0.01)
    assert alive(pid)


@in_node
def test_a_start_that_takes_too_long_leaves_nothing() -> None:
    before = len(processes())
    with pytest.raises(StartError, match="timeout"):
        proc_lib.start_link(sleep, 60.0, timeout=0.1)
    with pytest.raises(StartError, match="timeout"):
        proc_lib.start(sleep, 60.0)
    assert len(processes()) == before
    assert flush() == []


def test_a_supervisor_restarts_it() -> None:
    def main() -> None:
        sup = Supervisor.start_link([ChildSpec(id="c", start=(proc_lib.start_link, counting))])
        (before,) = which_children(sup)
        assert isinstance(before.pid, Pid)
        exit(before.pid, "kill")
        sleep(0.05)
        (after,) = which_children(sup)
        assert isinstance(after.pid, Pid)
        assert after.pid != before.pid

    run(main)


class Light(GenStatem):
    """A state machine that keeps its state, and gives a single reply when it ends."""

    def handle_event(self, kind: Any, event: Any, state: Any) -> Any:
        if kind == "call" and event == "end":
            assert self.caller is not None
            return Stop("normal", Reply(self.caller, state))
        return None


@in_node
def test_a_process_becomes_a_state_machine_with_a_first_state() -> None:
    def enter(then: Any) -> None:
        proc_lib.init_ack()
        proc_lib.enter_loop(Light(), then)

    light = proc_lib.start_link(enter, "green")
    with pytest.raises(CallError, match="timeout"):
        call(light, "wait", timeout=0.01)
    assert call(light, "end") == "green"
    flag(trap_exit=True)
    for then in (None, Keep(), Timeout(1.0)):
        pid = proc_lib.start_link(enter, then)
        reason = receive(Exit).reason
        assert (pid is not None, reason.exception) == (True, "TypeError")
        assert "the first state of a state machine" in reason.message


@in_node
def test_a_supervisor_is_not_entered() -> None:
    def enter() -> None:
        with pytest.raises(TypeError, match=r"a supervisor is started by its own start_link"):
            proc_lib.enter_loop(Supervisor())
        proc_lib.init_ack("refused")

    assert proc_lib.start_link(enter) == "refused"
