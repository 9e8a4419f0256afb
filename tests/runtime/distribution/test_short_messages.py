"""Small casts, messages, calls and replies between two Python nodes, which travel as short entries of batches."""

import signal
from itertools import count
from typing import Any

import pytest

from runtime import (
    Atom,
    CallError,
    GenServer,
    Pid,
    call,
    cast,
    disconnect_node,
    erpc,
    exit,
    process_info,
    receive,
    receive_response,
    self_,
    send,
    send_request,
    sleep,
    spawn,
)
from runtime.distribution.cluster import LocalNode, local_node
from runtime.distribution.connection import Connection
from runtime.distribution.frames import BATCH, PLAIN_BATCH
from runtime.distribution.outgoing import KEPT
from runtime.distribution.pickled import BATCH_MESSAGES, SHORT_CAST, SHORT_ITEMS, SHORT_REPLY, SHORT_TEXT, Batches
from runtime.distribution.remote_node import RemoteNode
from runtime.kernel.node import this_node
from runtime.kernel.process import ForeignPid
from tests.support.in_node import in_node
from tests.support.other_nodes import Other, answer_once, named

DEADLINE = 60.0

SMALL: list[Any] = [0, -(2**80), 0.5, True, None, "text", "ü\udc80", b"bytes", Atom("atom"), (), ("a", (1, ("b",)))]
LARGE: list[Any] = ["x" * SHORT_TEXT, tuple(range(SHORT_ITEMS + 1)), (((((1,),),),),), {1, 2}, b"y" * 100_000]


class Keeper(GenServer):
    """Keeps what it is cast and sent, and answers by what it is asked to."""

    def init(self) -> None:
        self.kept: list[Any] = []

    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case "kept":
                return self.kept
            case ("exit", reason):
                exit(reason)
            case "wait":
                receive("go on")
        return request

    def handle_cast(self, message: Any) -> None:
        self.kept.append(message)

    def handle_info(self, message: Any) -> None:
        self.kept.append(("info", message))


def keep(name: str) -> Pid | None:
    return Keeper.start(name=name)


_numbers = count()


def _keeper(other: Other) -> tuple[tuple[str, str], Pid]:
    other.connect()
    name = f"keeper{next(_numbers)}"
    pid: Any = erpc.call(other.name, keep, name)
    return (name, other.name), pid


def wait_for_nothing() -> None:
    receive("nothing")


def _remote(other: Other) -> RemoteNode:
    local = local_node(this_node())
    assert local is not None
    return local.remotes[other.name]


def _connection(other: Other) -> Connection:
    connection = _remote(other).connection
    assert connection is not None
    return connection


@named
def test_all_kinds_of_messages_keep_their_order_and_are_what_they_were(other: Other) -> None:
    name, pid = _keeper(other)
    sent: list[Any] = []
    for number, value in enumerate([*SMALL, *LARGE, [1, [2]], {"a": {"b": self_()}}, self_(), (self_(), "tuple")]):
        for dest in (name, pid):
            cast(dest, value)
            send(dest, (number, value))
            cast(dest, (number, value))
            sent += [value, ("info", (number, value)), (number, value)]
    kept = call(name, "kept", timeout=DEADLINE)
    assert kept == sent
    assert [*map(type, kept)] == [*map(type, sent)]
    assert all(call(pid, value) == value for value in [*SMALL, *LARGE, {"a": [1, {"b": None}]}, self_()])


@named
def test_what_is_changed_after_it_was_sent_stays_what_it_was(other: Other) -> None:
    name, pid = _keeper(other)
    changing, inner = [1], (1, [2])
    for dest in (name, pid):
        cast(dest, changing)
        cast(dest, inner)
        send(dest, inner)
    changing.append(2)
    inner[1].append(3)
    assert call(name, "kept", timeout=DEADLINE) == [[1], (1, [2]), ("info", (1, [2]))] * 2


@named
def test_a_call_fails_with_its_server_also_where_it_is_monitored_by_the_request_alone(other: Other) -> None:
    name, pid = _keeper(other)
    with pytest.raises(CallError) as caught:
        call(name, ("exit", "as asked"), timeout=DEADLINE)
    assert caught.value.reason == "as asked"
    for dest in (name, pid):
        with pytest.raises(CallError) as caught:
            call(dest, "anything", timeout=DEADLINE)
        assert caught.value.reason == "noproc"
        request = send_request(dest, "anything")
        assert receive_response(request, timeout=DEADLINE) == ("error", ("noproc", dest))
    assert not _remote(other).local.monitors


@named
def test_a_call_that_is_over_leaves_nothing_on_either_side(other: Other) -> None:
    name, pid = _keeper(other)
    assert call(name, "short", timeout=DEADLINE) == "short"
    assert call(name, ["long"] * 100, timeout=DEADLINE) == ["long"] * 100
    assert receive_response(send_request(name, "request"), timeout=DEADLINE) == ("reply", "request")
    with pytest.raises(CallError, match="timeout"):
        call(name, "wait", timeout=0.001)
    send(pid, "go on")
    assert call(name, "next", timeout=DEADLINE) == "next"
    assert not _remote(other).local.monitors
    found: Any = erpc.call(other.name, process_info, pid, "monitored_by")
    assert found == {"monitored_by": []}
    assert receive(timeout=0.05, default=None) is None


def calls_kept(name: str) -> int:
    local = local_node(this_node())
    assert local is not None
    return len(local.remotes[name].calls)


@named
def test_a_call_that_is_given_up_is_forgotten_there(other: Other) -> None:
    other.connect()
    there = spawn(wait_for_nothing, node=other.name)
    with pytest.raises(CallError, match="timeout"):
        call(there, "anything", timeout=0.05)
    local = local_node(this_node())
    assert local is not None
    assert erpc.call(other.name, calls_kept, local.name) == 0


@named
def test_a_call_whose_caller_dies_does_no_harm(other: Other) -> None:
    _, pid = _keeper(other)

    def caller() -> None:
        call(pid, "wait", timeout=DEADLINE)

    doomed = spawn(caller)
    sleep(0.01)
    exit(doomed, "kill")
    send(pid, "go on")
    assert call(pid, "still there", timeout=DEADLINE) == "still there"


@named
def test_a_small_call_can_be_handed_on(other: Other) -> None:
    other.connect()
    there = spawn(answer_once, node=other.name)
    assert call(there, "asked", timeout=DEADLINE) == ("answered", "asked")


@pytest.mark.parametrize("refused", [lambda: None, {"key": lambda: None}, ("tuple", lambda: None)])
@in_node
def test_what_cannot_be_pickled_is_not_short(refused: Any) -> None:
    batches = _batches()
    assert not batches.add_to_run(SHORT_CAST, "name", refused)
    assert not batches.add_short((SHORT_REPLY, 1, refused))
    assert batches.count == 0


@pytest.mark.parametrize(("value", "kind"), [(("a", 1), PLAIN_BATCH), ([{"a": None}], PLAIN_BATCH), (self_, BATCH)])
@in_node
def test_a_batch_says_whether_it_holds_pids(value: Any, kind: int) -> None:
    batches = _batches()
    value = value() if callable(value) else value
    for number in range(3):
        assert batches.add_to_run(SHORT_CAST, "name", (number, value))
    assert batches.add_short((SHORT_REPLY, 1, value))
    assert batches.count == 4
    found, data = batches.take()
    assert found == kind
    entries = batches.load_plain(data) if kind == PLAIN_BATCH else batches.load(data)
    if kind == PLAIN_BATCH:
        assert entries == [(SHORT_CAST, "name", [(number, value) for number in range(3)]), (SHORT_REPLY, 1, value)]
    assert [entry[0] for entry in entries] == [SHORT_CAST, SHORT_REPLY]
    assert batches.count == batches.size == 0


@in_node
def test_only_what_nobody_can_change_is_taken_from_the_program_itself() -> None:
    batches = _batches()
    changeable: list[Any] = [[1], {"a": 1}, (1, [2]), ((1, 2), 3)]
    fixed: list[Any] = ["text", 1, ("a", 1), self_(), Atom("a")]
    for value in changeable:
        assert not batches.add_to_run(SHORT_CAST, "name", value, is_own=False)
    for value in fixed:
        assert batches.add_to_run(SHORT_CAST, "name", value, is_own=False)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x80\x05N.", b"\x80\x05K\x01."])
@in_node
def test_a_plain_batch_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="a batch of messages cannot be read"):
        _batches().load_plain(data)


def _batches() -> Batches:
    return Batches(LocalNode(this_node(), "me@127.0.0.1", "cookie"))


@named
def test_casts_to_one_server_and_another_arrive_in_their_order_whatever_comes_in_between(other: Other) -> None:
    (one, _), (another, pid) = _keeper(other), _keeper(other)
    sent: tuple[list[Any], list[Any]] = ([], [])

    def cast_to(which: int, number: int) -> None:
        cast((one, another)[which], ("add", number))
        sent[which].append(("add", number))

    for round_ in range(4):
        for number in range(700):  # more than a batch
            cast_to(0, number)
        cast_to(1, round_)
        cast_to(0, round_)
        cast(one, [round_])
        sent[0].append([round_])
        cast_to(0, round_)
        send(pid, round_)
        sent[1].append(("info", round_))
        cast_to(1, round_)
        if round_ % 2:
            call(one, "anything", timeout=DEADLINE)
        else:
            sleep(0.001)
        cast_to(0, round_)
        cast_to(1, round_)
    assert call(one, "kept", timeout=DEADLINE) == sent[0]
    assert call(another, "kept", timeout=DEADLINE) == sent[1]


@named
def test_what_a_process_casts_is_handed_to_the_socket_by_the_hub_alone(other: Other) -> None:
    name, _ = _keeper(other)
    connection = _connection(other)
    cast(name, "first")
    before = connection.bytes_out
    for number in range(3000):
        cast(name, ("add", number))
    assert connection.bytes_out == before
    assert call(name, "kept", timeout=DEADLINE) == ["first", *(("add", each) for each in range(3000))]


@named
def test_what_a_process_casts_without_a_pause_leaves_while_it_casts(other: Other) -> None:
    name, _ = _keeper(other)
    connection = _connection(other)
    before = connection.bytes_out
    for number in range(30_000):
        cast(name, ("add", number))
        assert connection.queued < 2 * KEPT
    assert connection.bytes_out > before  # whether the other node has had a turn meanwhile, the machine decides
    assert not connection.was_busy
    assert call(name, "kept", timeout=DEADLINE) == [("add", each) for each in range(30_000)]


@named
def test_what_a_signal_handler_raises_while_the_hub_waits_to_write_holds_nothing_up(other: Other) -> None:
    name, _ = _keeper(other)
    connection = _connection(other)

    def interrupt(*_: object) -> None:
        connection._lock.release()
        raise KeyboardInterrupt

    def flush() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        connection._flush()

    cast(name, "first")
    before = signal.signal(signal.SIGALRM, interrupt)
    connection._lock.acquire()  # as the guard does
    try:
        with pytest.raises(KeyboardInterrupt):
            flush()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert call(name, "kept", timeout=DEADLINE) == ["first"]


@named
def test_a_cast_that_fills_a_batch_where_the_stack_has_no_room_loses_nothing(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = _keeper(other)
    connection = _connection(other)

    def refuse() -> None:
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(connection.batches, "take", refuse)
        for number in range(BATCH_MESSAGES + 1):
            cast(name, ("add", number))
        send(name, {"slow": [0]})
    kept: Any = call(name, "kept", timeout=DEADLINE)
    assert kept == [*(("add", each) for each in range(BATCH_MESSAGES + 1)), ("info", {"slow": [0]})]


@named
def test_what_could_not_be_sent_for_want_of_memory_is_sent_once_there_is_some(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = _keeper(other)
    connection = _connection(other)
    take, refusals = connection.batches.take, iter(range(3))

    def refuse() -> tuple[int, bytes]:
        if next(refusals, None) is not None:
            raise MemoryError
        return take()

    with monkeypatch.context() as patch:
        patch.setattr(connection.batches, "take", refuse)
        cast(name, ("add", 1))
        for _ in range(1000):
            if not connection.queued:
                break
            sleep(0.001)
    assert connection.queued == 0
    assert call(name, "kept", timeout=DEADLINE) == [("add", 1)]


@named
def test_a_pid_of_a_node_that_is_not_known_takes_no_other_message_with_it(other: Other) -> None:
    name, pid = _keeper(other)
    unknown = ForeignPid(1, None, node=100_000)
    for dest in (name, pid):
        cast(dest, ("first", self_()))
        cast(dest, ("lost", unknown))
        send(dest, ("lost", unknown))
        cast(dest, ("last", self_()))
    assert call(name, "kept", timeout=DEADLINE) == 2 * [("first", self_()), ("last", self_())]


@named
def test_a_cast_after_the_connection_has_ended_goes_over_the_next_one(other: Other) -> None:
    name, _ = _keeper(other)
    cast(name, 1)
    assert call(name, "kept", timeout=DEADLINE) == [1]
    cast(name, 2)
    assert disconnect_node(other.name)
    cast(name, 3)
    sleep(0.001)
    cast(name, 4)
    kept = call(name, "kept", timeout=DEADLINE)
    assert kept in ([1, 2, 3, 4], [1, 3, 4])  # what was on its way at the end may be lost


@named
def test_a_cast_just_after_its_connection_was_lost_goes_over_the_next_one(other: Other) -> None:
    name, _ = _keeper(other)
    connection = _connection(other)
    for number in range(3):
        cast(name, ("lost", number))
    connection.end("connection_closed")
    for number in range(3):
        cast(name, ("kept", number))
    assert call(name, "kept", timeout=DEADLINE) == [("kept", number) for number in range(3)]


@named
def test_a_call_whose_time_is_over_leaves_nothing_behind_and_its_reply_is_dropped(other: Other) -> None:
    name, pid = _keeper(other)
    for dest in (name, pid):
        with pytest.raises(CallError) as caught:
            call(dest, "wait", timeout=0.05)
        assert caught.value.reason == "timeout"
        assert not _remote(other).local.monitors
        send(pid, "go on")
        assert call(dest, "asked after it", timeout=DEADLINE) == "asked after it"
    assert receive(timeout=0, default=None) is None
    remote = _remote(other)
    assert remote.unsent is None
    assert remote.named(name[0]).watchers is None
