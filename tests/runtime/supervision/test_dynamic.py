from typing import Any

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    Exit,
    Pid,
    StartError,
    Supervisor,
    exit,
    flag,
    get_childspec,
    receive,
    sleep,
    start_child,
    sys,
    terminate_child,
    which_children,
)
from runtime.supervision.supervisor_spec import DynamicSupervisorSpec
from tests.support.in_node import in_node
from tests.support.kept_reports import reported
from tests.support.recording_server import Member


def record(supervisor: Pid, child: Pid) -> Any:
    """The supervisor's record of a child."""
    assert supervisor.process is not None
    body: Any = supervisor.process.body
    return body.children[child]


def dynamic(**flags: Any) -> Pid:
    flag(trap_exit=True)
    pid = DynamicSupervisor.start_link(**flags)
    assert pid is not None
    return pid


@in_node
def test_children_that_differ_in_their_arguments_alone_share_a_spec() -> None:
    sup = dynamic()
    first, second, other = (
        start_child(sup, ChildSpec(id, (Member.start_link, id))) for id in ("member", "member", "other")
    )
    assert record(sup, first).spec is record(sup, second).spec
    assert record(sup, other).spec.id == "other"


@in_node
def test_the_arguments_of_a_temporary_child_are_not_kept() -> None:
    sup = dynamic(extra_arguments=["extra"])
    large = ["large"]
    spec = ChildSpec("m", (lambda *args: Member.start_link("m"), large), restart="temporary")
    child = start_child(sup, spec)
    assert record(sup, child).args is None
    assert get_childspec(sup, child).start == spec.start[:1]


@in_node
def test_keyword_arguments_of_a_temporary_child_are_not_kept() -> None:
    sup = dynamic()
    child = start_child(sup, ChildSpec("m", Member.child_spec(id="m", slow=0.0).start, restart="temporary"))
    assert get_childspec(sup, child).start == (Member.start_link,)


@in_node
def test_a_template_and_its_temporary_children_keep_what_is_the_templates_alone() -> None:
    flag(trap_exit=True)
    template = ChildSpec("m", (lambda *args: Member.start_link("m"), "of the template"), restart="temporary")
    sup = Supervisor.start_link([template], strategy="simple_one_for_one")
    assert sup is not None
    child = start_child(sup, ["of the child"])
    assert record(sup, child).args is None
    assert get_childspec(sup, child) == template


@in_node
def test_a_child_that_waits_for_its_restart_is_not_stopped_again() -> None:
    sup = dynamic(max_restarts=100)
    starts: list[int] = []

    def start() -> Pid | None:
        starts.append(1)
        if len(starts) > 1:
            sleep(1.0)
            raise StartError("not yet")
        return Member.start_link("m")

    first = start_child(sup, ChildSpec("m", (start,)))
    with reported("shutdown_error") as reasons:
        exit(first, "kill")
        sleep(3.5)
        exit(sup, "shutdown")
        assert receive(Exit, timeout=10.0) == Exit(sup, "shutdown")
    assert reasons == []


@in_node
def test_nothing_is_kept_of_a_child_that_was_restarted_and_has_ended() -> None:
    sup = dynamic(max_restarts=100)
    first = start_child(sup, ChildSpec("m", (Member.start_link, "m")))
    exit(first, "kill")
    sleep(0.1)
    (second,) = which_children(sup)
    terminate_child(sup, second.pid)
    assert sup.process is not None
    body: Any = sup.process.body
    assert (body.children, body.kept._renewed, body.kept._extra_before) == ({}, {}, {})


@in_node
def test_a_child_that_waits_for_its_restart_is_forgotten_when_it_is_terminated() -> None:
    sup = dynamic(max_restarts=1_000_000)
    starts: list[int] = []

    def start() -> Pid | None:
        starts.append(1)
        if len(starts) > 1:
            sleep(0.1)
            raise StartError("not yet")
        return Member.start_link("m")

    first = start_child(sup, ChildSpec("m", (start,)))
    exit(first, "kill")
    sleep(1.0)
    terminate_child(sup, first)
    assert which_children(sup) == []
    tried = len(starts)
    sleep(1.0)
    assert len(starts) == tried


@in_node
def test_a_childs_own_arguments_are_known_after_two_changes_of_the_supervisors() -> None:
    def start(*args: str) -> Pid | None:
        return Member.start_link("m")

    sup = dynamic(extra_arguments=["a"])
    child = start_child(sup, ChildSpec("m", (start, "own")))
    assert sup.process is not None
    body: Any = sup.process.body
    body.kept.change(DynamicSupervisorSpec(extra_arguments=("a", "b")))
    body.kept.change(DynamicSupervisorSpec(extra_arguments=()))
    assert get_childspec(sup, child).start == (start, "own")


@in_node
def test_a_supervisor_whose_state_was_copied_goes_on() -> None:
    sup = dynamic()
    child = start_child(sup, ChildSpec("a", (Member.start_link, "a")))
    copied = sys.get_state(sup)["children"][child]
    assert (copied.args, copied.first, copied.at, copied.spec.id) == (("a",), child, child, "a")
    sys.replace_state(sup, lambda state: state)
    exit(child, "kill")
    sleep(0.01)
    (info,) = which_children(sup)
    assert info.pid not in (child, None)
