"""Greenlets that are no processes: shown in a group of their own, killed, and their failures told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest

from runtime import receive, run, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.events.greenlets import SWEEP
from runtime.introspection.reading.tree_path import FREE
from runtime.kernel.plain_greenlet import RECORD
from tests.support.trees import Observer, start_tree

OPEN = {"unfolded": (wire.GREENLETS,)}


@contextmanager
def noting() -> Iterator[Observer]:
    """Note greenlets while the block runs."""
    observer = Observer()
    observer.greenlets.switch_on()
    try:
        yield observer
    finally:
        observer.greenlets.switch_off()


def in_hub(test: Callable[[], None]) -> Callable[[], None]:
    """Run a test as the first process of a node on the real clock: greenlets know no other."""

    def run_test() -> None:
        run(test)

    run_test.__name__ = test.__name__
    return run_test


def napping() -> None:
    gevent.sleep(60)


def failing() -> None:
    raise LookupError("nothing there")


@in_hub
def test_they_stand_in_a_group_after_all_processes_with_what_they_run() -> None:
    start_tree(pools=1, size=1, guests=0)
    spawn(receive)
    with noting() as observer:
        naps = [gevent.spawn(napping) for _ in range(3)]
        folded = observer.tree()
        assert [row.key for row in folded.rows][-2:] == [FREE, wire.GREENLETS]
        assert (folded.rows[-1].child_count, folded.rows[-1].folded, folded.rows[-1].kind) == (3, True, "group")
        rows = observer.tree(**OPEN).rows[-3:]
        assert [(row.pid, row.key, row.kind, row.depth, row.parent_key) for row in rows] == [
            (f"g{number}", f"g{number}", "greenlet", 1, wire.GREENLETS) for number in (1, 2, 3)
        ]
        assert rows[0].initial_call == f"{__name__}.napping"
        assert rows[0].status == "runnable"
        gevent.sleep(0)
        assert observer.tree(**OPEN).rows[-1].status == "waiting"
        assert observer.tree(**OPEN, anchor="g2").anchor_index == len(folded.rows) + 1
        gevent.killall(naps)
        gevent.sleep(0)  # so that gevent tells of their end
        shown = observer.keys()
        assert wire.GREENLETS not in shown


@in_hub
def test_those_that_were_there_before_are_found_and_processes_are_none_of_them() -> None:
    before = gevent.spawn(napping)
    spawn(receive)
    sleep(0.01)
    with noting() as observer:
        assert [row.pid for row in observer.tree(root=wire.GREENLETS).rows] == [None, "g1"]
        assert RECORD in vars(before)
    assert RECORD not in vars(before)
    before.kill()


@in_hub
def test_they_are_filtered_and_sorted_as_processes_are() -> None:
    with noting() as observer:
        first, second = gevent.spawn(napping), gevent.spawn(gevent.sleep, 60)
        second.name = "sleeper"
        assert observer.keys(filter="napping") == [wire.GREENLETS, "g1"]
        assert [row.name for row in observer.tree(filter="sleeper").rows] == ["greenlets", "sleeper"]
        assert observer.tree(filter="initial_call~sleep").matched == 1
        assert observer.keys(sort="started_at", descending=True, **OPEN)[-2:] == ["g2", "g1"]
        gevent.killall([first, second])


@in_hub
def test_they_are_in_the_list_of_processes_after_them() -> None:
    waiting = spawn(receive, label="process")
    with noting() as observer:
        naps = [gevent.spawn(napping) for _ in range(3)]
        gevent.sleep(0)
        window = observer.listing(sort="pid", descending=False)
        assert [row.pid for row in window.rows][-4:] == [str(waiting), "g1", "g2", "g3"]
        assert window.total == len(window.rows)
        backwards = observer.listing(sort="pid", descending=True)
        assert [row.pid for row in backwards.rows] == [row.pid for row in window.rows][::-1]
        newest = observer.listing(sort="started_at", descending=True, limit=2)
        assert [row.pid for row in newest.rows] == ["g3", "g2"]
        assert observer.listing(filter="kind=greenlet").matched == 3
        assert observer.listing(sort="pid", filter="napping", anchor="g2").anchor_index == 1
        groups = {row.name: row.child_count for row in observer.listing(group_by="initial_call").rows}
        assert groups[f"{__name__}.napping"] == 3
        gevent.killall(naps)
        assert observer.listing(filter="kind=greenlet").total == 0


@in_hub
def test_a_row_says_where_in_the_programs_own_code_it_is() -> None:
    with noting() as observer:
        nap = gevent.spawn(napping)
        idle = gevent.spawn(gevent.sleep, 60)
        gevent.sleep(0)
        rows = {row.pid: row for row in observer.listing().rows}
        assert rows["g1"].at is not None
        assert rows["g1"].at.startswith("test_greenlets.py:")
        assert rows["g1"].at.endswith(" napping")
        assert rows["g2"].at is None
        gevent.killall([nap, idle])


@in_hub
def test_one_that_is_to_start_later_waits_and_is_not_due() -> None:
    with noting() as observer:
        later, soon = gevent.spawn_later(60, napping), gevent.spawn(napping)
        statuses = [row.status for row in observer.listing(filter="kind=greenlet", sort="pid", descending=False).rows]
        assert statuses == ["waiting", "runnable"]
        rows = observer.listing(filter="kind=greenlet", sort="pid", descending=False).rows
        assert rows[0].starts_in is not None
        assert 50 < rows[0].starts_in <= 60
        assert rows[1].starts_in is None
        gevent.killall([later, soon])


@in_hub
def test_who_has_started_one_is_told_with_it() -> None:
    def starting() -> None:
        started.append(gevent.spawn(napping))
        napping()

    started: list[gevent.Greenlet[[], None]] = []
    with noting() as observer:
        starter = gevent.spawn(starting)
        gevent.sleep(0)
        details = observer.ask(wire.GetProcess(pid="g2"))
        assert details.parent.pid == "g1"
        gevent.killall([starter, *started])


@in_hub
def test_one_whose_attributes_raise_is_listed_with_the_others() -> None:
    class Odd(gevent.Greenlet):  # type: ignore[type-arg]
        @property
        def spawning_greenlet(self) -> Any:  # type: ignore[override]
            raise RuntimeError("not now")

    with noting() as observer:
        naps = [gevent.spawn(napping), Odd.spawn(napping), gevent.spawn(napping)]
        gevent.sleep(0)
        assert len([row for row in observer.tree(**OPEN).rows if row.kind == "greenlet"]) == 3
        gevent.killall(naps)


@in_hub
def test_those_that_have_ended_are_not_counted() -> None:
    with noting() as observer:
        naps = [gevent.spawn(napping) for _ in range(3)]
        gevent.sleep(0)
        assert observer.tree().stats.greenlet_count == 3
        naps[0].kill()
        assert observer.tree().stats.greenlet_count == 2
        gevent.killall(naps)


@in_hub
def test_a_greenlet_that_ends_before_an_observer_looks_costs_a_weak_reference_and_leaves_none() -> None:
    with noting() as observer:
        greenlets = observer.greenlets
        short = gevent.spawn(gevent.sleep, 0)
        short.join()
        assert RECORD not in vars(short)
        lasting = gevent.spawn(gevent.sleep, 60)
        for _ in range(3 * SWEEP):
            gevent.spawn(gevent.sleep, 0).join()
        assert len(greenlets._born) <= SWEEP + 2
        assert len(greenlets) == 1
        assert RECORD in vars(lasting)
        lasting.kill()


@in_hub
def test_the_one_that_fails_is_logged_with_its_stack_and_the_one_that_ends_is_not() -> None:
    with noting() as observer:
        gevent.spawn(gevent.sleep, 0).join()
        failed = gevent.spawn(failing)
        failed.join()
        gevent.sleep(0.01)
        (event,) = [event for event in observer.events() if event.kind == "exit"]
        assert (event.pid, event.crashed, event.reason) == ("g1", True, "LookupError: nothing there")
        assert [frame.function for frame in event.stacktrace] == ["failing"]
        assert observer.greenlets.find("g2") is None


@in_hub
def test_details_show_where_one_waits_and_a_plan_says_that_nothing_brings_it_back() -> None:
    with noting() as observer:
        nap = gevent.spawn(napping)
        gevent.sleep(0)
        details = observer.ask(wire.GetProcess(pid="g1", state=True))
        assert isinstance(details, wire.Details)
        assert "napping" in [frame.function for frame in details.current_stacktrace]
        plan = observer.ask(wire.GetPlan(pid="g1"))
        assert "nothing brings it back" in plan.sentence
        assert [each.pid for each in plan.kills] == ["g1"]
        nap.kill()
        assert observer.ask(wire.GetProcess(pid="g1")).kind == "noproc"


def ask_from_outside(observer: Observer, command: wire.Query) -> wire.Done | wire.Failed:
    """Have a command carried out, asked for from another thread as an observer's are."""
    answer: wire.Done | wire.Failed = gevent.get_hub().threadpool.apply(observer.ask, (command,))
    return answer


@in_hub
def test_a_kill_raises_greenlet_exit_and_is_the_cause_of_the_end() -> None:
    released = []

    def careful() -> None:
        try:
            napping()
        finally:
            released.append(True)

    with noting() as observer:
        nap = gevent.spawn(careful)
        gevent.sleep(0)
        done = ask_from_outside(observer, wire.Exit(pid="g1"))
        nap.join()
        gevent.sleep(0.01)
        assert isinstance(done, wire.Done)
        assert isinstance(nap.value, gevent.GreenletExit)
        assert released
        killed, ended = [event for event in observer.events() if event.kind in ("kill", "exit")]
        assert (killed.pid, killed.kind, killed.id) == ("g1", "kill", done.event)
        assert (ended.kind, ended.reason, ended.cause) == ("exit", "killed", killed.id)


@pytest.mark.parametrize(
    "command",
    [
        wire.Exit(pid="g1", reason="'shutdown'"),
        wire.Suspend(pid="g1"),
        wire.Send(pid="g1", message="1"),
        wire.ControlChild(supervisor="g1", child_id="x", action="restart"),
    ],
)
def test_what_only_processes_understand_is_refused(command: wire.Query) -> None:
    @in_hub
    def test() -> None:
        with noting() as observer:
            nap = gevent.spawn(napping)
            answer = ask_from_outside(observer, command)
            assert isinstance(answer, wire.Failed)
            assert answer.kind == "bad_request"
            assert "g1 is a greenlet and no process" in answer.why
            assert not nap.dead
            nap.kill()
            assert ask_from_outside(observer, command).kind == "noproc"  # type: ignore[union-attr]

    test()


def test_a_factory_that_the_program_has_put_in_front_stays_there() -> None:
    def of_the_program(function: object, hub: object) -> object:
        raise AssertionError("not called")

    def test() -> None:
        factories: Any = gevent.hub
        tracked, plain = factories.TrackedRawGreenlet, factories.RawGreenlet
        try:
            with noting():
                factories.TrackedRawGreenlet = of_the_program
            assert factories.TrackedRawGreenlet is of_the_program
            assert factories.RawGreenlet is plain
        finally:
            factories.TrackedRawGreenlet = tracked

    run(test)
