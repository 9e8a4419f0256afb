"""Servers that many depend on outlive requests, messages, keys and classes of the program's that raise."""

from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    Application,
    CallError,
    ChildSpec,
    Down,
    DynamicSupervisor,
    Exit,
    GenStatem,
    Keep,
    PartitionSupervisor,
    Registry,
    StartError,
    Supervisor,
    SupervisorError,
    TaskSupervisor,
    alive,
    application,
    call,
    cast,
    count_children,
    delete_child,
    exit,
    get_childspec,
    pg,
    receive,
    restart_child,
    self_,
    send,
    sleep,
    spawn,
    start_child,
    terminate_child,
    whereis,
    which_children,
)
from runtime.terms.term import Term
from tests.support.in_node import in_node
from tests.support.trees import Idle


class Incomparable:
    """A value as numpy's arrays and SQLAlchemy's columns are: it can be hashed, and its comparison is no answer."""

    def __init__(self, number: int = 1) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        raise ValueError("there is no yes or no")

    def __hash__(self) -> int:
        return self.number


class Unbound:
    """A value as werkzeug's proxies are outside a request: it cannot even be asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("working outside of a request")

    def __deepcopy__(self, memo: object) -> "Unbound":
        return self


class Machine(GenStatem):
    def init(self) -> str:
        return "on"

    def on(self, kind: Term, event: Term) -> Keep:
        return Keep()


class Shop(Application):
    name = "shop"

    def start(self, start_type: str, args: Term) -> Any:
        return Supervisor.start_link([])


def controller() -> Any:
    application.start(Shop)
    return whereis("application_controller")


SERVERS: dict[str, Callable[[], Any]] = {
    "supervisor": lambda: Supervisor.start_link([]),
    "simple_one_for_one": lambda: Supervisor.start_link([(Idle,)], strategy="simple_one_for_one"),
    "dynamic supervisor": DynamicSupervisor.start_link,
    "partition supervisor": lambda: PartitionSupervisor.start_link((Idle,), partitions=1),
    "task supervisor": TaskSupervisor.start_link,
    "registry": lambda: Registry.start_link("unique", name="rooms"),
    "groups": pg.start_link,
    "state machine": Machine.start_link,
    "application controller": controller,
}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_message_whose_items_cannot_be_compared_ends_no_server(kind: str) -> None:
    @in_node
    def test() -> None:
        server = SERVERS[kind]()
        odd = Incomparable()
        for size in range(6):
            send(server, (odd,) * size)
            send(server, (Unbound(),) * size)
        send(server, Unbound())
        for message in (odd, Exit(odd, odd), Down(odd, odd, odd), ("started", odd), ("started", "nothing")):  # type: ignore[arg-type]
            send(server, message)
        sleep(0.1)
        assert alive(server)

    test()


@pytest.mark.parametrize("kind", [kind for kind in SERVERS if "supervisor" in kind or kind == "simple_one_for_one"])
def test_a_request_that_cannot_be_compared_ends_no_supervisor(kind: str) -> None:
    @in_node
    def test() -> None:
        server = SERVERS[kind]()
        for request in (Incomparable(), (Incomparable(), 1), (Incomparable(), 1, 2), Unbound(), (Unbound(), 1)):
            assert call(server, request)[0] == "refused"
            cast(server, request)
        assert alive(server)

    test()


@in_node
def test_an_id_that_cannot_be_compared_is_that_of_no_child() -> None:
    supervisor = Supervisor.start_link([ChildSpec(id="a", start=(Idle.start_link,))])
    assert supervisor is not None
    odd = Incomparable(hash("a"))
    for ask in (terminate_child, restart_child, delete_child, get_childspec):
        with pytest.raises(SupervisorError, match="not_found"):
            ask(supervisor, odd)
    with pytest.raises(StartError, match="there is no yes or no"):
        start_child(supervisor, ChildSpec(id=odd, start=(Idle.start_link,)))
    assert [child.id for child in which_children(supervisor)] == ["a"]


@in_node
def test_ids_that_cannot_be_compared_end_no_dynamic_supervisor() -> None:
    supervisor = DynamicSupervisor.start_link()
    assert supervisor is not None
    for _ in range(2):
        start_child(supervisor, ChildSpec(id=Incomparable(), start=(Idle.start_link,)))
    assert count_children(supervisor)["active"] == 2


@in_node
def test_a_key_that_changes_is_taken_out_with_its_process() -> None:
    Registry.start_link("duplicate", name="rooms")

    class Room:
        number = 1

        def __hash__(self) -> int:
            if self.number == 3:
                raise ValueError("no number")
            return self.number

    def hold(room: Room) -> None:
        Registry.register("rooms", room)
        receive()

    for number in (2, 3):
        room = Room()
        holder = spawn(hold, room)
        sleep(0.01)
        room.number = number
        assert Registry.count("rooms") == 1
        exit(holder, "kill")
        sleep(0.01)
        assert Registry.count("rooms") == 0


@in_node
def test_a_lock_is_one_lock_whatever_its_key_equals() -> None:
    registry = Registry.start_link("unique", name="rooms")
    room, me = object(), self_()

    class Room:
        pass

    for key in (room, Room()):

        def hold(key: object = key) -> None:
            Registry.lock("rooms", key, lambda: (send(me, "held"), receive("go on")))
            send(me, "free")

        first, second = spawn(hold), spawn(hold)
        assert receive("held", "free", timeout=1) == "held"
        assert receive("held", timeout=0.1, default=None) is None, "two processes hold one lock"
        send(first, "go on")
        send(second, "go on")
        assert [receive(timeout=1) for _ in range(3)].count("held") == 1
    with pytest.raises(ValueError, match="no yes or no"):
        Registry.lock("rooms", Incomparable(), lambda: Registry.lock("rooms", Incomparable(), lambda: None))
    assert alive(registry)


@in_node
def test_a_group_that_cannot_be_compared_raises_in_the_caller() -> None:
    scope, me = pg.start_link(), self_()
    pg.join(Incomparable(), me)
    pg.join("a", me)
    for ask in (pg.join, pg.leave):
        with pytest.raises(ValueError, match="no yes or no"):
            ask(Incomparable(), me)
    with pytest.raises(ValueError, match="no yes or no"):
        pg.monitor(Incomparable())
    pg.monitor("a")
    assert pg.leave("a", me)
    assert alive(scope)


class BadInit(Shop):
    name = "bad"

    def __init__(self) -> None:
        raise ValueError("not today")


@in_node
def test_an_application_that_cannot_be_made_ends_no_other() -> None:
    application.start(Shop)
    with pytest.raises(StartError) as caught:
        application.start(BadInit)
    where, how = caught.value.reason[1]
    assert caught.value.reason[0] == "bad_return"
    assert where == ("BadInit", "start", ("normal", ()))
    assert how[1].message == "not today"
    assert application.which_applications() == ["shop"]


@in_node
def test_what_the_controller_does_not_know_is_refused() -> None:
    application.start(Shop)
    assert call("application_controller", ("nonsense", 1)) == ("refused", ("unknown_request", ("nonsense", 1)))
    cast("application_controller", "nonsense")
    assert application.which_applications() == ["shop"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("name", ["shop"]),
        ("applications", iter(["db"])),
        ("start_phases", iter([("go", 1)])),
        ("start_phases", 5),
    ],
)
def test_a_class_that_cannot_be_loaded_is_refused_at_the_call(attribute: str, value: object) -> None:
    @in_node
    def test() -> None:
        application.start(Shop)
        cls = type("Odd", (Shop,), {attribute: value})
        with pytest.raises(TypeError, match=f"Odd.{attribute} is"):
            application.load(cls)
        assert application.which_applications() == ["shop"]

    test()


class _Unequal:
    """A key that raises where it is compared with another one, which has the same hash."""

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError


def _outcome(work: Callable[[], object], to: Any) -> None:
    try:
        work()
        outcome: object = "done"
    except Exception as error:
        outcome = type(error)
    send(to, outcome)


@in_node
def test_an_item_that_has_no_class_where_a_pid_or_a_number_belongs_ends_no_server() -> None:
    scope, partitions = pg.start("scope"), PartitionSupervisor.start_link((Idle,), partitions=1)
    for tag in ("discover", "join", "leave"):
        send(scope, (tag, Unbound(), "group", []))
    cast(scope, ("sync", Unbound(), []))
    pg.join("scope", Unbound(), self_())  # where any value may be, one without a class may be
    assert call(partitions, ("resize", Unbound()))[0] == "refused"
    dynamic = DynamicSupervisor.start_link()
    for what in ("terminate_child", "get_childspec"):
        assert call(dynamic, (what, Unbound())) == ("refused", "not_found")
    sleep(0.1)
    assert alive(scope)


@in_node
def test_keys_that_come_at_once_and_cannot_be_compared_raise_in_a_caller_alone() -> None:
    registry, scope = Registry.start("unique", name="registry"), pg.start("scope")
    works: list[tuple[Callable[[], object], type[Exception]]] = [
        (lambda: Registry.lock(registry, _Unequal(), lambda: sleep(0.1)), ZeroDivisionError),
        (lambda: pg.join("scope", _Unequal(), self_()), CallError),
    ]
    for work, error in works:
        for _ in range(2):
            spawn(_outcome, work, self_())
        assert {receive(), receive()} == {"done", error}
    assert alive(registry)
    assert alive(scope)
