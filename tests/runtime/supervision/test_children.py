from typing import Any

import pytest

from runtime import (
    ChildSpec,
    Exit,
    Instrument,
    StartError,
    Supervisor,
    install_instrument,
    receive,
    remove_instrument,
)
from tests.support.in_node import in_node
from tests.support.kept_reports import reported
from tests.support.recording_server import crash, member, member_pid, started


class Listener(Instrument):
    """Notes the rarer events of a node."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        self.events.append((kind, fields))


@in_node
def test_observers_hear_of_every_restart_with_what_is_left_of_the_budget() -> None:
    listener = Listener()
    install_instrument(listener)
    sup = started([member("a", "ok", "no", "ok"), member("b")], strategy="one_for_all", max_restarts=2)
    old = {id: member_pid(sup, id) for id in "ab"}
    crash(sup, "b")
    crash(sup, "b")
    remove_instrument(listener)
    kinds = [kind for kind, _ in listener.events]
    assert kinds == ["restart_failed", "restarted", "restarted", "gave_up"]
    failed, first, second, gave_up = (fields for _, fields in listener.events)
    assert (failed["child_id"], failed["reason"], failed["used"], failed["allowed"]) == ("a", "no", 1, 2)
    assert (first["child_id"], first["old"], first["reason"]) == ("a", old["a"], "boom")
    assert second["child_id"] == "b"
    assert (gave_up["supervisor"], gave_up["used"], gave_up["seconds"]) == (sup, 3, 5.0)


@in_node
def test_an_observer_that_does_not_hear_of_restarts_hears_of_all_else() -> None:
    listener = Listener()
    listener.hears_of_restarts = False
    install_instrument(listener)
    sup = started([member("a", "ok", "no", "ok")], max_restarts=2)
    old = member_pid(sup, "a")
    crash(sup, "a")
    crash(sup, "a")
    remove_instrument(listener)
    assert [kind for kind, _ in listener.events] == ["restart_failed", "gave_up"]
    assert listener.events[0][1]["old"] == old


@in_node
def test_the_child_whose_restart_is_one_too_many_is_not_stopped_again() -> None:
    with reported("shutdown_error") as reasons:
        sup = started([member("a")], max_restarts=0)
        crash(sup, "a")
        assert receive(Exit) == Exit(sup, "shutdown")
    assert reasons == []


@in_node
def test_a_report_shows_the_start_of_a_child_as_a_program_writes_it(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StartError):
        Supervisor.start([ChildSpec("x", (Supervisor.start_link, 5))])
    assert "start: (Supervisor.start_link, 5)" in caplog.text
    assert "bound method" not in caplog.text
