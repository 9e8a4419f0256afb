"""Processes as rows."""

from __future__ import annotations

import math

from runtime import (
    Agent,
    GenServer,
    Supervisor,
    exit,
    receive,
    register,
    send,
    sleep,
    spawn,
    terminate_child,
    whereis,
    which_children,
)
from runtime.introspection.reading.rows import Snapshot, not_running, queue_length, seconds_of
from runtime.introspection.reading.tree_path import children_of, position_of
from runtime.kernel.process import Pid, Process
from tests.support.in_node import in_node
from tests.support.trees import start_tree, workers


def _process(pid: object) -> Process:
    assert isinstance(pid, Pid)
    assert pid.process is not None
    return pid.process


@in_node
def test_messages_that_a_receive_has_refused_are_counted_too() -> None:
    choosy = spawn(lambda: receive("yes"))
    sleep(0)
    for message in ("no", "never"):
        send(choosy, message)
    sleep(0)
    send(choosy, "no")
    assert queue_length(_process(choosy)) == 3
    exit(choosy, "kill")


def test_a_period_that_no_float_holds_is_infinite() -> None:
    assert seconds_of(5) == 5.0
    assert seconds_of(10**400) == math.inf


@in_node
def test_a_row_says_what_can_be_known_without_asking() -> None:
    pid = spawn(receive, label="shop")
    register("till", pid)
    send(pid, "hello")
    row = Snapshot({str(pid): 7.0}, {str(pid): ("hog",)}).row(_process(pid))
    assert (row.key, row.pid, row.name) == (str(pid), str(pid), "till")
    assert (row.registered_name, row.label, row.child_id) == ("till", "shop", None)
    assert (row.message_queue_len, row.messages_in) == (1, 1)
    assert (row.lints, row.last_failure_at) == (("hog",), 7.0)
    assert (row.kind, row.supervisor, row.restart) == ("worker", None, None)
    assert row.memory is row.memory_age is row.cpu_time is None


@in_node
def test_processor_time_is_a_figure_only_once_it_was_measured() -> None:
    process = _process(spawn(receive))
    assert Snapshot({}, {}, measured=True).row(process).cpu_time == 0.0
    process.cpu_time = 0.5
    assert Snapshot({}, {}).row(process).cpu_time == 0.5


@in_node
def test_the_age_of_an_estimate_counts_from_the_moment_of_the_snapshot() -> None:
    process = _process(spawn(receive))
    snapshot = Snapshot({}, {})
    process.memory, process.memory_at = 1_000, snapshot.monotonic - 2.0
    assert (snapshot.row(process).memory, snapshot.row(process).memory_age) == (1_000, 2.0)
    process.memory_at = snapshot.monotonic + 1.0  # measured after the snapshot
    assert snapshot.row(process).memory_age == 0.0


@in_node
def test_a_childs_row_says_where_it_stands_and_how_it_is_restarted() -> None:
    top = Supervisor.start_link(workers(1), name="app")
    exit(which_children("app")[0].pid, "kill")
    sleep(0)
    child = _process(which_children("app")[0].pid)
    row = Snapshot({}, {}).row(child, position_of(child), depth=1, parent_key="app")
    assert (row.key, row.parent_key, row.child_id, row.depth) == ("app/w0", "app", "w0", 1)
    assert (row.supervisor, row.restart, row.restarts) == (str(top), "permanent", 1)


@in_node
def test_a_supervisors_row_counts_its_restarts_and_the_children_that_do_not_run() -> None:
    top = Supervisor.start_link(workers(3), name="app", strategy="rest_for_one", max_restarts=2, max_seconds=10.0)
    exit(which_children("app")[0].pid, "kill")
    sleep(4)
    terminate_child("app", "w1")
    row = Snapshot({}, {}).row(_process(top))
    assert (row.kind, row.strategy, row.max_restarts, row.max_seconds) == ("supervisor", "rest_for_one", 2, 10.0)
    assert (row.restarts_used, row.restarts_expire_in) == (1, 6.0)
    assert (row.child_count, row.not_running) == (3, 1)
    assert Snapshot({}, {}).row(_process(top), absent=7).not_running == 7
    sleep(6.1)
    row = Snapshot({}, {}).row(_process(top))
    assert (row.restarts_used, row.restarts_expire_in) == (0, None)


@in_node
def test_a_child_without_a_process_has_a_row_too() -> None:
    top = Supervisor.start_link(workers(2), name="app")
    terminate_child("app", "w0")
    kept = children_of(_process(top))
    assert kept is not None
    assert not_running(kept) == 1
    child = kept.children["w0"]
    row = Snapshot({"app/w0": 7.0}, {}).absent(_process(top), child, "app/w0", 1, "app")
    assert (row.status, row.pid, row.name, row.child_id) == ("stopped", None, "w0", "w0")
    assert (row.supervisor, row.last_failure_at) == (str(top), 7.0)
    child.at = "restarting"
    assert Snapshot({}, {}).absent(_process(top), child, "app/w0", 1, "app").status == "restarting"


class Slow(GenServer):
    def init(self) -> None:
        sleep(5)


@in_node
def test_a_child_whose_init_takes_its_time_is_starting_and_not_stopped() -> None:
    def start() -> None:
        Supervisor.start_link([Agent.child_spec(lambda: 0, name="ready"), Slow.child_spec()], name="slow")
        receive()

    spawn(start)
    sleep(1)
    slow = whereis("slow")
    assert slow is not None
    kept = children_of(_process(slow))
    assert kept is not None
    row = Snapshot({}, {}).absent(_process(slow), kept.children["Slow"], "slow/Slow", 1, "slow")
    assert row.status == "starting"
    assert not_running(kept) == 0
    sleep(5)
    assert kept.children["Slow"].pid is not None
    assert kept.starting is None


@in_node
def test_a_dynamic_supervisor_is_shown_as_one() -> None:
    start_tree(pools=0, guests=2)
    guests = next(child.pid for child in which_children("app") if child.id == "guests")
    row = Snapshot({}, {}).row(_process(guests))
    assert (row.strategy, row.child_count, row.not_running) == ("dynamic", 2, 0)
