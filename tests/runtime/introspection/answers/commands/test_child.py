"""`ControlChild`: what a supervisor is asked for, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import ChildSpec, GenServer, Supervisor, receive, spawn, whereis, which_children
from runtime.introspection import wire
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer, start_tree, workers


def _control(observer: Observer, supervisor: object, child_id: str, action: str) -> Any:
    command = wire.ControlChild(supervisor=str(supervisor), child_id=child_id, action=action)  # type: ignore[arg-type]
    return in_thread(lambda: observer.ask(command))


def _running(supervisor: Any) -> dict[object, object]:
    return {child.id: child.pid for child in which_children(supervisor)}


@in_node
def test_a_child_is_terminated_started_restarted_and_deleted() -> None:
    observer = Observer()
    top = Supervisor.start_link(workers(2), name="app")
    before = _running(top)["w0"]
    assert _control(observer, top, "w0", "terminate").sentence == "w0 has ended and is not restarted."
    assert _running(top)["w0"] is None
    started = _control(observer, top, "w0", "start").sentence
    assert started == f"w0 was started, as {_running(top)['w0']}."
    assert _running(top)["w0"] not in (None, before)
    again = _control(observer, top, "w0", "restart").sentence
    assert again == f"w0 was started, as {_running(top)['w0']}."
    assert again != started
    _control(observer, top, "w0", "terminate")
    assert _control(observer, top, "w0", "delete").sentence == f"w0 is no child of {top} any more."
    assert list(_running(top)) == ["w1"]
    assert [(event.message or "").split(" of child ")[0] for event in observer.events()] == [
        "terminate",
        "start",
        "restart",
        "terminate",
        "delete",
    ]


@in_node
@pytest.mark.parametrize("action", ["start", "delete"])
def test_what_a_running_child_is_refused_is_said_with_what_to_do(action: str) -> None:
    top = Supervisor.start_link(workers(1), name="app")
    answer = _control(Observer(), top, "w0", action)
    assert answer == wire.Failed(why="w0 is running; terminate it first.", kind="bad_request")


@in_node
def test_who_has_no_such_child_or_no_children_says_so() -> None:
    observer = Observer()
    top = Supervisor.start_link([], name="app")
    answer = _control(observer, top, "w0", "start")
    assert answer == wire.Failed(why=f"{top} has no child 'w0'.", kind="noproc")
    plain = spawn(receive)
    answer = _control(observer, plain, "w0", "start")
    assert answer == wire.Failed(why=f"{plain} is no supervisor.", kind="bad_request")


@in_node
def test_a_dynamic_child_can_be_terminated_and_nothing_else() -> None:
    start_tree(guests=1)
    observer = Observer()
    guests = whereis("guests")
    ((_, pid),) = _running(guests).items()
    answer = _control(observer, guests, str(pid), "restart")
    assert answer.kind == "bad_request"
    assert answer.why.startswith(f"{pid} has no id, as a dynamic supervisor's children have none")
    assert _control(observer, guests, str(pid), "terminate").sentence == f"{pid} has ended and is not restarted."
    assert _running(guests) == {}


class Fragile(GenServer):
    """Does not start a second time."""

    def init(self, starts: list[int]) -> None:
        starts.append(1)
        if len(starts) > 1:
            raise ValueError("no disk")


@in_node
def test_a_child_that_does_not_start_is_said_with_why() -> None:
    starts: list[int] = []
    spec = ChildSpec(id="f", start=(lambda: Fragile.start_link(starts),))
    top = Supervisor.start_link([spec], name="app")
    observer = Observer()
    _control(observer, top, "f", "terminate")
    answer = _control(observer, top, "f", "start")
    assert isinstance(answer, wire.Failed)
    assert answer.why.startswith("f did not start: ValueError: no disk")
