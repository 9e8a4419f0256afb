from typing import Any

import pytest

from runtime import (
    IGNORE,
    CallError,
    ChildSpec,
    Exit,
    GenServer,
    Instrument,
    Pid,
    SpecError,
    StartError,
    Supervisor,
    SupervisorError,
    SupervisorSpec,
    alive,
    call,
    cast,
    count_children,
    delete_child,
    exit,
    flag,
    get_childspec,
    install,
    receive,
    remove,
    restart_child,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    start_child,
    terminate_child,
    which_children,
)
from tests.support.in_node import in_node
from tests.support.recording_server import Member, crash, diary, member, member_pid, places


class Listener(Instrument):
    """Notes the rarer events of a node."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        self.events.append((kind, fields))


class Tree(Supervisor):
    """A supervisor in the module form."""

    def init(self, answer: Any) -> Any:
        if answer == "raise":
            return SupervisorSpec([member("a", shutdown=-1)])
        return answer


def started(children: list[Any], **flags: Any) -> Pid:
    """Start a supervisor of which the caller hears when it ends."""
    flag(trap_exit=True)
    pid = Supervisor.start_link(children, **flags)
    assert pid is not None
    diary()
    return pid


# -- Starting and stopping ----------------------------------------------------------------------------------------


@in_node
def test_children_start_in_order_and_stop_in_reverse() -> None:
    flag(trap_exit=True)
    pid = Supervisor.start_link([member("a"), member("b"), member("c")])
    assert diary() == [("start", "a"), ("start", "b"), ("start", "c")]
    assert pid is not None
    exit(pid, "shutdown")
    assert receive(Exit) == Exit(pid, "shutdown")
    assert diary() == [("end", "c", "shutdown"), ("end", "b", "shutdown"), ("end", "a", "shutdown")]


@in_node
def test_a_child_that_fails_rolls_the_start_back() -> None:
    with pytest.raises(StartError) as caught:
        Supervisor.start([member("a"), member("b", "boom"), member("c")])
    assert caught.value.reason == ("shutdown", ("failed_to_start_child", "b", "boom"))
    assert diary() == [("start", "a"), ("boom", "b"), ("end", "a", "shutdown")]


@in_node
def test_wrong_arguments_fail_at_the_call_and_start_nothing() -> None:
    with pytest.raises(ValueError, match="two children have the id 'a'") as caught:
        Supervisor.start_link([member("a"), member("a")])
    assert caught.value.reason == ("start_spec", ("duplicate_child_name", "a"))  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="strategy is 'all_for_none'"):
        Supervisor.start_link([], strategy="all_for_none")
    with pytest.raises(TypeError, match="colour"):
        Supervisor.start_link([], colour="red")
    assert diary() == []


@in_node
def test_a_spec_that_is_wrong_inside_init_fails_the_start_with_otps_reason() -> None:
    with pytest.raises(StartError) as caught:
        Tree.start("raise")
    assert caught.value.reason == ("start_spec", ("invalid_shutdown", -1))


@in_node
def test_an_init_that_gives_no_spec_fails_the_start() -> None:
    with pytest.raises(StartError) as caught:
        Tree.start("garbage")
    assert caught.value.reason == ("bad_return", ("Tree", "init", "garbage"))
    assert Tree.start(IGNORE) is None


@in_node
def test_a_start_function_may_fail_in_any_way() -> None:
    def raises() -> Any:
        raise KeyError("gone")

    sup = started([])
    for function, reason in [
        (lambda: "garbage", "garbage"),
        (lambda: exit("tired"), ("EXIT", "tired")),
    ]:
        with pytest.raises(StartError) as caught:
            start_child(sup, ChildSpec("x", (function,)))
        assert caught.value.reason == reason
    with pytest.raises(StartError) as caught:
        start_child(sup, ChildSpec("x", (raises,)))
    tag, crash_ = caught.value.reason
    assert (tag, crash_.exception) == ("EXIT", "KeyError")
    assert which_children(sup) == []


@in_node
def test_each_start_gets_the_arguments_as_they_were_given() -> None:
    class Greedy(GenServer):
        def init(self, items: list[int]) -> None:
            items.append(1)
            self.size = len(items)

        def handle_call(self, request: Any, caller: Any) -> Any:
            return self.size

    sup = started([(Greedy, [])])
    exit(member_pid(sup, "Greedy"), "kill")
    sleep(0.01)
    assert get_childspec(sup, "Greedy").start[1:] == ([],)


@in_node
def test_a_supervisor_under_a_supervisor_has_all_the_time_it_needs_to_stop() -> None:
    inner = Supervisor.child_spec([member("slow", slow=60.0, shutdown="infinity")], name="inner")
    sup = started([inner])
    exit(sup, "shutdown")
    assert receive(Exit, timeout=100).reason == "shutdown"
    assert diary() == [("end", "slow", "shutdown")]


@in_node
def test_a_child_that_takes_too_long_to_stop_is_killed() -> None:
    sup = started([member("slow", slow=60.0, shutdown=0.5), member("quick")])
    exit(sup, "shutdown")
    assert receive(Exit, timeout=1.0).reason == "shutdown"
    assert diary() == [("end", "quick", "shutdown")]


@in_node
def test_the_exit_of_a_stranger_is_nothing_to_a_supervisor() -> None:
    sup = started([member("a")])
    spawn(lambda: exit(sup, "shutdown"))
    sleep(0.01)
    assert alive(sup)
    assert places(sup) == {"a": "up"}


# -- Restarting ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("restart", "reason", "place"),
    [
        ("permanent", "normal", "up"),
        ("permanent", "boom", "up"),
        ("transient", "normal", None),
        ("transient", ("shutdown", 1), None),
        ("transient", "boom", "up"),
    ],
)
def test_the_restart_type_decides_by_the_reason(restart: str, reason: Any, place: Any) -> None:
    @in_node
    def play() -> None:
        sup = started([member("a", restart=restart)])
        crash(sup, "a", reason)
        assert places(sup) == {"a": place}

    play()


@in_node
def test_a_temporary_child_is_forgotten_when_it_ends() -> None:
    sup = started([member("a", restart="temporary"), member("b")])
    crash(sup, "a")
    assert places(sup) == {"b": "up"}


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
def test_too_many_restarts_end_the_supervisor_and_its_children() -> None:
    sup = started([member("a"), member("b")], max_restarts=1, max_seconds=5.0)
    crash(sup, "a")
    crash(sup, "a")
    assert receive(Exit) == Exit(sup, "shutdown")
    assert diary()[-2:] == [("end", "a", "boom"), ("end", "b", "shutdown")]


@in_node
def test_restarts_that_have_left_the_window_do_not_count() -> None:
    sup = started([member("a")], max_restarts=1, max_seconds=5.0)
    for _ in range(5):
        crash(sup, "a")
        sleep(6.0)
    assert places(sup) == {"a": "up"}


@in_node
def test_a_restart_that_fails_is_tried_again_and_each_attempt_counts() -> None:
    sup = started([member("a", "ok", "no", "no", "ok")], max_restarts=3)
    crash(sup, "a")
    assert diary() == [("end", "a", "boom"), ("no", "a"), ("no", "a"), ("start", "a")]
    assert places(sup) == {"a": "up"}


@in_node
def test_requests_are_served_between_two_attempts_at_a_restart() -> None:
    seen: list[Any] = []

    def ask(sup: Pid) -> None:
        seen.append(places(sup))
        with pytest.raises(SupervisorError) as caught:
            restart_child(sup, "a")
        seen.append(caught.value.reason)
        terminate_child(sup, "a")

    class Refusing(GenServer):
        def init(self, sup: list[Pid]) -> Any:
            starts.append(1)
            if len(starts) > 1:
                spawn(ask, sup_pid[0])
                sleep(1.0)
                raise ValueError("not yet")

        def handle_cast(self, message: Any) -> Any:
            exit(message)

    starts: list[int] = []
    sup_pid: list[Pid] = []
    sup_pid.append(started([ChildSpec("a", (Refusing.start_link, []))], max_restarts=3))
    crash(sup_pid[0], "a")
    sleep(10.0)
    assert seen[:2] == [{"a": "restarting"}, "restarting"]
    assert places(sup_pid[0]) == {"a": None}


@in_node
def test_exits_that_come_together_are_one_group_restart() -> None:
    sup = started([member("a"), member("b")], strategy="one_for_all", max_restarts=1)
    pids = [member_pid(sup, id) for id in "ab"]
    for pid in pids:
        exit(pid, "kill")
    sleep(0.01)
    assert places(sup) == {"a": "up", "b": "up"}


# -- Requests -----------------------------------------------------------------------------------------------------


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
def test_an_extra_value_of_the_start_function_is_given_back() -> None:
    def start() -> tuple[Pid | None, str]:
        return Member.start_link("x"), "extra"

    sup = started([])
    pid, extra = start_child(sup, ChildSpec("x", (start,)))
    assert (member_pid(sup, "x"), extra) == (pid, "extra")
    terminate_child(sup, "x")
    assert restart_child(sup, "x") == (member_pid(sup, "x"), "extra")


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
def test_a_supervisor_that_is_gone_cannot_be_asked() -> None:
    sup = started([])
    exit(sup, "kill")
    with pytest.raises(CallError) as caught:
        which_children(sup)
    assert caught.value.reason == "noproc"


@in_node
def test_an_unknown_request_and_an_unknown_message_do_no_harm() -> None:
    sup = started([member("a")])
    assert call(sup, "how are you") == ("refused", ("unknown_request", "how are you"))
    send(sup, "hello")
    cast(sup, "hello")
    assert places(sup) == {"a": "up"}


# -- Ending with significant children -------------------------------------------------------------------------------


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


# -- Children of one kind -------------------------------------------------------------------------------------------


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


# -- What observers see ---------------------------------------------------------------------------------------------


@in_node
def test_observers_hear_of_every_restart_with_what_is_left_of_the_budget() -> None:
    listener = Listener()
    install(listener)
    sup = started([member("a", "ok", "no", "ok"), member("b")], strategy="one_for_all", max_restarts=2)
    old = {id: member_pid(sup, id) for id in "ab"}
    crash(sup, "b")
    crash(sup, "b")
    remove(listener)
    kinds = [kind for kind, _ in listener.events]
    assert kinds == ["restart_failed", "restarted", "restarted", "gave_up"]
    failed, first, second, gave_up = (fields for _, fields in listener.events)
    assert (failed["child_id"], failed["reason"], failed["used"], failed["allowed"]) == ("a", "no", 1, 2)
    assert (first["child_id"], first["old"], first["reason"]) == ("a", old["a"], "boom")
    assert second["child_id"] == "b"
    assert (gave_up["supervisor"], gave_up["used"], gave_up["seconds"]) == (sup, 3, 5.0)


@in_node
def test_a_supervisor_shows_its_flags_and_its_children_to_other_threads() -> None:
    pid = started([member("a"), member("b")], max_restarts=2, max_seconds=7.0)
    crash(pid, "b")
    assert pid.process is not None
    server = pid.process.body
    assert (server.strategy, server.max_restarts, server.max_seconds) == ("one_for_one", 2, 7.0)
    assert [(id, child.state, child.restarts) for id, child in server.children.items()] == [
        ("a", "running", 0),
        ("b", "running", 1),
    ]
    assert len(server.restart_times) == 1


@in_node
def test_the_parents_death_ends_the_supervisor_with_its_reason() -> None:
    flag(trap_exit=True)

    def parent() -> None:
        pids.append(Supervisor.start_link([member("a")]))
        exit("gone")

    pids: list[Any] = []
    spawn_link(parent)
    sleep(0.01)
    assert not alive(pids[0])
    assert diary()[-1] == ("end", "a", "shutdown")
    assert self_() != pids[0]
