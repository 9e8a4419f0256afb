from typing import Any

import pytest

from runtime import (
    ChildSpec,
    Down,
    StartError,
    Supervisor,
    SupervisorError,
    SupervisorSpec,
    alive,
    count_children,
    exit,
    get_childspec,
    monitor,
    receive,
    self_,
    sleep,
    spawn_link,
    start_child,
    sys,
    terminate_child,
    which_children,
)
from tests.support.in_node import in_node
from tests.support.recording_server import Member, diary, started


@in_node
def test_a_template_supervisor_starts_children_with_arguments_of_their_own() -> None:
    template = ChildSpec("m", (Member.start_link,), restart="transient")
    sup = started([template], strategy="simple_one_for_one")
    pids = [start_child(sup, [id]) for id in "ab"]
    assert [(info.id, info.pid) for info in which_children(sup)] == [(None, pid) for pid in pids]
    assert count_children(sup) == {"specs": 1, "active": 2, "supervisors": 0, "workers": 2}
    assert get_childspec(sup, pids[0]) == template
    terminate_child(sup, pids[0])
    assert not alive(pids[0])
    with pytest.raises(StartError):
        start_child(sup, template)
    with pytest.raises(SupervisorError) as caught:
        terminate_child(sup, "m")
    assert caught.value.reason == "simple_one_for_one"


@in_node
def test_a_template_supervisor_restarts_a_child_with_its_arguments() -> None:
    template = ChildSpec("m", (Member.start_link,))
    sup = started([template], strategy="simple_one_for_one")
    exit(start_child(sup, ["a"]), "kill")
    sleep(0.01)
    assert diary() == [("start", "a"), ("start", "a")]
    assert count_children(sup)["active"] == 1


@in_node
def test_the_spec_of_a_template_supervisor_is_found_by_id_by_child_and_by_a_dead_pid() -> None:
    template = ChildSpec("m", (Member.start_link,), restart="temporary")
    sup = started([template], strategy="simple_one_for_one")
    child = start_child(sup, ["a"])
    assert get_childspec(sup, "m") == get_childspec(sup, child) == template
    terminate_child(sup, child)
    assert get_childspec(sup, child) == template
    for stranger in ("other", self_()):
        with pytest.raises(SupervisorError) as caught:
            get_childspec(sup, stranger)
        assert caught.value.reason == "not_found"


@in_node
def test_a_living_process_that_is_no_child_cannot_be_terminated() -> None:
    sup = started([ChildSpec("m", (Member.start_link,))], strategy="simple_one_for_one")
    with pytest.raises(SupervisorError) as caught:
        terminate_child(sup, self_())
    assert caught.value.reason == "not_found"
    child = start_child(sup, ["a"])
    terminate_child(sup, child)
    terminate_child(sup, child)


class Versioned(Supervisor):
    """A simple_one_for_one supervisor whose template restarts children or does not."""

    restart: Any = "temporary"

    def init(self) -> Any:
        template = ChildSpec(id="t", start=(lambda: spawn_link(receive),), restart=self.restart)
        return SupervisorSpec([template], strategy="simple_one_for_one")


@in_node
def test_a_child_that_was_temporary_stays_so_when_a_new_version_restarts_children() -> None:
    sup = Versioned.start_link()
    before = start_child(sup, [])
    Versioned.restart = "permanent"
    sys.suspend(sup)
    with pytest.raises(sys.SystemRequestError, match="invalid_strategy"):
        sys.change_code(sup, Ordered, None, None)
    sys.change_code(sup, Versioned, None, None)
    sys.resume(sup)
    after = start_child(sup, [])
    for child in (before, after):
        monitor(child)
        exit(child, "kill")
        receive(Down)
    assert count_children(sup)["active"] == 1


class Ordered(Supervisor):
    """A supervisor of another strategy."""

    def init(self) -> Any:
        return SupervisorSpec([])


@in_node
def test_a_child_is_restarted_with_the_arguments_of_the_template_before_its_own() -> None:
    started_with: list[tuple[Any, ...]] = []

    def start(*args: Any) -> Any:
        started_with.append(args)
        return Member.start_link("m")

    sup = started([ChildSpec("m", (start, 1, 2, 3))], strategy="simple_one_for_one")
    exit(start_child(sup, [4, 5]), "kill")
    sleep(0.01)
    assert started_with == [(1, 2, 3, 4, 5)] * 2
