"""Messages and reasons that cannot be compared harm no other process."""

from typing import Any

import pytest

from runtime import (
    ANY,
    ChildSpec,
    Down,
    Exit,
    GenServer,
    StartError,
    Stop,
    Supervisor,
    alive,
    dictionary,
    exit,
    flag,
    link,
    monitor,
    receive,
    register,
    self_,
    send,
    sleep,
    spawn,
    whereis,
)
from tests.support.contained import Silent
from tests.support.in_node import in_node


@pytest.mark.parametrize("error", [ValueError(), RecursionError()])
def test_a_message_that_cannot_be_compared_matches_no_value_and_stays(error: BaseException) -> None:
    @in_node
    def test() -> None:
        send(self_(), Silent(error))
        send(self_(), ("tag", Silent(error)))
        send(self_(), "wanted")
        assert receive("wanted", ("tag", 1), {"a": 1}) == "wanted"
        assert type(receive(Silent)) is Silent
        assert receive(("tag", ANY))[0] == "tag"

    test()


@in_node
def test_a_reason_that_cannot_be_compared_ends_its_process_and_no_supervisor() -> None:
    class Member(GenServer):
        def init(self) -> None:
            register("member", self_())

    supervisor: Any = Supervisor.start_link([ChildSpec(id="m", start=(Member.start_link,), restart="transient")])
    first = whereis("member")
    assert first is not None
    ref = monitor(first)
    exit(first, Silent(ValueError()))
    assert type(receive(Down(ref, ANY, ANY)).reason) is Silent
    sleep(0.1)
    assert whereis("member") not in (None, first)
    assert alive(supervisor)
    reason = (Silent(ValueError()), 1)
    exit(whereis("member"), reason)
    sleep(0.1)
    assert alive(supervisor)


class Uncompared(type):
    """The metaclass of classes that cannot be compared, or be in a set."""

    def __eq__(cls, other: object) -> bool:
        raise LookupError

    def __hash__(cls) -> int:
        raise LookupError


@pytest.mark.parametrize("watch", [monitor, link])
@in_node
def test_a_reason_whose_class_cannot_be_compared_is_told(watch: Any) -> None:
    class Ending(GenServer):
        def handle_info(self, message: object) -> Any:
            return Stop(Uncompared("Reason", (), {})())

    flag(trap_exit=True)
    pid: Any = Ending.start()
    watch(pid)
    send(pid, "end")
    told = receive(Down, Exit, timeout=60)
    assert (told.pid, type(type(told.reason))) == (pid, Uncompared)
    assert receive(Down(monitor(spawn(int)), ANY, ANY), timeout=60)


@in_node
def test_an_init_that_stops_with_a_reason_that_cannot_be_compared_fails_for_its_starter_alone() -> None:
    class Never(GenServer):
        def init(self) -> Any:
            return Stop(Silent(ValueError()))

    with pytest.raises(StartError) as caught:
        Never.start()
    assert type(caught.value.reason) is Silent


@in_node
def test_a_key_of_the_dictionary_that_cannot_be_compared_changes_no_reason() -> None:
    class Key:
        def __eq__(self, other: object) -> bool:
            raise ValueError("there is no yes or no")

        __hash__ = object.__hash__

    class Server(GenServer):
        def init(self) -> None:
            dictionary()[Key()] = 1

        def handle_info(self, message: object) -> None:
            raise LookupError("this one")

    server: Any = Server.start()
    ref = monitor(server)
    send(server, "go")
    assert receive(Down(ref, ANY, ANY)).reason.exception == "LookupError"
