from typing import Any

import pytest

from runtime import (
    ChildSpec,
    Down,
    DynamicSupervisor,
    DynamicSupervisorSpec,
    Exit,
    Pid,
    StartError,
    SupervisorError,
    alive,
    call,
    cast,
    count_children,
    delete_child,
    exit,
    flag,
    get_childspec,
    monitor,
    receive,
    restart_child,
    self_,
    sleep,
    spawn_link,
    start_child,
    sys,
    terminate_child,
    which_children,
)
from runtime.kernel.clock import now
from tests.support.in_node import in_node
from tests.support.recording_server import Member, diary, member


class Pool(DynamicSupervisor):
    """A dynamic supervisor in the module form."""

    def init(self, size: int) -> Any:
        return DynamicSupervisorSpec(max_children=size) if size else "garbage"


def started(**flags: Any) -> Pid:
    """Start a dynamic supervisor of which the caller hears when it ends."""
    flag(trap_exit=True)
    pid = DynamicSupervisor.start_link(**flags)
    assert pid is not None
    return pid


@in_node
def test_children_have_no_id_and_may_be_alike() -> None:
    sup = started()
    pids = [start_child(sup, member("a")) for _ in range(2)]
    assert [(info.id, info.pid) for info in which_children(sup)] == [(None, pid) for pid in pids]
    assert count_children(sup) == {"specs": 2, "active": 2, "supervisors": 0, "workers": 2}


@in_node
def test_no_more_children_run_than_may() -> None:
    sup = Pool.start(1)
    start_child(sup, member("a"))
    with pytest.raises(StartError) as caught:
        start_child(sup, member("b"))
    assert caught.value.reason == "max_children"


@in_node
def test_an_init_that_gives_no_spec_fails_the_start() -> None:
    with pytest.raises(StartError) as caught:
        Pool.start(0)
    assert caught.value.reason == ("bad_return", ("Pool", "init", "garbage"))
    with pytest.raises(ValueError, match="max_children is -1"):
        DynamicSupervisor.start_link(max_children=-1)


@in_node
def test_extra_arguments_come_first() -> None:
    sup = started(extra_arguments=["extra"])
    pid = start_child(sup, ChildSpec("m", (Member.start_link, ("ok",))))
    assert call(pid, "id") == "extra"
    assert get_childspec(sup, pid).start == (Member.start_link, ("ok",))


@in_node
def test_a_child_is_terminated_by_pid_and_forgotten() -> None:
    sup = started()
    pid = start_child(sup, member("a"))
    terminate_child(sup, pid)
    assert diary()[-1] == ("end", "a", "shutdown")
    assert which_children(sup) == []
    for stranger in (pid, self_(), "a"):
        with pytest.raises(SupervisorError) as caught:
            terminate_child(sup, stranger)
        assert caught.value.reason == "not_found"


@in_node
def test_nothing_is_restarted_or_deleted_by_request() -> None:
    sup = started()
    pid = start_child(sup, member("a"))
    for request in (restart_child, delete_child):
        with pytest.raises(SupervisorError):
            request(sup, pid)
    with pytest.raises(SupervisorError):
        get_childspec(sup, "a")


@in_node
def test_children_that_ignore_or_fail_are_not_kept() -> None:
    sup = started()
    assert start_child(sup, member("a", "ignore")) is None
    with pytest.raises(StartError) as caught:
        start_child(sup, member("b", "boom"))
    assert caught.value.reason == "boom"
    assert which_children(sup) == []


@in_node
def test_a_child_that_fails_is_restarted_with_its_arguments_and_one_that_finished_is_forgotten() -> None:
    sup = started()
    failing, finishing = (start_child(sup, member(id, restart="transient")) for id in "ab")
    exit(failing, "kill")
    cast(finishing, "shutdown")
    sleep(0.01)
    (info,) = which_children(sup)
    assert call(info.pid, "id") == "a"
    assert info.pid != failing


@in_node
def test_a_restart_that_fails_is_tried_again() -> None:
    sup = started()
    exit(start_child(sup, member("a", "ok", "no", "ok")), "kill")
    sleep(0.01)
    assert diary() == [("start", "a"), ("no", "a"), ("start", "a")]
    assert count_children(sup)["active"] == 1


@in_node
def test_a_restart_that_ignores_forgets_the_child() -> None:
    sup = started()
    exit(start_child(sup, member("a", "ok", "ignore")), "kill")
    sleep(0.01)
    assert which_children(sup) == []


@in_node
def test_too_many_restarts_end_the_supervisor() -> None:
    sup = started(max_restarts=0)
    other = start_child(sup, member("b"))
    exit(start_child(sup, member("a")), "kill")
    assert receive(Exit) == Exit(sup, "shutdown")
    assert not alive(other)


@in_node
def test_all_children_stop_at_the_same_time_each_as_its_spec_says() -> None:
    sup = started()
    for id, slow in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        start_child(sup, member(id, slow=slow))
    start_child(sup, member("late", slow=60.0, shutdown=2.5))
    start_child(sup, member("brutal", shutdown="brutal_kill"))
    diary()
    before = now()
    exit(sup, "shutdown")
    receive(Exit)
    assert now() - before == pytest.approx(3.0)
    assert [id for _, id, _ in diary()] == ["b", "c", "a"]


@in_node
def test_a_child_that_was_dead_already_when_all_stop_is_not_waited_for() -> None:
    sup = started()
    pids = [start_child(sup, member(id, trap=False)) for id in "abc"]
    exit(pids[0], "kill")
    exit(sup, "shutdown")
    assert receive(Exit) == Exit(sup, "shutdown")


@in_node
def test_children_that_differ_in_their_arguments_alone_share_one_spec() -> None:
    sup = started()
    for _ in range(3):
        start_child(sup, (Member, "a"))
    start_child(sup, member("b"))
    assert sup.process is not None
    supervisor: Any = sup.process.body
    specs = [child.spec for child in supervisor.children.values()]
    assert specs[0] is specs[1] is specs[2] is not specs[3]


@in_node
def test_a_temporary_child_does_not_keep_its_arguments() -> None:
    sup = started()
    pid = start_child(sup, member("a", restart="temporary"))
    assert get_childspec(sup, pid).start == (Member.start_link,)


class Versioned(DynamicSupervisor):
    """A dynamic supervisor that gives its children the extra arguments in `extra`."""

    extra: tuple[Any, ...] = ("x",)

    def init(self) -> Any:
        return DynamicSupervisorSpec(extra_arguments=self.extra, max_restarts=10)


@in_node
def test_children_keep_their_arguments_when_a_new_version_gives_other_ones() -> None:
    seen: list[tuple[Any, ...]] = []

    def start(*args: Any) -> Pid:
        seen.append(args)
        return spawn_link(receive)

    sup = Versioned.start_link()
    child = start_child(sup, ChildSpec(id="a", start=(start, 1)))
    Versioned.extra = ("y", "z")
    sys.suspend(sup)
    sys.change_code(sup, Versioned, None, None)
    sys.resume(sup)
    assert get_childspec(sup, child).start == (start, 1)
    other = start_child(sup, ChildSpec(id="b", start=(start, 2)))
    assert get_childspec(sup, other).start == (start, 2)
    monitor(child)
    exit(child, "kill")
    receive(Down)
    count_children(sup)
    assert seen == [("x", 1), ("y", "z", 2), ("x", 1)]
