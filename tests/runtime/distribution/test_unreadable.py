"""Messages that the other node cannot unpickle: who waits for an answer hears of it, and nothing else is lost."""

import io
import pickle
import sys
from collections.abc import Callable
from threading import Lock
from types import ModuleType
from typing import Any

import pytest

from runtime import (
    Atom,
    CallError,
    Exit,
    GenServer,
    Pid,
    call,
    cast,
    erpc,
    flag,
    node,
    receive,
    receive_response,
    reply,
    self_,
    send,
    send_request,
    spawn,
    spawn_link,
)
from runtime import sys as runtime_sys
from runtime.distribution.cluster import local_node
from runtime.distribution.parts import ImproperList
from runtime.distribution.pickled import Batches, _unpickler_for, restore_pid
from runtime.distribution.unreadable import CONTENT, Unknown, outlines
from runtime.kernel.node import this_node
from tests.support.in_node import in_node
from tests.support.kernels import PlainConversion
from tests.support.other_nodes import Other, beam_node, named

DEADLINE = 60.0


class OnlyOn:
    """Can be unpickled on one node alone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, (self.name,)


def restore(name: str) -> OnlyOn:
    if node() != name:
        raise LookupError(f"only on {name}")
    return OnlyOn(name)


class Giver(GenServer):
    """Answers with what its callers cannot read, at once or when it is cast something."""

    callers: list[Any]

    def init(self) -> None:
        self.callers = []

    def handle_call(self, request: Any, caller: Any) -> Any:
        return "well" if request == "how are you" else OnlyOn(node())

    def handle_cast(self, message: Any) -> None:
        """Do nothing."""

    def handle_info(self, message: Any) -> None:
        """Do nothing."""


def start_giver() -> Pid | None:
    return Giver.start()


def give() -> OnlyOn:
    return OnlyOn(node())


def pass_on_to(pid: Pid) -> None:
    """Send the call that comes to another process, and live on."""
    message = receive(tuple)
    send(pid, message[-2:])
    receive()


def hand_on_to(pid: Pid) -> None:
    """Send a request that comes to another process, and live on."""
    send(pid, receive(tuple))
    receive()


def answer_unreadably() -> None:
    message = receive(tuple)
    reply(message[-2], OnlyOn(node()))
    receive()


def _giver(other: Other) -> Any:
    other.connect()
    return erpc.call(other.name, start_giver)


def _monitors() -> int:
    local = local_node(this_node())
    assert local is not None
    return len(local.monitors)


@named
def test_a_call_whose_reply_cannot_be_read_fails_at_once(other: Other) -> None:
    giver, before = _giver(other), _monitors()
    with pytest.raises(CallError) as caught:
        call(giver, "something", timeout=DEADLINE)
    reason = caught.value.reason
    assert reason[0] == "unreadable_reply"
    assert reason[1].startswith(f"LookupError: only on {other.name}; both nodes must be able to import")
    assert receive_response(send_request(giver, "something"), DEADLINE) == ("error", (reason, giver))
    assert call(giver, "how are you", timeout=DEADLINE) == "well"
    assert _monitors() == before


@named
def test_a_call_whose_request_cannot_be_read_fails_at_once_and_its_server_lives(other: Other) -> None:
    giver, before = _giver(other), _monitors()
    mine = OnlyOn(node())
    for request in (mine, [mine], {"a": (mine, {1})}, {mine}):
        with pytest.raises(CallError) as caught:
            call(giver, request, timeout=DEADLINE)
        assert caught.value.reason[0] == "unreadable_request"
        assert "LookupError: " in caught.value.reason[1]
    outcome = receive_response(send_request(("counter", other.name), mine), DEADLINE)
    assert outcome == ("error", (caught.value.reason, ("counter", other.name)))
    with pytest.raises(CallError) as caught:
        runtime_sys.change_code(giver, Giver, None, mine, timeout=DEADLINE)
    assert caught.value.reason[0] == "unreadable_request"
    assert call(giver, "how are you", timeout=DEADLINE) == "well"
    assert _monitors() == before


@named
def test_what_nobody_waits_for_is_dropped_alone(other: Other) -> None:
    giver = _giver(other)
    mine = OnlyOn(node())
    cast(giver, mine)
    send(giver, mine)
    send(giver, ("$gen_call", mine, mine))
    send(giver, ("$gen_call", (giver, mine), mine))
    assert call(giver, "how are you", timeout=DEADLINE) == "well"


@named
def test_a_process_whose_arguments_cannot_be_read_is_not_started(other: Other) -> None:
    other.connect()
    flag(trap_exit=True)
    mine = OnlyOn(node())
    pid = spawn_link(give, mine, node=other.name)
    end = receive(Exit, timeout=DEADLINE)
    assert end.pid == pid
    assert end.reason[0] == "unreadable_request"
    with pytest.raises(erpc.ErpcError, match="unreadable_request"):
        erpc.call(other.name, give, mine, timeout=DEADLINE)
    with pytest.raises(erpc.ErpcError, match="only on"):
        erpc.call(other.name, give, timeout=DEADLINE)


@named
def test_a_call_that_was_handed_on_fails_as_well_where_its_reply_cannot_be_read(other: Other) -> None:
    other.connect()
    there = spawn(answer_unreadably, node=other.name)
    here = spawn(pass_on_to, there)
    with pytest.raises(CallError, match="unreadable_reply"):
        call(here, "something", timeout=DEADLINE)


@named
def test_a_call_that_was_handed_on_fails_as_well_where_its_request_cannot_be_read(other: Other) -> None:
    giver = _giver(other)
    here, there = spawn(hand_on_to, giver), spawn(hand_on_to, Giver.start(), node=other.name)
    for server, request in (here, OnlyOn(node())), (there, OnlyOn(other.name)):  # to a third one, and back
        with pytest.raises(CallError, match="unreadable_request"):
            call(server, request, timeout=DEADLINE)
    assert call(giver, "how are you", timeout=DEADLINE) == "well"


def give_function() -> Any:
    return lambda: None


@named
def test_a_result_that_does_not_travel_is_no_signal_that_has_killed_the_function(other: Other) -> None:
    other.connect()
    with pytest.raises(erpc.ErpcError) as caught:
        erpc.call(other.name, give, timeout=DEADLINE)
    what, (why, text) = caught.value.reason
    assert (what, why, "LookupError: only on" in text) == ("erpc", "unreadable_reply", True)
    with pytest.raises(erpc.ErpcError) as caught:
        erpc.call(other.name, give_function, timeout=DEADLINE)
    what, crash = caught.value.reason
    assert (what, crash.exception, "cannot be pickled" in crash.message) == ("exception", "TypeError", True)


class Secretive(GenServer):
    """Has a state that does not travel."""

    def init(self) -> None:
        self.work = lambda: {1}

    def handle_call(self, request: Any, caller: Any) -> Any:
        return request

    def handle_info(self, message: Any) -> None:
        """Do nothing."""


def start_secretive() -> Pid | None:
    return Secretive.start()


@named
def test_a_server_lives_on_whose_state_does_not_travel_and_whatever_it_is_asked_of_itself(other: Other) -> None:
    other.connect()
    server = erpc.call(other.name, start_secretive)
    for ask in (runtime_sys.get_state, runtime_sys.get_status):
        with pytest.raises(runtime_sys.SystemRequestError, match="cannot be pickled"):
            ask(server, timeout=DEADLINE)
    for content, unknown in ((5, 5), ((), ()), (("terminate",), "terminate"), (("no such", 1), ("no such", 1))):
        send(server, (Atom("system"), (self_(), Atom("tag")), content))
        tag, refusal = receive(tuple, timeout=DEADLINE)
        assert (tag, refusal.reason) == ("tag", ("unknown_system_msg", unknown))
    send(server, (Atom("system"), (self_(), Atom("tag")), {"no": "request"}))
    assert receive(tuple, timeout=DEADLINE)[1].reason.exception == "TypeError"
    assert call(server, "how are you", timeout=DEADLINE) == "how are you"


@named
def test_a_beam_gets_an_error_for_what_a_server_does_not_know() -> None:
    server = Secretive.start()
    assert server is not None
    with beam_node() as beam:
        beam.connect()
        assert "<lambda>" in str(erpc.call(beam.name, ("sys", "get_state"), server, timeout=DEADLINE))
        refusal = ("error", ("unknown_system_msg", ("debug", ("log", "get"))))
        assert erpc.call(beam.name, ("sys", "log"), server, Atom("get"), timeout=DEADLINE) == refusal
    assert call(server, "how are you", timeout=DEADLINE) == "how are you"


# -- Outlines ----------------------------------------------------------------------------------------------------------


class Strange:
    """Comes with a state, with items and with attributes of its own."""

    def __init__(self) -> None:
        self.a: Any = self


class StrangeList(list[Any]):
    """A list with a class of its own."""


class StrangeDict(dict[Any, Any]):
    """A dictionary with a class of its own."""


def test_an_outline_has_the_frame_of_a_message_and_runs_none_of_the_programs_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = ModuleType("only_elsewhere")
    monkeypatch.setitem(sys.modules, "only_elsewhere", elsewhere)
    frame = (Atom("$gen_call"), ImproperList((Atom("alias"),), 5), [1, {"a": "text"}])
    values: list[Any] = [
        Strange(),
        StrangeList([1, 2]),
        StrangeDict(a=1),
        {1, frozenset((2,))},
        1j,
        Strange,
        bytearray(2),
    ]
    for kind in (Strange, StrangeList, StrangeDict):
        monkeypatch.setattr(kind, "__module__", "only_elsewhere")
        monkeypatch.setattr(elsewhere, kind.__name__, kind, raising=False)
    data = pickle.dumps((frame, values, "".join), 5)
    monkeypatch.delitem(sys.modules, "only_elsewhere")
    unpickler = _unpickler_for(PlainConversion())
    with pytest.raises(ImportError, match=r"only_elsewhere\.Strange cannot be imported here: No module named"):
        unpickler(io.BytesIO(data)).load()
    own = frozenset(((restore_pid.__module__, restore_pid.__name__),))
    outline, unknown, joined = outlines(unpickler, own)(io.BytesIO(data)).load()
    assert outline == frame
    assert type(outline[0]) is Atom
    assert type(outline[1]) is ImproperList
    assert [type(value) for value in unknown] == [Unknown, Unknown, Unknown, set, Unknown, type, bytearray]
    assert isinstance(joined, Unknown)


FRAMED: list[Callable[[Any], Any]] = [
    lambda content: content,
    lambda content: (Atom("$gen_cast"), content),
    lambda content: (Atom("$gen_call"), (self_(), 1), content),
    lambda content: (7, self_(), CONTENT, content),
]


@pytest.mark.parametrize("frame", FRAMED)
@in_node
def test_what_cannot_be_pickled_is_named_as_its_sender_knows_it(frame: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"^<_thread.lock .*> \(lock\) cannot be sent to another node, since "):
        Batches(PlainConversion()).add((6, self_(), Atom(""), Atom("name")), frame(Lock()))
