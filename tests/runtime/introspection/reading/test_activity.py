"""What a greenlet is doing, read from the frames of libraries that are installed, and of programs that describe it."""

from __future__ import annotations

import itertools
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.monkey import get_original
from gevent.pywsgi import WSGIServer

from runtime import GenServer, introspection, run
from runtime.introspection import wire
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.reading import described
from runtime.kernel.threads import new_lock, start_thread
from tests.support.trees import Observer


def greenlets(observer: Observer) -> list[wire.Row]:
    return [row for row in observer.listing().rows if row.kind == "greenlet"]


def noted(test: Callable[[Observer], None], **permissions: bool) -> None:
    """Run a test as the first process of a node whose greenlets are noted."""

    def run_test() -> None:
        observer = Observer(permissions=Permissions(**permissions))
        observer.greenlets.switch_on()
        try:
            test(observer)
        finally:
            observer.greenlets.switch_off()
            gevent.killall([g for chunk in observer.greenlets for record in chunk if (g := record.worker) is not None])

    run(run_test)


@pytest.fixture(autouse=True)
def _describe_nothing_afterwards() -> Iterator[None]:
    yield
    described._described.clear()


def slow_app(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    start("200 OK", [])
    gevent.sleep(60)
    return [b"late"]


def test_a_request_of_pywsgi_is_told_by_method_and_path_and_not_by_what_follows_the_path() -> None:
    def test(observer: Observer) -> None:
        server = WSGIServer(("127.0.0.1", 0), slow_app, log=None)
        server.start()
        clients = [socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(3)]
        for client, path in zip(clients, (b"/orders?token=secret", b"/orders", b"/users"), strict=True):
            client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        while sum(row.doing is not None for row in greenlets(observer)) < 3:
            gevent.sleep(0.01)
        rows = [row for row in greenlets(observer) if row.doing is not None]
        assert sorted(row.doing or "" for row in rows) == ["GET /orders", "GET /orders", "GET /users"]
        assert all(time.time() - 60 < (row.doing_since or 0) <= time.time() for row in rows)
        assert {row.at and row.at.rpartition(" ")[2] for row in rows} == {"slow_app"}
        assert {row.initial_call for row in rows} == {"gevent.pywsgi.WSGIServer.handle"}
        groups = {row.name: row for row in observer.listing(group_by="doing", sort="doing_since").rows}
        orders = groups["GET /orders"]
        assert (orders.child_count, groups["GET /users"].child_count) == (2, 1)
        assert orders.seconds_total is not None
        assert orders.seconds_longest is not None
        assert orders.seconds_longest <= orders.seconds_total < 60
        assert observer.listing(filter='doing="GET /orders"').total == 2
        assert observer.listing(filter="doing~users and doing_for>=0").total == 1
        assert observer.listing(filter="at~slow_app").total == 3
        assert next(row.child_count for row in observer.listing(group_by="at").rows if "slow_app" in row.name) == 3
        assert observer.listing(sort="doing", descending=True).rows[0].doing == "GET /users"
        for client in clients:
            client.close()
        server.stop(timeout=0)

    noted(test)


def handle(job: object) -> None:
    gevent.sleep(60)


def rows_of(observer: Observer, *jobs: object) -> list[str | None]:
    started = [gevent.spawn(handle, job) for job in jobs]
    gevent.sleep(0)
    told = [row.doing for row in greenlets(observer)]
    gevent.killall(started)
    return told


def test_a_program_says_what_its_own_functions_are_doing() -> None:
    introspection.describe(handle, lambda job: f"job {job}")
    noted(lambda observer: _is(rows_of(observer, 7, 8), ["job 7", "job 8"]))


def test_a_text_may_say_nothing_and_is_cut_when_it_is_long() -> None:
    introspection.describe(handle, lambda job: None if job == 1 else "x" * 100_000)

    def test(observer: Observer) -> None:
        quiet, long = rows_of(observer, 1, 2)
        assert quiet is None
        assert long is not None
        assert len(long) <= 200

    noted(test)


def _raises(job: object) -> str:
    raise ValueError(job)


def _loops(job: object) -> str:
    while True:
        pass


def _waits(job: object) -> str:
    for _ in itertools.count():
        get_original("time", "sleep")(0.001)
    return ""


@pytest.mark.parametrize(
    ("text", "why"),
    [(_raises, "raised ValueError"), (_loops, "took too long"), (_waits, "took too long")],
)
def test_a_text_that_fails_or_never_ends_is_dropped_with_one_line(
    text: Callable[..., str], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    introspection.describe(handle, text)
    with caplog.at_level(logging.WARNING, "runtime.introspection"):

        def test(observer: Observer) -> None:
            assert rows_of(observer, 1, 2, 3) == [None] * 3
            assert rows_of(observer, 1) == [None]
            with gevent.Timeout(60):
                while not caplog.records:  # the line comes from the hub
                    gevent.sleep(0.001)

        noted(test)
    lines = [record.getMessage() for record in caplog.records if "describes handle" in record.getMessage()]
    assert lines == [f"The text that describes handle is not used any more: it {why}."]


def test_what_is_no_text_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    introspection.describe(handle, lambda job: job)

    def test(observer: Observer) -> None:
        assert rows_of(observer, 5) == [None]
        with gevent.Timeout(60):
            while not caplog.records:
                gevent.sleep(0.001)

    noted(test)
    assert "returned int, not a text" in caplog.records[0].getMessage()


def test_without_states_nothing_is_read_of_variables() -> None:
    introspection.describe(handle, lambda job: f"job {job}")

    def test(observer: Observer) -> None:
        nap = gevent.spawn(handle, 7)
        gevent.sleep(0)
        assert [row.doing for row in greenlets(observer)] == [None]
        assert [row.name for row in observer.listing(group_by="doing").rows] == ["nothing known"]
        assert observer.listing(filter="doing~job").total == 0
        nap.kill()

    noted(test, state=False)


class Clerk(GenServer):
    def handle_cast(self, message: object) -> None:
        gevent.sleep(60)


def test_processes_are_described_too() -> None:
    introspection.describe(Clerk.handle_cast, lambda message: f"writes {message}")

    def test(observer: Observer) -> None:
        from runtime import cast

        pid = Clerk.start()
        assert pid is not None
        cast(pid, "a letter")
        gevent.sleep(0.01)
        (row,) = [row for row in observer.listing().rows if row.pid == str(pid)]
        assert row.doing == "writes a letter"
        assert row.at is not None
        assert row.at.endswith(" handle_cast")

    noted(test)


def test_what_cannot_be_described_is_refused_at_the_call() -> None:
    with pytest.raises(TypeError, match="written in Python"):
        introspection.describe(print, lambda: "")
    with pytest.raises(TypeError, match="returns a text"):
        introspection.describe(handle, "a text")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="handle has no variable 'jb'; it has job"):
        introspection.describe(handle, lambda jb: "")


def _is(value: object, expected: object) -> None:
    assert value == expected


def test_the_thread_of_a_call_stays_until_no_exception_can_be_raised_in_it_any_more() -> None:
    call = described._Call(lambda: "done", {})
    for lock in (call._over, call._may_end):
        lock.acquire()
    start_thread(call._work, ())
    assert call._over.acquire(timeout=60)
    number = call._thread
    assert number in sys._current_frames()
    call._may_end.release()
    pause = new_lock()
    pause.acquire()
    while number in sys._current_frames():
        pause.acquire(timeout=0.001)
    assert call.value == "done"
