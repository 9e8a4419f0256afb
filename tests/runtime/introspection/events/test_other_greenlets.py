"""Greenlets that gevent does not report: the main one, raw ones, and those of other threads' hubs."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import gevent
import gevent.hub
import pytest

from runtime.introspection import wire
from runtime.introspection.events import greenlets
from runtime.kernel.node import close_node
from tests.support.trees import Observer


def napping() -> None:
    gevent.sleep(60)


def ask_from_outside(observer: Observer, command: wire.Query) -> wire.Done | wire.Failed:
    """Have a command carried out, asked for from another thread as an observer's are."""
    answer: wire.Done | wire.Failed = gevent.get_hub().threadpool.apply(observer.ask, (command,))
    return answer


def plain_program(test: Callable[[Observer], None]) -> None:
    """Run a test in the main greenlet of a program that has no process, as any gevent program is."""
    observer = Observer()
    gevent.sleep(0)  # the hub is in use
    observer.greenlets.switch_on()
    try:
        test(observer)
    finally:
        observer.greenlets.switch_off()
        observer.watchdog.close()
        observer.answers.close()
        close_node(observer.node.node)


def test_the_main_greenlet_is_there_where_the_program_uses_the_hub() -> None:
    def test(observer: Observer) -> None:
        nap = gevent.spawn(napping)
        main, started = observer.listing(filter="kind=greenlet", sort="pid", descending=False).rows
        assert (main.pid, main.name) == ("g0", "main greenlet")
        assert observer.greenlets.find("g0") is not None
        details = observer.ask(wire.GetProcess(pid=started.pid or ""))
        assert details.parent == wire.Related(pid="g0", name="main greenlet")
        refused = ask_from_outside(observer, wire.Exit(pid="g0"))
        assert isinstance(refused, wire.Failed)
        assert "the main greenlet" in refused.why
        running = observer.greenlets.running()
        assert running is not None
        assert running.is_main
        nap.kill()

    plain_program(test)


def test_raw_greenlets_are_listed_with_what_they_run_and_can_be_killed() -> None:
    def raw(seconds: float) -> None:
        gevent.sleep(seconds)

    def test(observer: Observer) -> None:
        started = [gevent.spawn_raw(raw, 60), gevent.spawn_raw(raw, seconds=60)]
        assert {type(each).__name__ for each in started} == {"TrackedRawGreenlet"}
        rows = observer.listing(filter="kind=greenlet and name~raw", sort="pid", descending=False).rows
        assert [row.status for row in rows] == ["runnable", "runnable"]
        gevent.sleep(0)
        rows = observer.listing(filter="kind=greenlet and name~raw", sort="pid", descending=False).rows
        assert [(row.name, row.status) for row in rows] == [("<locals>.raw", "waiting")] * 2
        assert all(row.at is not None and row.at.endswith(" raw") for row in rows)
        for row in rows:
            assert isinstance(ask_from_outside(observer, wire.Exit(pid=row.pid or "")), wire.Done)
        assert [each.dead for each in started] == [True, True]
        assert len(observer.greenlets) == 1

    plain_program(test)


def test_a_raw_greenlet_from_before_is_found() -> None:
    started = gevent.spawn_raw(gevent.sleep, 60)
    gevent.sleep(0)

    def test(observer: Observer) -> None:
        assert [row.initial_call for row in observer.listing(filter="pid=g1").rows] == ["sleep"]
        gevent.kill(started)
        gevent.sleep(0)

    plain_program(test)


def test_switched_off_gevent_makes_raw_greenlets_as_before() -> None:
    before = (vars(gevent.hub)["TrackedRawGreenlet"], vars(gevent.hub)["RawGreenlet"])
    with_observer: list[object] = []
    plain_program(lambda observer: with_observer.append(vars(gevent.hub)["TrackedRawGreenlet"]))
    assert with_observer[0] is not before[0]
    assert (vars(gevent.hub)["TrackedRawGreenlet"], vars(gevent.hub)["RawGreenlet"]) == before


def test_the_hub_of_another_thread_is_a_branch_of_its_own() -> None:
    begun, over = Event(), Event()

    def sidecar() -> None:
        naps = [gevent.spawn(napping) for _ in range(2)]
        gevent.sleep(0)
        begun.set()
        gevent.joinall(naps)
        over.set()
        gevent.get_hub().destroy(destroy_loop=True)

    def test(observer: Observer) -> None:
        own = gevent.spawn(napping)
        thread = Thread(target=sidecar, name="sidecar")
        thread.start()
        assert begun.wait(120)
        key = f"{wire.GREENLETS}:sidecar"
        rows = observer.tree(unfolded=(wire.GREENLETS, key)).rows
        groups = [(row.key, row.name, row.child_count) for row in rows if row.kind == "group"]
        assert groups == [(wire.GREENLETS, "greenlets", 2), (key, "greenlets of thread sidecar", 2)]
        others = [row for row in rows if row.parent_key == key]
        assert {row.at and row.at.rpartition(" ")[2] for row in others} == {"napping"}
        assert observer.listing(filter="kind=greenlet").total == 4
        for row in others:
            assert isinstance(ask_from_outside(observer, wire.Exit(pid=row.pid or "")), wire.Done)
        assert over.wait(120)
        thread.join()
        assert [row.key for row in observer.tree().rows] == [wire.GREENLETS]
        own.kill()

    plain_program(test)


def test_of_very_many_those_that_have_ended_are_not_counted_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greenlets, "MOST_COUNTED", 10)

    def test(observer: Observer) -> None:
        ended = [gevent.spawn(int) for _ in range(50)]
        gevent.joinall(ended)
        counts = [len(observer.greenlets) for _ in range(8)]
        assert counts[-1] == 1, "the main greenlet alone"

    plain_program(test)
