"""The finding of supervisors whose children fail again and again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from runtime import ChildSpec, Supervisor, cast, exit, sleep, whereis
from runtime.introspection import wire
from runtime.introspection.answers import crash_loops, findings
from runtime.kernel.instrument import install_instrument
from runtime.kernel.process import Pid
from tests.support.in_node import in_node
from tests.support.trees import Idle, Observer, supervisor, workers


@pytest.fixture(autouse=True)
def look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "PERIOD", 0.0)
    monkeypatch.setattr(findings, "SHARE", 1e9)


def _observer() -> Observer:
    observer = Observer()
    install_instrument(observer.log)
    return observer


def _found(observer: Observer) -> list[wire.Lint]:
    return [lint for lint in observer.ask(wire.GetLints()).lints if lint.kind == "crash_loop"]


def _crash(name: str = "orders") -> None:
    cast(name, "crash")
    sleep(0.1)


def _used(observer: Observer, key: str) -> int | None:
    return next(row.restarts_used for row in observer.tree().rows if row.key == key)


def _server(name: str) -> ChildSpec:
    return ChildSpec(id=name, start=(partial(Idle.start_link, name=name),))


def _start(*names: str) -> None:
    children = [_server(name) for name in names or ("orders",)]
    Supervisor.start_link([supervisor("kitchen", children, max_restarts=3)], name="restaurant", max_restarts=9)


@in_node
def test_nothing_is_found_before_all_restarts_are_made() -> None:
    _start()
    observer = _observer()
    for _ in range(3):
        assert _found(observer) == []
        _crash()
    (lint,) = _found(observer)
    kitchen = whereis("kitchen")
    assert lint.pids == (str(kitchen),)
    assert lint.sentence == (
        "orders fails again and again (ValueError: told to crash): with the next failure "
        f"kitchen {kitchen} gives up (3 of 3 restarts in 5 s)."
    )


@in_node
def test_the_finding_stays_while_it_goes_on_and_half_a_minute_longer() -> None:
    _start()
    observer = _observer()
    for number in range(10):  # by turns two and three of three
        _crash()
        sleep(2.0)
        assert bool(_found(observer)) is (number >= 2)
    since = {lint.since for lint in _found(observer)}
    sleep(20.0)
    (lint,) = _found(observer)
    assert {lint.since} == since
    assert "was one failure from giving up 22 s ago (0 of 3 restarts in 5 s now)" in lint.sentence
    sleep(crash_loops.REMEMBERED)
    assert _found(observer) == []


@in_node
def test_the_finding_and_the_row_count_the_same_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    _start()
    observer = _observer()
    for _ in range(3):
        _crash()
    assert "(3 of 3" in _found(observer)[0].sentence
    assert _used(observer, "restaurant/kitchen") == 3
    monkeypatch.setattr(findings, "PERIOD", 1e9)  # the next look is not due
    sleep(5.0)
    assert _used(observer, "restaurant/kitchen") == 0
    (lint,) = _found(observer)
    assert "(0 of 3" in lint.sentence
    assert lint.weight == 2


@in_node
def test_a_supervisor_that_gave_up_is_found_as_what_it_was_started_again_as() -> None:
    _start()
    observer = _observer()
    for _ in range(4):
        _crash()
    (lint,) = _found(observer)
    again = whereis("kitchen")
    assert lint.pids == (str(again),)
    assert f"kitchen gave up 0 s ago and runs again as {again} (more than 3 restarts in 5 s)." in lint.sentence
    sleep(crash_loops.REMEMBERED)
    assert _found(observer) == []


@in_node
def test_one_that_gave_up_and_is_not_started_again_is_told_of_too() -> None:
    kitchen = supervisor("kitchen", [_server("orders")], max_restarts=1)
    Supervisor.start_link([replace(kitchen, restart="temporary")], name="restaurant")
    observer = _observer()
    _crash()
    assert _found(observer) == []
    _crash()
    (lint,) = _found(observer)
    assert lint.pids == ()
    assert "kitchen gave up 0 s ago and is not running (more than 1 restart in 5 s)." in lint.sentence


@in_node
def test_a_supervisor_that_has_ended_is_not_pointed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    _start()
    observer = _observer()
    for _ in range(3):
        _crash()
    assert "with the next failure" in _found(observer)[0].sentence
    before = whereis("kitchen")
    assert before is not None
    monkeypatch.setattr(findings, "PERIOD", 1e9)  # the next look is not due
    exit(before, "kill")
    sleep(0.1)
    assert [lint for lint in _found(observer) if str(before) in lint.pids] == []


@in_node
def test_several_that_fail_are_not_put_down_to_one() -> None:
    _start("orders", "till")
    observer = _observer()
    for name in ("orders", "till", "orders"):
        _crash(name)
    assert _found(observer)[0].sentence.startswith("orders and others fail again and again (ValueError: ")


@in_node
def test_what_the_log_does_not_tell_is_left_out() -> None:
    Supervisor.start_link(workers(1), name="app", max_restarts=2)
    observer = Observer()
    for _ in range(2):
        exit(Pid.parse(next(row.pid for row in observer.tree().rows if row.key == "app/w0") or ""), "kill")
        sleep(0.1)
    assert _found(observer)[0].sentence.startswith("with the next failure app <")
