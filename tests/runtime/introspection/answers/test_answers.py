"""Every question gets one answer, also when it cannot be answered."""

from __future__ import annotations

import logging
from typing import Any, cast

import gevent
import pytest

from runtime import receive, spawn
from runtime.introspection import wire
from runtime.introspection.answers import answers
from runtime.introspection.answers.answers import ANSWERED_AT_ONCE, ANSWERED_IN_TURN, CARRIED_OUT
from runtime.introspection.answers.client_cache import ClientCache
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree


class Unheard(wire.Query, tag="unheard", frozen=True):
    """A question of a later version."""


def test_every_question_of_the_wire_has_exactly_one_who_answers_it() -> None:
    known = [*ANSWERED_AT_ONCE, *ANSWERED_IN_TURN, *CARRIED_OUT]
    assert set(known) == set(wire.AnyQuery.__args__)
    assert len(known) == len(set(known))


@in_node
def test_a_question_that_the_node_does_not_know_is_refused_as_such() -> None:
    answer = Observer().ask(Unheard())
    assert answer == wire.Failed(why="This node cannot answer Unheard.", kind="unsupported")


@in_node
def test_what_makes_no_sense_is_a_bad_request() -> None:
    observer = Observer()
    for query in (wire.GetTree(filter="mailbox>"), wire.GetProcess(pid="nonsense"), wire.Exit(pid="nonsense")):
        answer = observer.ask(query)
        assert isinstance(answer, wire.Failed)
        assert (answer.kind, answer.why[-1]) == ("bad_request", ".")


@in_node
def test_the_processor_is_measured_where_that_is_cheap_or_asked_for() -> None:
    class Clock:
        def __init__(self, is_cheap: bool) -> None:
            self.is_cheap, self.asked = is_cheap, 0

        def keep_going(self) -> None:
            self.asked += 1

        def close(self) -> None:
            pass

    start_tree()
    observer = Observer()
    for is_cheap, sort, asked in ((True, "pid", 1), (False, "pid", 0), (False, "cpu_time", 1)):
        clock = Clock(is_cheap)
        observer.node.cpu = cast(Any, clock)
        observer.ask(wire.GetProcesses(sort=cast(Any, sort)))
        assert clock.asked == asked


def test_an_answer_that_fails_is_said_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> wire.Stats:
        raise KeyError("no such figure")

    @in_node
    def look() -> None:
        monkeypatch.setattr(answers, "ANSWERED_IN_TURN", dict.fromkeys(ANSWERED_IN_TURN, fail))
        observer = Observer()
        answer = observer.ask(wire.GetStats())
        gevent.sleep(0.01)
        assert answer == wire.Failed(why="The node could not answer: KeyError: 'no such figure'")
        assert isinstance(observer.ask(wire.GetEvents()), wire.Events)

    with caplog.at_level(logging.ERROR, logger="runtime.introspection"):
        look()
    assert [record.getMessage() for record in caplog.records] == [
        "The node could not answer: KeyError: 'no such figure'"
    ]


@in_node
def test_what_is_remembered_for_nobody_is_let_go_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    start_tree()
    spawn(receive)
    observer = Observer()
    observer.tree()
    assert observer.node.supervisors.count > 0
    observer.answers.forget([observer.cache])
    assert observer.node.supervisors.find("app") is not None
    monkeypatch.setattr(answers, "REMEMBERED", 0.0)
    observer.answers.forget([observer.cache])
    assert observer.node.supervisors.find("app") is None
    assert observer.tree().rows[0].key == "app"


@in_node
def test_what_was_remembered_for_a_client_goes_with_it() -> None:
    observer = Observer()
    observer.cache = ClientCache()
    query = wire.GetTree(limit=5)
    observer.ask(query)
    what = (query.root, query.unfolded, query.folded, query.fold_over, query.sort, query.descending, query.filter)
    observer.cache.tree._least = 1e9  # so that it would be used again
    assert observer.cache.tree.again(what) is not None
    observer.answers.dismiss(observer.cache)
    assert observer.cache.tree.again(what) is None
