"""The node as its answers see it: whom a key means, and what is remembered between questions."""

from __future__ import annotations

import pytest

from runtime import exit, receive, sleep, spawn, whereis
from runtime.introspection import wire
from runtime.introspection.answers import findings
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.reading.activity import WITHHELD
from runtime.introspection.threads.pace import Pace
from runtime.introspection.tracing import taps
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer, start_tree


@in_node
def test_a_process_is_found_by_its_pid_and_by_its_place() -> None:
    start_tree()
    node = Observer().node
    node.update(Pace())
    pool = whereis("pool1")
    assert pool is not None
    assert node.find("app/pool1") is pool.process is node.find(str(pool))
    assert node.find("app/nobody") is None
    assert node.find("<0.999.0>") is None


@in_node
def test_an_update_counts_the_supervisors_there_are_now() -> None:
    node = Observer().node
    node.update(Pace())
    assert node.figures.supervisors == 0
    start_tree(pools=2)
    node.update(Pace())
    assert node.figures.supervisors == 4


@in_node
def test_what_was_remembered_is_let_go_and_found_again() -> None:
    start_tree()
    node = Observer().node
    node.update(Pace())
    node.let_go()
    assert node.find("app/pool1") is None
    assert not node.top_level.roots()
    node.update(Pace())
    assert node.find("app/pool1") is not None


@in_node
def test_findings_are_looked_for_when_they_are_due_and_shown_in_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "IGNORED_FOR", 0.0)
    node = Observer().node
    node.look_for_findings(Pace())
    alone = spawn(receive)
    node.look_for_findings(Pace())
    assert node.figures.lint_count == 0
    monkeypatch.setattr(findings, "PERIOD", 0.0)
    monkeypatch.setattr(findings, "SHARE", 1e9)
    node.look_for_findings(Pace())
    assert node.figures.lint_count == 1
    assert alone.process is not None
    assert node.snapshot().row(alone.process).lints == ("unwatched",)
    exit(alone, "kill")
    sleep(0)
    node.look_for_findings(Pace())
    assert node.figures.lint_count == 0


@in_node
def test_what_a_node_withholds_is_no_matter_of_the_child_of_a_fork() -> None:
    node = Observer(permissions=Permissions(state=False)).node
    assert node.node in WITHHELD
    node.leave_behind()
    assert node.node not in WITHHELD


@in_node
def test_the_child_of_a_fork_traces_nothing_for_the_observer_of_its_parent() -> None:
    observer = Observer()
    assert isinstance(in_thread(lambda: observer.ask(wire.StartTrace())), wire.TraceState)
    assert taps._taps
    observer.node.leave_behind()
    assert taps._taps == ()
