from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any

import gevent
import pytest

from runtime import (
    Crash,
    Exit,
    GenServer,
    Supervisor,
    call,
    cast,
    exit,
    flag,
    install_instrument,
    link,
    receive,
    remove_instrument,
    sleep,
    spawn,
    whereis,
    which_children,
)
from runtime.introspection import wire
from runtime.introspection.events import event_log
from runtime.introspection.events.event_log import QUOTA, SHUTDOWN_QUOTA, EventLog
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from runtime.kernel.reports import Report
from runtime.terms.atom import Atom
from runtime.terms.reason import RETURN, Result
from runtime.terms.ref import Ref
from tests.support.in_node import in_node
from tests.support.trees import start_tree, workers


class Logged:
    """A log that is switched on while the block runs."""

    def __enter__(self) -> EventLog:
        self.log = EventLog(this_node())
        install_instrument(self.log)
        self.log.spawns.switch_on()
        return self.log

    def __exit__(self, *error: object) -> None:
        self.log.spawns.switch_off()
        remove_instrument(self.log)


def _events(log: EventLog, kind: str | None = None, **query: Any) -> list[wire.Event]:
    events = log.answer(wire.GetEvents(**{"limit": 10_000, **query})).events
    return [event for event in events if kind in (None, event.kind)]


@in_node
def test_a_kill_travels_along_links_as_one_chain() -> None:
    with Logged() as log:
        pids = [spawn(_link_and_wait, None)]
        for _ in range(3):
            pids.append(spawn(_link_and_wait, pids[-1]))
        sleep(0.1)
        log.add_kill(pids[0].process, "boom")  # type: ignore[arg-type]
        exit(pids[0], "boom")
        sleep(0.1)
        exits = {event.pid: event for event in _events(log, "exit")}
        by_id = {event.id: event for event in _events(log)}
    assert len(exits) == 4
    for before, after in pairwise(pids):
        cause = by_id[exits[str(after)].cause or 0]
        assert cause.pid == str(before)


def _link_and_wait(other: Any) -> None:
    if other is not None:
        link(other)
    receive()


@in_node
def test_the_children_of_a_group_that_are_stopped_name_the_one_that_failed() -> None:
    start_tree(pools=1, size=3, guests=0, strategy="one_for_all")
    with Logged() as log:
        victim = next(iter(whereis("pool0").process.body.children.values())).pid  # type: ignore[union-attr]
        cast(victim, "crash")
        sleep(0.1)
        exits = _events(log, "exit")
        restarts = _events(log, "restart")
    assert exits[0].pid == str(victim)
    assert exits[0].crashed
    assert isinstance(exits[0].stacktrace, tuple)
    assert exits[0].last_message is not None
    assert [event.cause for event in exits[1:]] == [exits[0].id] * 2
    assert len(restarts) == 3
    assert all(event.cause in {each.id for each in exits} for event in restarts)
    assert log.failures["app/pool0/w0"] <= log.failures["app"]


@in_node
def test_too_many_spawns_and_normal_exits_are_summed_up() -> None:
    with Logged() as log:
        for _ in range(200):
            spawn(lambda: None)
        sleep(0.1)
        assert len(_events(log, "spawn")) == QUOTA
        assert all("lambda" in event.name for event in _events(log, "spawn"))  # though they have ended
        assert len(_events(log, "exit")) == QUOTA
        log.tick()
        sums = [event.message for event in _events(log, "report")]
        assert sums == ["175 more processes started", "175 more processes ended normally"]
        for _ in range(QUOTA + 1):
            spawn(lambda: None)
        sleep(0.1)
        log.tick()
        sums = [event.message for event in _events(log, "report")]
        assert sums[2:] == ["1 more process started", "1 more process ended normally"]
        spawn(lambda: None)
        assert len(_events(log, "spawn")) == 2 * QUOTA + 1


class _Echo(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        return request


@in_node
def test_the_processes_that_ask_for_callers_outside_are_not_logged() -> None:
    server = _Echo.start_link()
    with Logged() as log:
        asking = gevent.spawn(call, server, "hello")
        asking.join()
        assert asking.value == "hello"
        assert _events(log, "spawn") == _events(log, "exit") == []


@in_node
def test_the_orderly_end_of_a_great_tree_is_summed_up_and_the_end_that_an_observer_wanted_is_not() -> None:
    flag(trap_exit=True)
    with Logged() as log:
        top = Supervisor.start_link(workers(SHUTDOWN_QUOTA + 99))
        last = which_children(top)[-1].pid
        assert isinstance(last, Pid)
        assert last.process is not None
        log.add_kill(last.process, "shutdown")
        exit(top, "shutdown")
        assert receive(Exit).reason == "shutdown"
        exits = _events(log, "exit")
        assert len(exits) == SHUTDOWN_QUOTA + 1
        assert exits[-1].pid == str(last)
        log.tick()
        sums = [event.message for event in _events(log, "report")]
        assert "99 more processes ended normally" in sums  # 98 servers and their supervisor


@in_node
def test_a_crash_is_logged_however_many_there_are() -> None:
    with Logged() as log:
        for _ in range(100):
            spawn(exit, "boom")
        sleep(0.1)
        assert sum(event.crashed for event in _events(log, "exit")) == 100
        assert log.crashed == 100


@in_node
def test_the_end_of_a_call_from_another_node_is_no_crash_where_it_returned() -> None:
    with Logged() as log:
        spawn(lambda: exit(Result(Ref(1), RETURN, "the answer")))
        spawn(lambda: exit(Result(Ref(2), Atom("error"), "what failed")))
        sleep(0.01)
        assert [event.crashed for event in _events(log, "exit")] == [False, True]
        assert log.crashed == 1


@in_node
def test_the_log_is_bounded_and_counts_what_it_lost() -> None:
    log = EventLog(this_node(), capacity=10)
    for number in range(25):
        log.add("report", message=str(number))
    answer = log.answer(wire.GetEvents())
    assert (answer.dropped, answer.last) == (15, 25)
    assert [event.id for event in answer.events] == list(range(16, 26))
    assert [event.id for event in log.answer(wire.GetEvents(after=23)).events] == [24, 25]
    assert [event.id for event in log.answer(wire.GetEvents(after=-1, limit=3)).events] == [23, 24, 25]
    assert log.answer(wire.GetEvents(after=99)).events == ()


@in_node
def test_events_are_found_by_process_and_by_place() -> None:
    start_tree(pools=1, size=2, guests=0)
    with Logged() as log:
        victim = next(iter(whereis("pool0").process.body.children.values())).pid  # type: ignore[union-attr]
        exit(victim, "kill")
        sleep(0.1)
        assert {event.kind for event in _events(log, pid=str(victim))} == {"exit", "restart"}
        assert {event.kind for event in _events(log, key="app/pool0/w0")} == {"exit", "restart"}
        assert _events(log, key="app/pool0/w1") == []


@in_node
def test_places_whose_failures_are_remembered_are_bounded() -> None:
    log = EventLog(this_node())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_log, "MAX_FAILURES", 5)
        for number in range(20):
            log._failed(f"app/w{number}")
    assert len(log.failures) == 5
    assert "app" in log.failures
    assert "app/w19" in log.failures


@in_node
def test_the_stack_of_a_crash_comes_with_its_source() -> None:
    def fail() -> None:
        raise ValueError("here")

    with Logged() as log:
        spawn(fail)
        sleep(0.1)
        crash = next(event for event in _events(log, "exit") if event.crashed)
    assert crash.reason == repr(Crash("ValueError", "here"))
    assert crash.stacktrace[-1].source == 'raise ValueError("here")'


@in_node
def test_the_children_of_a_killed_supervisor_keep_their_places_and_name_its_end() -> None:
    start_tree(pools=2, size=3, guests=0)
    sleep(0.1)
    pool = whereis("pool1")
    assert pool is not None
    with Logged() as log:
        exit(pool, "kill")
        sleep(0.1)
        exits = {event.key: event for event in _events(log, "exit")}
        (restart,) = [event for event in _events(log, "restart") if event.key == "app/pool1"]
    end = exits["app/pool1"]
    assert {key for key in exits if key != "app/pool1"} == {f"app/pool1/w{number}" for number in range(3)}
    assert {event.cause for event in exits.values()} == {end.cause, end.id}
    assert all(event.supervisor == str(pool) for event in exits.values() if event is not end)
    assert restart.cause == end.id


@in_node
def test_a_supervisor_that_ends_with_its_own_names_that_as_its_cause() -> None:
    flag(trap_exit=True)
    with Logged() as log:
        start_tree(pools=1, size=1, guests=0)
        app = whereis("app")
        pool = whereis("pool0")
        sleep(0.1)
        assert app is not None
        exit(app, "kill")
        sleep(0.1)
        exits = {event.pid: event for event in _events(log, "exit")}
    assert exits[str(pool)].reason == "killed"
    assert exits[str(pool)].key == "app/pool0"
    assert exits[str(pool)].cause == exits[str(app)].id


@in_node
def test_a_process_that_outgrew_its_bound_is_told_of_by_its_name() -> None:
    with Logged() as log:
        pid = spawn(receive, name="cache")
        sizes = {"total_heap_size": 5_024_858, "max_heap_size": 5_000_000}
        log.reported(Report("max_heap_size", logging.ERROR, {"pid": pid, **sizes}))
        (event,) = _events(log, "report")
    assert (event.name, event.message) == ("cache", "outgrew max_heap_size: it holds 5,024,858 of 5,000,000 bytes")


@in_node
def test_the_log_goes_on_after_a_reason_and_a_function_that_cannot_be_asked() -> None:
    class Unbound:
        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            raise RuntimeError("working outside of a request")

        def __deepcopy__(self, memo: object) -> Any:
            return self

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("working outside of a request")

        def __call__(self) -> None:
            pass

    with Logged() as log:
        spawn(lambda: exit(Unbound()))
        spawn(Unbound())
        spawn(lambda: exit("seen"))
        sleep(0.1)
        assert [event.reason for event in _events(log, "exit")][-1] == "seen"
        assert len(_events(log, "exit")) == 3
