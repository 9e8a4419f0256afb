import pytest

from runtime import (
    SpecError,
    StartError,
    Supervisor,
    SupervisorError,
    count_children,
    delete_child,
    get_childspec,
    restart_child,
    start_child,
    terminate_child,
    which_children,
)
from tests.support.in_node import in_node
from tests.support.recording_server import Member, member, member_pid, places, started


@in_node
def test_which_children_lists_the_newest_first_with_type_and_modules() -> None:
    sup = started([member("a"), Supervisor.child_spec([], name="s")])
    newest, oldest = which_children(sup)
    assert (newest.id, newest.type, newest.modules) == ("s", "supervisor", [Supervisor])
    assert (oldest.id, oldest.type, oldest.modules) == ("a", "worker", [Member])
    assert count_children(sup) == {"specs": 2, "active": 2, "supervisors": 1, "workers": 1}


@in_node
def test_a_started_child_comes_last_and_an_id_is_used_once() -> None:
    sup = started([member("a")])
    pid = start_child(sup, member("b"))
    assert [*places(sup)] == ["a", "b"]
    with pytest.raises(StartError) as caught:
        start_child(sup, member("b"))
    assert caught.value.reason == ("already_started", pid)
    terminate_child(sup, "b")
    with pytest.raises(StartError) as caught:
        start_child(sup, member("b"))
    assert caught.value.reason == "already_present"


@in_node
def test_a_child_that_does_not_start_is_not_kept() -> None:
    sup = started([])
    with pytest.raises(StartError) as caught:
        start_child(sup, member("a", "boom"))
    assert caught.value.reason == "boom"
    with pytest.raises(SpecError, match="shutdown"):
        start_child(sup, {"id": "a", "start": (Member.start_link, "a"), "shutdown": -1})
    with pytest.raises(StartError) as caught:
        start_child(sup, member("a", restart="transient", significant=True))
    assert caught.value.reason[0] == "bad_combination"
    assert which_children(sup) == []


@in_node
def test_what_a_supervisor_cannot_use_fails_for_the_caller_alone() -> None:
    sup = started([member("a")])
    with pytest.raises(StartError) as caught:
        start_child(sup, ["arguments for a template"])
    assert caught.value.reason == ("invalid_child_spec", ["arguments for a template"])
    with pytest.raises(TypeError, match="unhashable"):
        terminate_child(sup, ["a"])
    assert places(sup) == {"a": "up"}


@in_node
def test_a_child_that_ignores_is_kept_unless_it_is_temporary() -> None:
    sup = started([])
    assert start_child(sup, member("a", "ignore")) is None
    assert start_child(sup, member("b", "ignore", restart="temporary")) is None
    assert places(sup) == {"a": None}


@in_node
def test_a_terminated_child_stays_down_until_it_is_restarted_in_its_place() -> None:
    sup = started([member("a"), member("b")])
    terminate_child(sup, "a")
    terminate_child(sup, "a")
    assert places(sup) == {"a": None, "b": "up"}
    pid = restart_child(sup, "a")
    assert pid == member_pid(sup, "a")
    assert [*places(sup)] == ["a", "b"]


@in_node
def test_a_deleted_child_is_forgotten() -> None:
    sup = started([member("a"), member("b")])
    terminate_child(sup, "a")
    delete_child(sup, "a")
    assert places(sup) == {"b": "up"}


@in_node
def test_refusals_say_why() -> None:
    sup = started([member("a")])
    for request, id, reason in [
        (terminate_child, "x", "not_found"),
        (restart_child, "x", "not_found"),
        (restart_child, "a", "running"),
        (delete_child, "x", "not_found"),
        (delete_child, "a", "running"),
        (get_childspec, "x", "not_found"),
    ]:
        with pytest.raises(SupervisorError, match="refused") as caught:
            request(sup, id)
        assert caught.value.reason == reason


@in_node
def test_a_restart_that_is_asked_for_can_fail() -> None:
    sup = started([member("a", "ok", "running")])
    terminate_child(sup, "a")
    with pytest.raises(StartError) as caught:
        restart_child(sup, "a")
    assert caught.value.reason == "running"


@in_node
def test_a_childs_spec_is_given_by_its_id() -> None:
    spec = member("a", restart="transient")
    sup = started([spec])
    assert get_childspec(sup, "a") == spec


@in_node
def test_a_refusal_names_the_supervisor_and_the_child() -> None:
    Supervisor.start_link([member("a")], name="top")
    told = r"supervisor 'top' refused terminate_child\(\): not_found, it has no child 'nope'; which_children\(\) lists"
    with pytest.raises(SupervisorError, match=told) as caught:
        terminate_child("top", "nope")
    assert caught.value.reason == "not_found"
    with pytest.raises(SupervisorError, match=r"supervisor 'top' refused delete_child\(\) of the child 'a': running"):
        delete_child("top", "a")
