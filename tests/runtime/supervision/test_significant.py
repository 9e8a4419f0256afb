from typing import Any

from runtime import (
    ChildSpec,
    Exit,
    alive,
    cast,
    receive,
    sleep,
    terminate_child,
)
from tests.support.in_node import in_node
from tests.support.recording_server import crash, member, member_pid, places, started


def significant(id: str, *plan: str, **fields: Any) -> ChildSpec:
    """A child whose end may end its supervisor."""
    return member(id, *plan, **{"restart": "transient", "significant": True, **fields})


@in_node
def test_the_normal_end_of_a_significant_child_ends_the_supervisor() -> None:
    sup = started([member("a"), significant("s")], auto_shutdown="any_significant")
    crash(sup, "s", "boom")
    assert places(sup) == {"a": "up", "s": "up"}
    crash(sup, "s", "normal")
    assert receive(Exit) == Exit(sup, "shutdown")


@in_node
def test_the_last_of_all_significant_children_ends_the_supervisor() -> None:
    sup = started([significant("s"), significant("t", restart="temporary")], auto_shutdown="all_significant")
    crash(sup, "t")
    assert alive(sup)
    crash(sup, "s", "shutdown")
    assert receive(Exit) == Exit(sup, "shutdown")


@in_node
def test_a_significant_child_that_is_terminated_by_request_ends_nothing() -> None:
    sup = started([significant("s")], auto_shutdown="any_significant")
    terminate_child(sup, "s")
    assert places(sup) == {"s": None}


@in_node
def test_the_first_of_several_significant_children_ends_a_supervisor_of_any() -> None:
    sup = started([significant("s"), significant("t")], auto_shutdown="any_significant")
    crash(sup, "s", "normal")
    assert receive(Exit) == Exit(sup, "shutdown")


@in_node
def test_the_end_of_a_child_that_is_not_significant_ends_nothing() -> None:
    sup = started([member("a", restart="transient"), significant("s")], auto_shutdown="any_significant")
    crash(sup, "a", "normal")
    assert places(sup) == {"a": None, "s": "up"}


@in_node
def test_a_significant_child_that_is_to_be_restarted_is_not_done() -> None:
    sup = started([significant("s", "ok", "no", "ok"), significant("t")], auto_shutdown="all_significant")
    pids = [member_pid(sup, id) for id in "st"]
    cast(pids[0], "boom")
    cast(pids[1], "normal")
    sleep(0.01)
    assert places(sup) == {"s": "up", "t": None}
