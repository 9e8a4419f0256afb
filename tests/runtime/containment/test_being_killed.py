"""A killed process is dead for everybody, whatever its frames do."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from runtime import (
    ANY,
    Down,
    GenServer,
    StartError,
    Supervisor,
    alive,
    cast,
    exit,
    monitor,
    receive,
    register,
    self_,
    send,
    sleep,
    spawn,
    spawn_monitor,
    whereis,
)
from runtime.kernel.node import running_node
from tests.support.in_node import in_node


@in_node
def test_who_swallows_the_kill_for_ever_is_dead_all_the_same() -> None:
    turns = []

    def stubborn() -> None:
        register("stubborn", self_())
        while True:
            try:
                sleep(1)
            except BaseException:
                turns.append(1)
                with suppress(BaseException):
                    send("stubborn", "still here")

    pid, _ = spawn_monitor(stubborn)
    sleep(0.1)
    exit(pid, "kill")
    assert receive(Down).reason == "killed"
    assert not alive(pid)
    assert whereis("stubborn") is None
    assert turns
    node = running_node()
    assert node is not None
    assert len(node.scheduler.remains) == 1


@in_node
def test_a_server_that_swallows_the_kill_for_ever_is_restarted() -> None:
    class Stubborn(GenServer):
        def init(self) -> None:
            register("stubborn", self_())

        def handle_cast(self, message: Any) -> None:
            while True:
                with suppress(BaseException):
                    sleep(1)

    Supervisor.start_link([(Stubborn,)])
    first = whereis("stubborn")
    assert first is not None
    cast("stubborn", "hang")
    sleep(0.1)
    exit(first, "kill")
    sleep(0.1)
    assert whereis("stubborn") not in (None, first)


@in_node
def test_a_callback_that_swallows_the_kill_and_returns_has_changed_nothing() -> None:
    class Swallowing(GenServer):
        def handle_cast(self, message: Any) -> None:
            with suppress(BaseException):
                receive("never")

    for reason in ("kill", "boom"):
        pid: Any = Swallowing.start()
        ref = monitor(pid)
        for _ in range(3):
            cast(pid, "wait")
        sleep(0.1)
        exit(pid, reason)
        assert receive(Down(ref, pid, ANY), timeout=1).reason == ("killed" if reason == "kill" else reason)


@in_node
def test_a_start_whose_init_swallows_the_kill_fails() -> None:
    def kill_soon(name: str) -> None:
        sleep(0.1)
        exit(whereis(name), "kill")

    class Swallowing(GenServer):
        def init(self) -> None:
            with suppress(BaseException):
                receive("never")

    spawn(kill_soon, "swallowing")
    with pytest.raises(StartError) as caught:
        Swallowing.start(name="swallowing")
    assert caught.value.reason == "killed"


@in_node
def test_generators_and_context_managers_are_closed_before_anybody_hears_of_the_death() -> None:
    closed = []

    def numbers() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("generator")

    @contextmanager
    def opened() -> Iterator[None]:
        try:
            yield
        finally:
            closed.append("context")

    def work() -> None:
        for _ in numbers():
            with opened():
                receive()

    pid, _ = spawn_monitor(work)
    sleep(0.1)
    exit(pid, "kill")
    receive(Down)
    assert sorted(closed) == ["context", "generator"]


@in_node
def test_a_process_that_spawns_in_its_finally_starts_nothing() -> None:
    born = []
    ran: list[int] = []

    def work() -> None:
        try:
            receive()
        finally:
            born.append(spawn(ran.append, 1))

    pid, _ = spawn_monitor(work)
    sleep(0.1)
    exit(pid, "kill")
    receive(Down)
    sleep(0.1)
    assert not alive(born[0])
    assert ran == []


@in_node
def test_one_that_ends_by_itself_may_spawn_in_its_finally() -> None:
    here = self_()

    def work() -> None:
        try:
            exit("over")
        finally:
            spawn(send, here, "from the child")

    spawn(work)
    assert receive() == "from the child"
