from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    ANY,
    Down,
    NoProcessError,
    NotInProcessError,
    alive,
    exit,
    flush,
    get_label,
    install_instrument,
    monitor,
    process_info,
    processes,
    receive,
    register,
    remove_instrument,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    timer,
    unregister,
)
from runtime.kernel.clock import now
from tests.support.in_node import in_node
from tests.support.kept_reports import Reports
from tests.support.outside import in_greenlet, in_thread


@in_node
def test_a_message_is_sent_at_every_interval_until_it_is_cancelled() -> None:
    ref = timer.send_interval(self_(), ["tick"], 1.0)
    sleep(3.5)
    assert flush() == [["tick"]] * 3
    assert timer.cancel(ref)
    sleep(5.0)
    assert flush() == []
    assert not timer.cancel(ref)


@in_node
def test_intervals_do_not_drift() -> None:
    began = now()
    ref = timer.send_interval(self_(), "tick", 0.1)
    for _ in range(100):
        receive("tick")
    assert now() - began == pytest.approx(10.0, abs=0.01)
    timer.cancel(ref)


@in_node
def test_an_interval_ends_with_the_process_it_is_for() -> None:
    pid = spawn(receive, "never")
    register("listener", pid)
    before = len(processes())
    refs = [timer.send_interval(pid, "tick", 1.0), timer.send_interval("listener", "tick", 1.0)]
    sleep(1.5)
    info = process_info(pid, "message_queue_len")
    assert info == {"message_queue_len": 2}
    exit(pid, "kill")
    sleep(0.01)
    assert len(processes()) == before - 1
    assert [timer.cancel(ref) for ref in refs] == [False, False]


@in_node
def test_an_interval_for_a_name_waits_while_no_process_has_it() -> None:
    pid = spawn(receive, "never")
    register("listener", pid)
    reports = Reports()
    install_instrument(reports)
    timer.send_interval("listener", "tick", 1.0)
    unregister("listener")
    sleep(1.5)
    register("listener", self_())
    sleep(1.0)
    remove_instrument(reports)
    assert flush() == ["tick"]
    assert reports.made == []
    exit(pid, "kill")
    sleep(5.0)
    assert flush() == []


@in_node
def test_a_function_is_run_once_also_when_the_caller_is_gone() -> None:
    me = self_()
    spawn(lambda: timer.apply_after(1.0, send, me, "once"))
    sleep(0.9)
    assert flush() == []
    sleep(5.0)
    assert flush() == ["once"]


@in_node
def test_a_function_is_run_at_every_interval_until_the_caller_is_gone() -> None:
    me = self_()

    def caller() -> None:
        timer.apply_interval(1.0, send, me, message="again")
        sleep(2.5)

    spawn(caller)
    sleep(10.0)
    assert flush() == ["again"] * 2


@in_node
def test_a_slow_or_failing_run_does_not_stop_an_interval() -> None:
    me = self_()

    def run() -> None:
        send(me, "begun")
        sleep(10.0)
        raise ValueError("late")

    ref = timer.apply_interval(1.0, run)
    sleep(3.5)
    assert flush() == ["begun"] * 3
    timer.cancel(ref)


@in_node
def test_an_exit_signal_comes_after_its_time() -> None:
    pids = [spawn(receive, "never") for _ in range(3)]
    for pid in pids:
        monitor(pid)
    timer.exit_after(pids[0], "tired", 1.0)
    timer.kill_after(pids[1], 2.0)
    kept = timer.kill_after(pids[2], 2.0)
    assert timer.cancel(kept)
    sleep(3.0)
    assert [(down.pid, down.reason) for down in flush()] == [(pids[0], "tired"), (pids[1], "killed")]
    assert alive(pids[2])


@in_node
def test_a_timer_of_send_after_can_be_cancelled_too() -> None:
    ref = send_after(self_(), "later", 1.0)
    assert timer.cancel(ref)
    assert not timer.cancel(ref)


@in_node
def test_what_makes_no_sense_is_refused_at_the_call() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        timer.send_interval(self_(), "tick", 0)
    with pytest.raises(ValueError, match="seconds"):
        timer.apply_after(-1.0, print)
    with pytest.raises(TypeError, match="takes seconds and a function, not 7"):
        timer.apply_interval(1.0, 7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes a Pid, not 'name'"):
        timer.exit_after("name", "why", 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"cancel\(\) takes the reference of a timer, not 'ref'"):
        timer.cancel("ref")  # type: ignore[arg-type]
    with pytest.raises(NoProcessError):
        timer.send_interval("nobody", "tick", 1.0)


@pytest.mark.parametrize("outside", [in_greenlet, in_thread])
def test_timers_are_set_and_cancelled_from_outside_any_process(outside: Callable[[Callable[[], Any]], Any]) -> None:
    def main() -> None:
        me, before = self_(), {*processes()}
        victims = [spawn(receive) for _ in range(2)]

        def set_timers() -> None:
            timer.apply_after(0.01, send, me, "applied")
            timer.exit_after(victims[0], "late", 0.01)
            timer.kill_after(victims[1], 0.01)
            assert timer.cancel(timer.send_interval(me, "never", 60.0))
            timer.send_interval(me, "often", 0.01)
            with pytest.raises(NotInProcessError, match=r"apply_interval\(\) works only inside a process"):
                timer.apply_interval(1.0, len, "")

        watched = [monitor(pid) for pid in victims]
        outside(set_timers)
        assert [receive(Down(ref, ANY, ANY)).reason for ref in watched] == ["late", "killed"]
        receive("applied")
        receive("often")
        receive("often")
        assert [get_label(pid) for pid in {*processes()} - before] == ["timer"]

    run(main)
