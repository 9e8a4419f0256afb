"""Process groups: what is refused, and what is kept. What the functions do, the conformance scenarios show."""

from collections.abc import Callable
from typing import Any

import pytest

from runtime import ANY, CallError, Supervisor, exit, pg, receive, run, self_, send, sleep, spawn, which_children
from tests.support.in_node import in_node
from tests.support.outside import in_greenlet, in_thread


@in_node
def test_a_scope_stands_under_a_supervisor() -> None:
    sup = Supervisor.start_link([(pg.Scope,), (pg.Scope, "rooms")])
    assert {info.id for info in which_children(sup)} == {"pg", "rooms"}
    pg.join("g", self_())
    pg.join("g", self_(), scope="rooms")
    before = {info.id: info.pid for info in which_children(sup)}
    exit(before["rooms"], "kill")
    sleep(0.01)
    assert pg.get_members("g") == [self_()]
    assert pg.get_members("rooms", "g") == []


@in_node
def test_nothing_is_kept_of_those_that_left() -> None:
    scope = pg.start_link()
    assert scope is not None
    assert scope.process is not None
    members = [spawn(receive) for _ in range(10)]
    ref, _ = pg.monitor("g")
    for group in ("g", ("rooms", 1)):
        pg.join(group, members)
    assert pg.leave("g", members[:5])
    for member in members:
        exit(member, "kill")
    sleep(0.01)
    pg.demonitor(ref)
    kept: Any = scope.process.body
    assert [kept.groups, kept.joined, kept.monitors, kept.listeners] == [{}, {}, {}, {}]
    assert not scope.process.monitors


@in_node
def test_what_a_caller_gets_is_its_own() -> None:
    pg.start_link()
    pg.join("g", self_())
    pg.get_members("g").clear()
    _, groups = pg.monitor_scope()
    groups["g"].clear()
    pg.which_groups().clear()
    assert pg.get_members("g") == [self_()]


@in_node
def test_what_is_wrong_is_refused_at_the_call() -> None:
    for read in (pg.get_members, pg.get_local_members, pg.monitor):
        with pytest.raises(CallError, match="noproc"):
            read("g")
    with pytest.raises(CallError, match="noproc"):
        pg.which_groups()
    pg.start_link()
    wrong: Any = ["list"]
    with pytest.raises(TypeError, match="hashable"):
        pg.join(wrong, self_())
    with pytest.raises(TypeError, match="a Pid or a list of them, not 'name'"):
        pg.join("g", [self_(), "name"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="not 'name'"):
        pg.join("g", "name")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not 7"):
        pg.leave("g", 7)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="a reference"):
        pg.demonitor("ref")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="monitor_scope"):
        pg.monitor(None)
    assert pg.which_groups() == []
    spawn(receive, name="no scope")
    with pytest.raises(CallError, match="noproc"):
        pg.get_members("no scope", "g")


@pytest.mark.parametrize("outside", [in_greenlet, in_thread])
def test_groups_are_used_outside_any_process(outside: Callable[[Callable[[], Any]], Any]) -> None:
    def main() -> None:
        pg.start_link()
        me = self_()
        outside(lambda: pg.join("g", me))
        assert outside(lambda: pg.get_members("g")) == [me]
        assert outside(lambda: pg.leave("g", me))

    run(main)


@in_node
def test_a_publisher_reaches_all_who_have_joined() -> None:
    """The example of the module's docstring."""
    pg.start_link()
    me = self_()

    def subscriber() -> None:
        pg.join("news", self_())
        send(me, "joined")
        send(me, ("got", receive()))

    for _ in range(3):
        spawn(subscriber)
    for _ in range(3):
        receive("joined")
    for pid in pg.get_members("news"):
        send(pid, "hello")
    assert [receive(("got", str)) for _ in range(3)] == [("got", "hello")] * 3


@in_node
def test_the_scope_stands_first_or_by_its_name() -> None:
    pg.start_link("rooms")
    pg.join("rooms", "g", self_())
    assert pg.get_members("g", scope="rooms") == pg.get_members("rooms", "g") == pg.get_local_members("rooms", "g")
    ref, members = pg.monitor("rooms", "g")
    assert members == [self_()]
    assert pg.leave("rooms", "g", self_())
    assert receive((ref, "leave", ANY, ANY), timeout=1)[2:] == ("g", [self_()])
    assert pg.demonitor("rooms", ref)
    for wrong in (("rooms", "g", self_(), "more"), ("g",)):
        with pytest.raises(TypeError, match="a scope before them"):
            pg.join(*wrong)
