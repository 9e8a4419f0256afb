from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from runtime import (
    ANY,
    AlreadyRegisteredError,
    Down,
    GenServer,
    NoProcessError,
    Pid,
    Registry,
    StartError,
    Supervisor,
    alive,
    call,
    count_children,
    exit,
    flag,
    flush,
    monitor,
    process_info,
    receive,
    self_,
    send,
    sleep,
    spawn,
    stop,
    whereis,
    which_children,
)
from tests.support.in_node import in_node
from tests.support.recording_server import Member


def holder() -> Pid:
    """A process that runs the functions it is sent."""

    def obey() -> None:
        while True:
            receive(callable)()

    return spawn(obey)


def within(pid: Pid, function: Callable[[], Any]) -> Any:
    """Run a function in a holder. Returns what it returns."""
    asker = self_()
    send(pid, lambda: send(asker, ("answer", function())))
    return receive(("answer", ANY), timeout=1)[1]


@in_node
def test_a_unique_key_has_one_holder() -> None:
    Registry.start_link("unique", name="reg")
    other = holder()
    within(other, lambda: Registry.register("reg", "k", 1))
    assert Registry.lookup("reg", "k") == [(other, 1)]
    with pytest.raises(AlreadyRegisteredError) as caught:
        Registry.register("reg", "k", 2)
    assert caught.value.pid == other
    assert Registry.lookup("reg", "nobody") == []


@in_node
def test_a_process_cannot_hold_a_unique_key_twice() -> None:
    Registry.start_link("unique", name="reg")
    Registry.register("reg", "k")
    with pytest.raises(AlreadyRegisteredError):
        Registry.register("reg", "k")


@in_node
def test_the_key_of_a_dead_process_is_free_at_once() -> None:
    Registry.start_link("unique", name="reg")
    other = holder()
    within(other, lambda: Registry.register("reg", "k", 1))
    exit(other, "kill")
    assert Registry.lookup("reg", "k") == []
    Registry.register("reg", "k", 2)
    sleep(0.01)
    assert Registry.lookup("reg", "k") == [(self_(), 2)]


@in_node
def test_what_a_dead_process_has_registered_is_taken_out() -> None:
    Registry.start_link("duplicate", name="reg")
    other = holder()
    within(other, lambda: Registry.register("reg", "k", 1))
    exit(other, "kill")
    sleep(0.01)
    assert Registry.count("reg") == 0
    assert Registry.keys("reg", other) == []


@in_node
def test_a_duplicate_key_has_many_entries_in_the_order_of_registration() -> None:
    Registry.start_link("duplicate", name="reg")
    other = holder()
    Registry.register("reg", "k", 1)
    within(other, lambda: Registry.register("reg", "k", 2))
    Registry.register("reg", "k", 3)
    assert Registry.lookup("reg", "k") == [(self_(), 1), (other, 2), (self_(), 3)]
    assert Registry.values("reg", "k", self_()) == [1, 3]
    assert Registry.keys("reg", self_()) == ["k", "k"]
    Registry.unregister("reg", "k")
    assert Registry.lookup("reg", "k") == [(other, 2)]


@in_node
def test_entries_can_be_chosen_by_their_value() -> None:
    Registry.start_link("duplicate", name="reg")
    for value in (1, "one", 2):
        Registry.register("reg", "k", value)
    assert [entry.value for entry in Registry.match("reg", "k", int)] == [1, 2]
    assert Registry.count_match("reg", "k", str) == 1
    Registry.unregister_match("reg", "k", int)
    assert Registry.select("reg") == [("k", self_(), "one")]


@in_node
def test_dispatch_calls_with_all_entries_and_not_for_none() -> None:
    Registry.start_link("duplicate", name="reg")
    Registry.register("reg", "k", 1)
    calls: list[Any] = []
    Registry.dispatch("reg", "k", calls.append)
    Registry.dispatch("reg", "nobody", calls.append)
    assert calls == [[(self_(), 1)]]


@in_node
def test_the_holder_alone_may_update_its_value() -> None:
    Registry.start_link("unique", name="reg")
    Registry.register("reg", "k", 1)
    assert Registry.update_value("reg", "k", lambda value: value + 10) == (11, 1)
    with pytest.raises(NoProcessError, match="does not hold the key 'other'"):
        Registry.update_value("reg", "other", lambda value: value)


@in_node
def test_a_registry_of_duplicate_keys_gives_no_names_and_updates_nothing() -> None:
    Registry.start_link("duplicate", name="reg")
    with pytest.raises(ValueError, match="unique keys"):
        Registry.update_value("reg", "k", lambda value: value)
    with pytest.raises(ValueError, match="unique keys"):
        whereis(("via", "reg", "k"))


@in_node
def test_values_are_copies() -> None:
    Registry.start_link("unique", name="reg")
    value = [1]
    Registry.register("reg", "k", value)
    value.append(2)
    Registry.lookup("reg", "k")[0].value.append(3)
    assert Registry.lookup("reg", "k") == [(self_(), [1])]


@in_node
def test_a_server_can_be_started_under_a_key_and_reached_by_it() -> None:
    Registry.start_link("unique", name="reg")
    name = ("via", "reg", "svc")
    pid = Member.start_link("a", name=name)
    assert whereis(name) == pid
    with pytest.raises(StartError) as caught:
        Member.start_link("b", name=name)
    assert caught.value.reason == ("already_started", pid)


@in_node
def test_a_name_in_a_registry_that_is_not_there_names_no_process() -> None:
    assert whereis(("via", "nowhere", "k")) is None
    with pytest.raises(StartError) as caught:
        Member.start_link("a", name=("via", "nowhere", "k"))
    assert caught.value.reason == ("noproc", "nowhere")


@in_node
def test_a_registry_is_linked_with_its_holders_while_they_hold_something() -> None:
    registry = Registry.start_link("unique", name="reg")
    other = holder()
    within(other, lambda: Registry.register("reg", "k"))
    assert process_info(other, "links") == {"links": [registry]}
    within(other, lambda: Registry.unregister("reg", "k"))
    assert process_info(other, "links") == {"links": []}


@in_node
def test_listeners_hear_of_registrations_and_not_of_deaths() -> None:
    main = self_()
    from runtime import register

    register("ear", main)
    Registry.start_link("unique", listeners=["ear", "nobody"], name="reg")
    other = holder()
    within(other, lambda: Registry.register("reg", "k", 1))
    within(other, lambda: Registry.unregister("reg", "k"))
    within(other, lambda: Registry.register("reg", "l", 2))
    exit(other, "kill")
    sleep(0.01)
    assert flush() == [
        ("register", "reg", "k", other, 1),
        ("unregister", "reg", "k", other),
        ("register", "reg", "l", other, 2),
    ]


@in_node
def test_a_registry_keeps_values_of_its_own() -> None:
    Registry.start_link("unique", name="reg")
    assert Registry.meta("reg", "key", "default") == "default"
    Registry.put_meta("reg", "key", [1])
    assert Registry.meta("reg", "key") == [1]


@in_node
def test_what_is_no_registry_is_named() -> None:
    with pytest.raises(NoProcessError, match="no registry 'nowhere'"):
        Registry.lookup("nowhere", "k")
    pid = Member.start_link("a")
    with pytest.raises(NoProcessError, match="is no registry"):
        Registry.lookup(pid, "k")


@in_node
def test_a_kind_of_keys_that_does_not_exist_is_refused_at_the_call() -> None:
    for start in (Registry.start, Registry.start_link):
        with pytest.raises(ValueError, match="allowed are 'unique' and 'duplicate'"):
            start("triplicate")
        with pytest.raises(ValueError, match="allowed are 'unique' and 'duplicate'"):
            start(keys="triplicate")


@in_node
def test_what_are_no_listeners_and_what_is_no_function_is_refused_at_the_call() -> None:
    for listeners in ("name", [7]):
        with pytest.raises(TypeError, match="a list of registered names"):
            Registry.start_link("unique", listeners)
        with pytest.raises(TypeError, match="a list of registered names"):
            Registry.start_link(listeners=listeners)
    registry = Registry.start_link()
    with pytest.raises(TypeError, match="dispatch"):
        Registry.dispatch(registry, "nobody", 7)  # type: ignore[arg-type]


@in_node
def test_registries_under_one_supervisor_are_told_apart_by_their_names() -> None:
    sup = Supervisor.start_link(
        [Registry.child_spec("unique", name="rooms"), Registry.child_spec("duplicate", name="topics"), Registry]
    )
    assert [info.id for info in which_children(sup)] == ["Registry", "topics", "rooms"]
    Registry.register("topics", "k")


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", 1), "boom"])
@in_node
def test_a_registry_that_stops_takes_those_along_that_have_registered(reason: Any) -> None:
    Registry.start("unique", name="reg")
    a, b, stranger = holder(), holder(), holder()
    within(a, lambda: Registry.register("reg", "a"))
    within(b, lambda: (Registry.register("reg", "b"), flag(trap_exit=True)))
    monitor(a)
    stop("reg", reason)
    assert receive(Down).reason == "shutdown"
    assert [message.reason for message in within(b, flush)] == ["shutdown"]
    assert alive(stranger)


@in_node
def test_the_child_spec_of_a_registry_is_a_supervisors() -> None:
    spec = Registry.child_spec("unique", name="rooms")
    assert (spec.id, spec.type, spec.shutdown) == ("rooms", "supervisor", "infinity")
    names = [("via", "rooms", key) for key in "ab"]
    supervisor = Supervisor.start_link([spec, *(Registry.child_spec(name=name) for name in names)])
    assert {info.id for info in which_children(supervisor)} == {"rooms", *names}
    assert count_children(supervisor)["supervisors"] == 3


@in_node
def test_a_dead_process_leaves_no_entry_behind() -> None:
    Registry.start_link("duplicate", name="reg")
    ran: list[str] = []

    def act_when_dead() -> None:
        Registry.register("reg", "mine", 1)
        try:
            receive()
        finally:
            for act in (
                lambda: Registry.register("reg", "key"),
                lambda: Registry.put_meta("reg", "key", "dead"),
                lambda: Registry.unregister("reg", "others"),
            ):
                try:
                    act()
                except BaseException as error:
                    ran.append(type(error).__name__)

    pid = spawn(act_when_dead)
    within(holder(), lambda: Registry.register("reg", "others"))
    exit(pid, "kill")
    sleep(0.1)
    assert ran == ["ProcessKilled"] * 3
    assert Registry.lookup("reg", "key") == Registry.lookup("reg", "mine") == []
    assert Registry.meta("reg", "key") is None
    assert Registry.count("reg") == 1


@in_node
def test_a_pid_that_is_dead_is_not_registered_under_a_name() -> None:
    registry = Registry.start_link("unique", name="reg")
    assert registry is not None
    assert registry.process is not None
    dead = spawn(lambda: None)
    sleep(0.1)
    registry.process.body.register_name("reg", "key", dead)  # type: ignore[attr-defined]
    assert Registry.count("reg") == 0


@in_node
def test_a_key_that_cannot_be_one_is_refused_at_the_call() -> None:
    registry = Registry.start_link("unique", name="reg")
    me, key = self_(), cast(Any, [1])
    calls: list[Callable[[], Any]] = [
        lambda: Registry.register("reg", key),
        lambda: Registry.unregister("reg", key),
        lambda: Registry.unregister_match("reg", key, ANY),
        lambda: Registry.update_value("reg", key, abs),
        lambda: Registry.lookup("reg", key),
        lambda: Registry.match("reg", key),
        lambda: Registry.values("reg", key, me),
        lambda: Registry.dispatch("reg", key, print),
        lambda: Registry.meta("reg", key),
        lambda: Registry.put_meta("reg", key, 2),
        lambda: whereis(("via", "reg", key)),
        lambda: call(("via", "reg", key), "x"),
        lambda: GenServer.start_link(name=("via", "reg", key)),
    ]
    for make in calls:
        with pytest.raises(TypeError, match=r"a registry's key must be hashable.*not \[1\]"):
            make()
    for look in (lambda: Registry.keys("reg", "me"), lambda: Registry.values("reg", "k", "me")):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="takes a Pid, not 'me'"):
            look()
    for wrong in (7, "name", [7]):
        with pytest.raises(TypeError, match="give a list of registered names"):
            Registry.start("unique", wrong)
    assert whereis("reg") == registry


@in_node
def test_a_registry_answers_a_walk_through_the_tree_as_it_is_called_a_supervisor_there() -> None:
    top = Supervisor.start_link([Registry.child_spec(name="names")])
    assert [child.type for child in which_children(top)] == ["supervisor"]
    assert which_children("names") == []
    assert count_children("names") == {"specs": 0, "active": 0, "supervisors": 0, "workers": 0}


@in_node
def test_registrations_are_selected_by_pattern_and_guard() -> None:
    Registry.start_link("duplicate", name="rooms")
    for key, value in (("a", 5), ("b", 20), ("c", "text")):
        Registry.register("rooms", key, value)
    me = self_()
    assert Registry.select("rooms", (ANY, ANY, int), lambda key, pid, size: size > 10) == [("b", me, 20)]
    assert Registry.count_select("rooms", (ANY, me, ANY)) == 3
    assert Registry.count_select("rooms", guard=lambda key, pid, value: value > 10) == 1
    assert len(Registry.select("rooms")) == 3
    assert Registry.match("rooms", "a", int, lambda value: value > 4) == [(me, 5)]
    assert Registry.count_match("rooms", "a", ANY, lambda value: value > 5) == 0
    Registry.unregister_match("rooms", "a", ANY, lambda value: value > 5)
    Registry.unregister_match("rooms", "b", ANY, lambda value: value > 5)
    assert [key for key, _, _ in Registry.select("rooms")] == ["a", "c"]
    with pytest.raises(TypeError, match="a guard is a function"):
        Registry.select("rooms", ANY, 7)  # type: ignore[arg-type]


@in_node
def test_a_registry_is_started_with_values_of_its_own() -> None:
    meta = {"colour": ["blue"]}
    Registry.start_link("unique", meta=meta, name="rooms")
    meta["colour"].append("red")
    assert Registry.meta("rooms", "colour") == ["blue"]
    Registry.delete_meta("rooms", "colour")
    Registry.delete_meta("rooms", "colour")
    assert Registry.meta("rooms", "colour") is None
    with pytest.raises(TypeError, match="meta is"):
        Registry.start_link("unique", meta=["colour"])


class CopiedSeldom:
    """A value that stops the program when it is copied once too often, as the handler of Ctrl-C may."""

    copies = 100

    def __deepcopy__(self, memo: object) -> CopiedSeldom:
        CopiedSeldom.copies -= 1
        if CopiedSeldom.copies < 0:
            raise KeyboardInterrupt
        return CopiedSeldom()


@in_node
def test_a_value_that_cannot_be_copied_in_an_update_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry.start_link(name="reg")
    Registry.register("reg", "k", CopiedSeldom())
    for copies in range(10):
        monkeypatch.setattr(CopiedSeldom, "copies", copies)
        try:
            new, old = Registry.update_value("reg", "k", lambda value: "new")
        except KeyboardInterrupt:
            monkeypatch.setattr(CopiedSeldom, "copies", 100)
            assert isinstance(Registry.lookup("reg", "k")[0].value, CopiedSeldom), copies
        else:
            assert new == "new"
            assert isinstance(old, CopiedSeldom)
            break
    assert Registry.lookup("reg", "k")[0].value == "new"
