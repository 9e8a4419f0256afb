"""The loop of a server: turns, stacks and context. What callbacks return, the conformance scenarios show."""

import contextvars
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent.local
import pytest

from runtime import (
    CallError,
    Continue,
    GenServer,
    Pid,
    Reply,
    Report,
    Timeout,
    call,
    cast,
    exit,
    flush,
    monitor,
    receive,
    self_,
    send,
    sleep,
    spawn,
)
from runtime import (
    sys as system,
)
from runtime.kernel.process import Process, Worker
from runtime.otp import server_loop
from runtime.otp.server_loop import TURN
from tests.support.in_node import in_node
from tests.support.kept_reports import kept_reports

variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)
local = gevent.local.local()


class Counter(GenServer):
    def init(self) -> None:
        self.count = 0

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "get":
                return self.count
            case "context":
                variable.set(variable.get() + 1)
                return variable.get()
            case "local":
                local.count = getattr(local, "count", 0) + 1
                return local.count
            case "more":
                return Reply("said", then=Continue("more"))
            case "soon":
                return Reply("said", then=Timeout(1.0))
        return super().handle_call(request, caller)

    def handle_cast(self, message: Any) -> None:
        self.count += 1

    def handle_continue(self, term: Any) -> None:
        self.count += 100

    def handle_info(self, message: Any) -> None:
        assert message == "timeout"
        self.count += 1_000


def _process(server: Pid | None) -> Process:
    assert server is not None
    assert server.process is not None
    return server.process


@in_node
def test_a_server_that_waits_has_no_stack_and_no_mailbox() -> None:
    server = Counter.start_link()
    for _ in range(3):
        cast(server, "count")
    assert call(server, "get") == 3
    process = _process(server)
    assert (process.worker, process.mailbox, process.loop) == (None, None, None)


@in_node
def test_a_server_with_many_messages_lets_others_have_their_turn() -> None:
    server, seen = Counter.start_link(), list[int]()
    for _ in range(10 * TURN):
        cast(server, "count")
    spawn(lambda: seen.append(_process(server).message_queue_len))
    assert call(server, "get") == 10 * TURN
    assert 0 < seen[0] <= 10 * TURN  # some are handled, and not all


@in_node
def test_a_server_keeps_its_context_and_its_greenlet_locals_between_turns() -> None:
    one, other = Counter.start_link(), Counter.start_link()
    for request in ("context", "local"):
        assert [call(one, request), call(other, request), call(one, request)] == [1, 1, 2]
    assert variable.get() == 0


@in_node
def test_a_continuation_comes_before_any_message() -> None:
    server = Counter.start_link()
    assert call(server, "more") == "said"
    assert call(server, "get") == 100
    assert _process(server).loop is None


@in_node
def test_a_timeout_comes_when_no_message_does() -> None:
    server = Counter.start_link()
    assert call(server, "soon") == "said"
    assert call(server, "get") == 0
    sleep(5.0)
    assert call(server, "get") == 0
    assert call(server, "soon") == "said"
    sleep(5.0)
    assert call(server, "get") == 1_000
    assert _process(server).loop is None


@in_node
def test_what_a_callback_may_not_return_ends_the_server() -> None:
    class Wrong(GenServer):
        def handle_cast(self, message: Any) -> Any:
            return message

        def handle_call(self, request: Any, caller: Any) -> Any:
            return Reply("said", then=request)

    server = Wrong.start()
    monitor(server)
    cast(server, "not this")
    assert receive().reason == ("bad_return_value", "not this")
    server = Wrong.start()
    monitor(server)
    assert call(server, 7) == "said"
    assert receive().reason == ("bad_return_value", 7)


@in_node
def test_a_message_of_a_callbacks_own_receive_is_taken_before_those_that_it_refused() -> None:
    class Picking(Counter):
        def handle_cast(self, message: Any) -> None:
            receive(("answer", int))
            self.count += 1

    server = Picking.start_link()
    cast(server, "count")
    send(server, "timeout")
    sleep(0.1)
    send(server, ("answer", 1))
    assert call(server, "get") == 1_001


@in_node
def test_the_death_of_a_server_is_the_end_of_all_who_wait_for_it() -> None:
    class Stuck(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            receive("never")

    server = Stuck.start()
    me = self_()

    def ask() -> None:
        with pytest.raises(CallError) as caught:
            call(server, "x", None)
        send(me, caught.value.reason)

    for _ in range(3):
        spawn(ask)
    sleep(0.1)
    assert server is not None
    exit(server, "kill")
    sleep(0.1)
    assert flush() == ["killed"] * 3


def _answers_of_its_own(server: GenServer) -> None:
    server.handle_call = lambda request, caller: "new"  # type: ignore[method-assign]


def _answers_of_its_dict(server: GenServer) -> None:
    own: dict[Any, Any] = vars(server)
    own[0] = "no name, so it shares its keys with no other dict from now on"
    own["handle_call"] = lambda request, caller: "new"


def _answers_of_its_class(server: GenServer) -> None:
    type(server).handle_call = lambda self, request, caller: "new"  # type: ignore[method-assign]


def _answers_of_its_base(server: GenServer) -> None:
    type(server).__bases__[0].handle_call = lambda self, request, caller: "new"  # type: ignore[attr-defined]


def _answers_of_another_class(server: GenServer) -> None:
    server.__class__ = type("Other", (type(server),), {"handle_call": lambda self, request, caller: "new"})


def _answers_of_a_look_up(server: GenServer) -> None:
    def find(self: Any, name: str) -> Any:
        return (lambda *_: "new") if name == "handle_call" else object.__getattribute__(self, name)

    type(server).__getattribute__ = find  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "change",
    [
        _answers_of_its_own,
        _answers_of_its_dict,
        _answers_of_its_class,
        _answers_of_its_base,
        _answers_of_another_class,
        _answers_of_a_look_up,
    ],
)
@in_node
def test_a_callback_that_changes_is_found_at_the_next_message(change: Callable[[GenServer], None]) -> None:
    class Base(GenServer):
        def handle_call(self, request: Any, caller: Any) -> str:
            return "old"

    class Changing(Base):
        def handle_cast(self, message: Any) -> None:
            message(self)

    server, other = Changing.start_link(), Changing.start_link()
    for _ in range(3):
        assert (call(server, "which"), call(other, "which")) == ("old", "old")
    cast(server, change)
    assert call(server, "which") == "new"
    assert call(other, "which") == ("new" if change in _OF_ALL else "old")
    cast(other, change)
    assert call(other, "which") == "new"


_OF_ALL = (_answers_of_its_class, _answers_of_its_base, _answers_of_a_look_up)


class _Breaks(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        raise ValueError(request)

    def handle_cast(self, message: Any) -> None:
        raise ValueError(message)


def _asks_in_vain(server: Pid) -> None:
    with suppress(CallError):
        call(server, "soup")


def _ending_of(server: Pid, reports: list[Report]) -> dict[str, Any]:
    return next(
        report.fields for report in reports if report.kind == "server_terminated" and report.fields["pid"] == server
    )


@in_node
def test_the_report_of_a_server_that_ends_in_a_call_names_the_client_and_where_it_waits() -> None:
    server = _Breaks.start()
    assert server is not None
    with kept_reports() as reports:
        client = spawn(_asks_in_vain, server, name="waiter")
        sleep(0.1)
    fields = _ending_of(server, reports)
    assert (fields["client"], fields["client_name"], fields["client_is_alive"]) == (client, "waiter", True)
    assert "_asks_in_vain" in [frame.function for frame in fields["client_stacktrace"]]
    text = next(report for report in reports if report.fields is fields).text()
    assert f"  client: {client}\n  client_name: 'waiter'" in text
    assert re.search(r"  client_stacktrace:\n    .*test_server_loop.py:\d+ in _asks_in_vain", text)


@in_node
def test_a_client_that_is_dead_has_no_place_and_a_cast_has_no_client() -> None:
    server = _Breaks.start()
    assert server is not None
    with kept_reports() as reports:
        system.suspend(server)
        client = spawn(_asks_in_vain, server)
        sleep(0.1)
        exit(client, "kill")
        sleep(0.1)
        system.resume(server)
        sleep(0.1)
    fields = _ending_of(server, reports)
    assert (fields["client"], fields["client_is_alive"], fields["client_stacktrace"]) == (client, False, [])
    server = _Breaks.start()
    assert server is not None
    with kept_reports() as reports:
        cast(server, "soup")
        sleep(0.1)
    assert "client" not in _ending_of(server, reports)


class Sends:
    """Casts to a server when it goes."""

    def __init__(self, server: Pid) -> None:
        self.server: Pid | None = server

    def __del__(self) -> None:
        if self.server is not None:
            cast(self.server, "gone")


class Hearing(GenServer):
    """Says what it has heard. Its context makes it part from its worker by the sources."""

    def init(self, parent: Pid) -> None:
        self.parent = parent
        variable.set(1)

    def handle_cast(self, message: Any) -> None:
        if isinstance(message, str):
            send(self.parent, message)


@in_node
def test_what_the_finalizer_of_the_last_message_sends_to_the_server_is_handled() -> None:
    server = Hearing.start(self_())
    assert server is not None
    message = Sends(server)
    cast(server, message)
    assert receive(timeout=5) == "gone"
    message.server = None


@pytest.mark.parametrize("number", [1, 2])
@in_node
def test_what_comes_where_a_server_parts_from_its_stack_is_handled(number: int) -> None:
    """The first time it does so after its start, then after a turn."""
    leave, left = server_loop._leave, [number]

    def leave_late(process: Process, worker: Worker) -> None:
        left[0] -= 1
        if left[0] == 0:  # as the handler of a signal may
            cast(process.pid, "meanwhile")
        leave(process, worker)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_loop, "_leave", leave_late)
        server = Hearing.start(self_())
        sleep(0)
        if number == 2:
            cast(server, "before")
            assert receive(timeout=5) == "before"
        assert receive(timeout=5) == "meanwhile"
