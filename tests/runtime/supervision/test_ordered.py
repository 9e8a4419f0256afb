from contextlib import suppress
from typing import Any

from runtime import (
    ChildSpec,
    SupervisorError,
    count_children,
    delete_child,
    exit,
    get_childspec,
    sleep,
    spawn,
    start_child,
    terminate_child,
)
from runtime.kernel.process import ForeignPid
from runtime.otp.child_spec import child_spec
from tests.support.in_node import in_node
from tests.support.recording_server import Member, crash, diary, member, member_pid, places, started


@in_node
def test_one_for_one_restarts_the_victim_alone() -> None:
    sup = started([member("a"), member("b")])
    crash(sup, "a")
    assert diary() == [("end", "a", "boom"), ("start", "a")]


@in_node
def test_one_for_all_ends_the_others_in_reverse_and_starts_all_in_order() -> None:
    sup = started([member("a"), member("b"), member("c")], strategy="one_for_all")
    crash(sup, "b")
    assert diary() == [
        ("end", "b", "boom"),
        ("end", "c", "shutdown"),
        ("end", "a", "shutdown"),
        ("start", "a"),
        ("start", "b"),
        ("start", "c"),
    ]


@in_node
def test_rest_for_one_leaves_the_earlier_ones_alone() -> None:
    sup = started([member("a"), member("b"), member("c")], strategy="rest_for_one")
    crash(sup, "b")
    assert diary() == [("end", "b", "boom"), ("end", "c", "shutdown"), ("start", "b"), ("start", "c")]


@in_node
def test_a_group_restart_revives_the_finished_and_drops_the_temporary() -> None:
    sup = started(
        [member("done", restart="transient"), member("once", restart="temporary"), member("a")], strategy="one_for_all"
    )
    crash(sup, "done", "normal")
    assert places(sup) == {"done": None, "once": "up", "a": "up"}
    crash(sup, "a")
    assert places(sup) == {"done": "up", "a": "up"}


@in_node
def test_exits_that_come_together_are_one_group_restart() -> None:
    sup = started([member("a"), member("b")], strategy="one_for_all", max_restarts=1)
    pids = [member_pid(sup, id) for id in "ab"]
    for pid in pids:
        exit(pid, "kill")
    sleep(0.01)
    assert places(sup) == {"a": "up", "b": "up"}


@in_node
def test_a_temporary_child_that_is_started_by_request_does_not_keep_its_arguments() -> None:
    sup = started([])
    start_child(sup, member("once", restart="temporary"))
    assert get_childspec(sup, "once").start == (Member.start_link,)
    by_keyword = Member.child_spec(id="by keyword", slow=0.0)
    start_child(sup, child_spec(by_keyword, id="by keyword", restart="temporary"))
    assert get_childspec(sup, "by keyword").start == (Member.start_link,)
    assert places(sup) == {"once": "up", "by keyword": "up"}


@in_node
def test_other_children_keep_their_arguments() -> None:
    first = member("first", restart="temporary")
    sup = started([first])
    assert get_childspec(sup, "first") == first
    lasting = member("lasting", restart="transient")
    start_child(sup, lasting)
    assert get_childspec(sup, "lasting") == lasting


@in_node
def test_a_temporary_child_that_ignores_its_start_is_forgotten() -> None:
    sup = started([member("a", "ignore"), member("b", "ignore", restart="temporary")])
    assert places(sup) == {"a": None}


@in_node
def test_a_group_restart_starts_no_temporary_child_again() -> None:
    sup = started([member("once", restart="temporary"), member("a")], strategy="one_for_all")
    crash(sup, "a")
    assert diary() == [("end", "a", "boom"), ("end", "once", "shutdown"), ("start", "a")]


@in_node
def test_a_stopped_child_is_no_longer_found_by_its_pid() -> None:
    sup = started([member("a")])
    pid = member_pid(sup, "a")
    assert sup.process is not None
    server: Any = sup.process.body
    assert server.kept.find(pid) is not None
    terminate_child(sup, "a")
    assert server.kept.find(pid) is None


@in_node
def test_a_child_that_is_dead_does_not_count_as_active_before_its_exit_is_handled() -> None:
    def slow() -> Any:
        sleep(1.0)
        return Member.start_link("slow")

    counts: list[dict[str, int]] = []
    sup = started([member("a", restart="temporary")])
    victim = member_pid(sup, "a")
    spawn(start_child, sup, ChildSpec("slow", (slow,)))
    sleep(0.1)
    spawn(lambda: counts.append(count_children(sup)))
    sleep(0.1)
    exit(victim, "kill")
    sleep(2.0)
    assert [(count["specs"], count["active"]) for count in counts] == [(2, 1)]


@in_node
def test_a_process_of_another_node_is_not_the_child_that_has_its_number() -> None:
    sup = started([member("a")])
    pid = member_pid(sup, "a")
    above: Any = sup.process
    kept = above.body.kept
    assert kept.find(pid) is kept.children["a"]
    assert kept.find(ForeignPid(pid.id, node=7, serial=1)) is None


class Moody:
    """A key that is the id "a" for so many comparisons, and raises at the next."""

    def __init__(self, comparisons: int) -> None:
        self.left = comparisons

    def __eq__(self, other: object) -> bool:
        self.left -= 1
        if self.left < 0:
            raise ValueError
        return other == "a"

    def __hash__(self) -> int:
        return hash("a")


@in_node
def test_a_key_that_cannot_be_compared_for_long_harms_no_supervisor() -> None:
    for restart in ("permanent", "temporary"):
        for comparisons in range(4):
            sup = started([member("a", restart=restart), member("b")])
            for request in (terminate_child, delete_child):
                with suppress(SupervisorError):
                    request(sup, Moody(comparisons))
            assert places(sup) == ({"a": "up", "b": "up"} if comparisons == 0 else {"b": "up"})
