"""Children of a test: started under its supervisor, restarted as their specs say, stopped in order."""

from __future__ import annotations

import pytest

from runtime import (
    ChildSpec,
    GenServer,
    NotInProcessError,
    StartError,
    SupervisorError,
    alive,
    exit,
    flag,
    sleep,
    whereis,
)
from runtime.testing import supervised
from tests.support.in_node import in_node

stopped: list[object] = []


class Server(GenServer):
    """Says when it stops."""

    def init(self, number: int = 0) -> None:
        flag(trap_exit=True)
        if number < 0:
            raise ValueError("negative")
        self.number = number

    def terminate(self, reason: object) -> None:
        stopped.append((self.number, reason))


def _server(number: int, **spec: object) -> ChildSpec:
    return ChildSpec(id=number, start=(Server.start_link, number), **spec)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def nothing_has_stopped() -> None:
    stopped.clear()


@in_node
def test_children_are_stopped_newest_first_when_the_test_ends() -> None:
    supervised.begin()
    pids = [supervised.start_supervised(_server(number)) for number in (1, 2)]
    supervised.end()
    assert stopped == [(2, "shutdown"), (1, "shutdown")]
    assert not any(map(alive, pids))
    supervised.end()  # a second end changes nothing


@in_node
def test_a_child_is_restarted_as_often_as_it_fails() -> None:
    supervised.begin()
    supervised.start_supervised(Server.child_spec(7, name="server"))
    for _ in range(20):
        exit(whereis("server"), "kill")
        sleep(0)
    assert supervised.RESTARTS > 20
    assert whereis("server") is not None
    supervised.end()


@in_node
def test_one_child_is_stopped_in_an_orderly_way_and_may_be_started_again() -> None:
    supervised.begin()
    supervised.start_supervised(_server(1))
    supervised.stop_supervised(1)
    assert stopped == [(1, "shutdown")]
    supervised.start_supervised(_server(1))
    supervised.start_supervised(_server(2, restart="temporary"))
    supervised.stop_supervised(2)
    with pytest.raises(SupervisorError, match="not_found"):
        supervised.stop_supervised(3)
    supervised.end()


@in_node
def test_a_child_that_does_not_start_is_raised() -> None:
    supervised.begin()
    with pytest.raises(StartError, match="negative"):
        supervised.start_supervised(_server(-1))
    supervised.end()


def test_outside_a_test_in_a_node_there_is_no_supervisor() -> None:
    with pytest.raises(NotInProcessError, match=r"mark it @pytest\.mark\.node"):
        supervised.start_supervised(Server)
