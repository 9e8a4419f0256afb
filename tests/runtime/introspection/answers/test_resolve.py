"""Whom a question means, and what is said when there is no such process."""

from __future__ import annotations

import gevent
import pytest

from runtime import exit, receive, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.answers.resolve import RefusedError, addressee, gone
from tests.support.in_node import in_node
from tests.support.trees import Observer


def _refused(text: str, observer: Observer) -> wire.Failed:
    with pytest.raises(RefusedError) as refused:
        addressee(text, observer.node)
    assert str(refused.value) == refused.value.answer.why
    return refused.value.answer


@in_node
def test_a_living_process_is_found_by_its_pid() -> None:
    pid = spawn(receive)
    assert addressee(str(pid), Observer().node) is pid.process


@in_node
def test_a_greenlet_is_found_by_its_name_until_it_ends() -> None:
    observer = Observer()
    observer.greenlets.switch_on()
    greenlet = gevent.spawn(gevent.sleep, 60)
    found = addressee("g1", observer.node)
    assert str(found.pid) == "g1"
    greenlet.kill()
    assert _refused("g1", observer) == wire.Failed(why="There is no greenlet g1: it has ended.", kind="noproc")
    observer.greenlets.switch_off()


@in_node
def test_a_dead_process_and_one_that_never_was_are_told_apart() -> None:
    observer = Observer()
    pid = spawn(receive)
    exit(pid, "kill")
    sleep(0)
    assert _refused(str(pid), observer) == gone(str(pid))
    assert _refused(str(pid), observer).why == f"There is no process {pid}: it has ended."
    for never in ("<0.999999.0>", "<7.1.0>", "<0.1.5>"):
        answer = _refused(never, observer)
        assert (answer.why, answer.kind) == (f"There has never been a process {never} on this node.", "noproc")


@in_node
def test_what_is_no_pid_is_a_bad_request() -> None:
    for text in ("nonsense", "", "<0.1", "g", "g1x", "x" * 1_000):
        answer = _refused(text, Observer())
        assert answer.kind == "bad_request"
        assert answer.why == f"{text[:100]!r} is not a pid; one looks like <0.17.0>."


@in_node
def test_the_remains_of_a_process_are_found_where_they_are_asked_for() -> None:
    def linger() -> None:
        try:
            receive()
        finally:
            while not over:
                gevent.sleep(0)

    over: list[bool] = []
    observer = Observer()
    pid = spawn(linger)
    sleep(0)
    exit(pid, "kill")
    gevent.sleep(0)
    found = addressee(str(pid), observer.node, with_remains=True)
    assert found.pid == pid
    assert _refused(str(pid), observer).kind == "noproc"
    over.append(True)
