from typing import Any

from runtime import (
    ChildSpec,
    Exit,
    alive,
    receive,
    terminate_child,
)
from tests.support.in_node import in_node
from tests.support.recording_server import crash, member, places, started


def significant(id: str, **fields: Any) -> ChildSpec:
    """A child whose end may end its supervisor."""
    return member(id, **{"restart": "transient", "significant": True, **fields})


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
