from typing import Any

import pytest

from runtime import (
    CallError,
    DynamicSupervisor,
    GenServer,
    PartitionSupervisor,
    Registry,
    Supervisor,
    TaskSupervisor,
    alive,
    call,
    cast,
    exit,
    flag,
    install_instrument,
    remove_instrument,
    send,
    sleep,
    spawn,
    start_child,
    terminate_child,
    whereis,
    which_children,
)
from runtime.supervision.children import TRY_AGAIN
from tests.support.in_node import in_node
from tests.support.kept_reports import Reports
from tests.support.recording_server import Member, crash, member, member_pid, places, started


@in_node
def test_the_exit_of_a_stranger_is_nothing_to_a_supervisor() -> None:
    sup = started([member("a")])
    spawn(lambda: exit(sup, "shutdown"))
    sleep(0.01)
    assert alive(sup)
    assert places(sup) == {"a": "up"}


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


class Incomparable:
    """Has the hash of a child's id, and cannot be compared with one."""

    def __hash__(self) -> int:
        return hash("a")

    def __eq__(self, other: object) -> bool:
        raise ValueError("not to be compared")


@in_node
@pytest.mark.parametrize("kind", ["ordered", "dynamic"])
def test_a_forged_retry_of_a_restart_does_no_harm(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    sup: Any = started([member("a")]) if kind == "ordered" else DynamicSupervisor.start_link()
    child = member_pid(sup, "a") if kind == "ordered" else start_child(sup, member("a"))
    impossible: list[Any] = [([], None, None), ({"a": []}, child, None), ("a", "no pid", None), ("a", [], None), ("a",)]
    for items in impossible:
        send(sup, (TRY_AGAIN, *items))
    possible: list[Any] = [("a", None, None), (None, child, []), (Incomparable(), None, None), (child, child, {})]
    for items in possible:
        send(sup, (TRY_AGAIN, *items))
    assert [info.pid for info in which_children(sup)] == [child]
    assert caplog.text.count("unexpected message") == len(impossible)


@in_node
def test_a_supervisor_shows_its_flags_and_its_children_to_other_threads() -> None:
    pid = started([member("a"), member("b")], max_restarts=2, max_seconds=7.0)
    crash(pid, "b")
    assert pid.process is not None
    server: Any = pid.process.body
    assert (server.strategy, server.max_restarts, server.max_seconds) == ("one_for_one", 2, 7.0)
    assert [(id, child.state, child.restarts) for id, child in server.children.items()] == [
        ("a", "running", 0),
        ("b", "running", 1),
    ]
    assert len(server.restart_times) == 1


@in_node
def test_supervisors_with_via_names_have_these_as_ids_and_stand_together() -> None:
    Registry.start_link("unique", name="reg")
    kinds: list[Any] = [Supervisor, DynamicSupervisor, TaskSupervisor, PartitionSupervisor]
    names = [("via", "reg", (kind.__name__, number)) for kind in kinds for number in (1, 2)]
    arguments: dict[Any, list[Any]] = {Supervisor: [[]], PartitionSupervisor: [(Member, "m")]}
    specs = [
        kind.child_spec(*arguments.get(kind, []), name=name)
        for name, kind in zip(names, [kind for kind in kinds for _ in (1, 2)], strict=True)
    ]
    sup = started(specs)
    assert [*places(sup)] == names
    terminate_child(sup, names[0])
    assert whereis(names[0]) is None
    assert whereis(names[1]) == member_pid(sup, names[1])


def test_the_id_of_a_via_name_leaves_out_the_value_that_it_registers() -> None:
    assert DynamicSupervisor.child_spec(name=("via", "reg", "key", "value")).id == ("via", "reg", "key")


@in_node
def test_reports_call_a_supervisor_by_its_via_name() -> None:
    reports = Reports()
    install_instrument(reports)
    Registry.start_link("unique", name="reg")
    flag(trap_exit=True)
    Supervisor.start_link([member("a")], name=("via", "reg", "sup"))
    Supervisor.start_link([member("b")], name="plain")
    crash(("via", "reg", "sup"), "a")
    crash("plain", "b")
    remove_instrument(reports)
    said = [report.fields["supervisor"] for report in reports.made if report.kind == "supervisor_report"]
    assert said == [("via", "reg", "sup"), "plain"]


@in_node
def test_reports_call_a_server_by_its_via_name() -> None:
    reports = Reports()
    install_instrument(reports)
    Registry.start_link("unique", name="reg")
    for name in (("via", "reg", "server", "value"), "plain", None):
        cast(Member.start("m", name=name), "boom")
    sleep(0.01)
    remove_instrument(reports)
    *named, nameless = [report.fields for report in reports.made if report.kind == "server_terminated"]
    assert [fields["name"] for fields in named] == [("via", "reg", "server"), "plain"]
    assert nameless["name"] == nameless["pid"]


@in_node
def test_a_supervisor_says_whose_death_it_handles_while_it_does() -> None:
    seen: list[Any] = []

    class Looking(GenServer):
        def init(self) -> None:
            seen.append(sup[0].process.body._handling_exit_of if sup else None)

    sup: list[Any] = []
    sup.append(started([Looking]))
    first = member_pid(sup[0], "Looking")
    exit(first, "kill")
    sleep(0.01)
    assert seen == [None, first]
    assert sup[0].process.body._handling_exit_of is None
