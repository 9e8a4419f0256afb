from typing import Any

import pytest

from runtime import (
    ChildSpec,
    Exit,
    GenServer,
    Pid,
    SupervisorError,
    delete_child,
    exit,
    receive,
    restart_child,
    sleep,
    spawn,
    spawn_link,
    terminate_child,
)
from tests.support.in_node import in_node
from tests.support.recording_server import crash, diary, member, member_pid, places, started


@pytest.mark.parametrize(
    ("restart", "reason", "place"),
    [
        ("permanent", "normal", "up"),
        ("permanent", "boom", "up"),
        ("transient", "normal", None),
        ("transient", ("shutdown", 1), None),
        ("transient", "boom", "up"),
    ],
)
def test_the_restart_type_decides_by_the_reason(restart: str, reason: Any, place: Any) -> None:
    @in_node
    def play() -> None:
        sup = started([member("a", restart=restart)])
        crash(sup, "a", reason)
        assert places(sup) == {"a": place}

    play()


@in_node
def test_a_temporary_child_is_forgotten_when_it_ends() -> None:
    sup = started([member("a", restart="temporary"), member("b")])
    crash(sup, "a")
    assert places(sup) == {"b": "up"}


@in_node
def test_too_many_restarts_end_the_supervisor_and_its_children() -> None:
    sup = started([member("a"), member("b")], max_restarts=1, max_seconds=5.0)
    crash(sup, "a")
    crash(sup, "a")
    assert receive(Exit) == Exit(sup, "shutdown")
    assert diary()[-2:] == [("end", "a", "boom"), ("end", "b", "shutdown")]


@in_node
def test_restarts_that_have_left_the_window_do_not_count() -> None:
    sup = started([member("a")], max_restarts=1, max_seconds=5.0)
    for _ in range(5):
        crash(sup, "a")
        sleep(6.0)
    assert places(sup) == {"a": "up"}


@in_node
def test_a_restart_that_fails_is_tried_again_and_each_attempt_counts() -> None:
    sup = started([member("a", "ok", "no", "no", "ok")], max_restarts=3)
    crash(sup, "a")
    assert diary() == [("end", "a", "boom"), ("no", "a"), ("no", "a"), ("start", "a")]
    assert places(sup) == {"a": "up"}


@in_node
def test_requests_are_served_between_two_attempts_at_a_restart() -> None:
    seen: list[Any] = []

    def ask(sup: Pid) -> None:
        seen.append(places(sup))
        with pytest.raises(SupervisorError) as caught:
            restart_child(sup, "a")
        seen.append(caught.value.reason)
        terminate_child(sup, "a")

    class Refusing(GenServer):
        def init(self, sup: list[Pid]) -> Any:
            starts.append(1)
            if len(starts) > 1:
                spawn(ask, sup_pid[0])
                sleep(1.0)
                raise ValueError("not yet")

        def handle_cast(self, message: Any) -> Any:
            exit(message)

    starts: list[int] = []
    sup_pid: list[Pid] = []
    sup_pid.append(started([ChildSpec("a", (Refusing.start_link, []))], max_restarts=3))
    crash(sup_pid[0], "a")
    sleep(10.0)
    assert seen[:2] == [{"a": "restarting"}, "restarting"]
    assert places(sup_pid[0]) == {"a": None}


@in_node
def test_a_child_that_is_to_be_restarted_cannot_be_deleted() -> None:
    refused: list[Any] = []

    def ask() -> None:
        with pytest.raises(SupervisorError) as caught:
            delete_child(sup[0], "a")
        refused.append(caught.value.reason)
        terminate_child(sup[0], "a")

    def start() -> Any:
        starts.append(1)
        if len(starts) == 2:
            spawn(ask)
        if len(starts) > 1:
            sleep(1.0)
            raise ValueError("not yet")
        return spawn_link(receive, "never")

    starts: list[int] = []
    sup: list[Pid] = []
    sup.append(started([ChildSpec("a", (start,))], max_restarts=10))
    exit(member_pid(sup[0], "a"), "kill")
    sleep(10.0)
    assert refused == ["restarting"]
    assert places(sup[0]) == {"a": None}
