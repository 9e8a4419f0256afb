from typing import Any

import pytest

from runtime import ChildSpec, DynamicSupervisor, Exit, Pid, exit, flag, receive, start_child
from runtime.kernel.clock import now
from tests.support.in_node import in_node
from tests.support.kept_reports import reported
from tests.support.recording_server import diary, member


def with_members(*specs: ChildSpec) -> tuple[Pid, list[Any]]:
    """Start a dynamic supervisor of members."""
    flag(trap_exit=True)
    sup = DynamicSupervisor.start_link()
    assert sup is not None
    pids = [start_child(sup, spec) for spec in specs]
    diary()
    return sup, pids


@in_node
def test_all_children_are_stopped_at_the_same_time_and_each_has_its_own() -> None:
    sup, _ = with_members(
        member("quick"),
        member("late", slow=60.0, shutdown=2.0),
        member("later", slow=60.0, shutdown=3.0),
        member("patient", slow=10.0, shutdown="infinity"),
        member("at once", slow=60.0, shutdown="brutal_kill"),
    )
    began = now()
    with reported("shutdown_error") as reasons:
        exit(sup, "shutdown")
        assert receive(Exit, timeout=60.0) == Exit(sup, "shutdown")
    assert now() - began == pytest.approx(10.0, abs=0.1)
    assert [page[1] for page in diary()] == ["quick", "patient"]
    assert reasons == ["killed", "killed"]


@in_node
def test_the_time_of_a_child_counts_from_the_signal_and_not_from_the_end_of_another() -> None:
    sup, _ = with_members(member("a", slow=60.0, shutdown=2.0), member("b", slow=60.0, shutdown=3.0))
    began = now()
    exit(sup, "shutdown")
    receive(Exit, timeout=60.0)
    assert now() - began == pytest.approx(3.0, abs=0.1)


@in_node
def test_children_that_are_dead_already_are_reported_with_their_own_reasons() -> None:
    sup, pids = with_members(member("a"), member("b"), member("c"))
    with reported("shutdown_error") as reasons:
        exit(sup, "shutdown")  # the supervisor hears of this first, and then finds two children dead
        for pid in pids[:2]:
            exit(pid, "kill")
        assert receive(Exit, timeout=1.0) == Exit(sup, "shutdown")
    assert reasons == ["killed", "killed"]
