"""What connections must not lose: calls by odd names, and what comes or waits with something that fails."""

import logging

import pytest

from runtime import Atom, Pid, call, cast, erpc, receive, self_, send, spawn
from runtime.distribution.incoming import SHORT_ENTRIES
from runtime.distribution.pickled import SHORT_SEND
from tests.runtime.distribution.test_short_messages import DEADLINE, Keeper
from tests.runtime.distribution.test_short_messages import _keeper as keeper
from tests.runtime.distribution.test_short_messages import _remote as remote
from tests.support.other_nodes import Other, named


class _OwnStr(str):
    __slots__ = ()


@named
def test_a_server_may_be_named_by_an_atom_and_by_any_string(other: Other) -> None:
    for kind in (Atom, type("Hidden", (_OwnStr,), {})):  # the other node cannot import the second
        (name, node), _ = keeper(other)
        dest = (kind(name), node)
        assert call(dest, "first", timeout=DEADLINE) == "first"
        cast(dest, "cast")
        send(dest, "sent")
        assert call((name, node), "kept", timeout=DEADLINE) == ["cast", ("info", "sent")]


def send_several(dest: Pid) -> None:
    cast(dest, 1)
    send(dest, 2)
    cast(dest, 3)


class _Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("the log is gone")


@named
def test_a_log_that_is_gone_takes_no_messages_with_it(other: Other) -> None:
    other.connect()
    handler, logger = _Broken(), logging.getLogger("runtime.distribution")
    logger.addHandler(handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(SHORT_ENTRIES, SHORT_SEND)  # so that one of the three cannot be handled
        erpc.cast(other.name, send_several, self_())
        received = [receive(timeout=DEADLINE)[1] for _ in range(2)]
    logger.removeHandler(handler)
    assert received == [1, 3]


@named
def test_the_guard_sees_that_is_sent_what_the_hub_was_kept_from_sending(other: Other) -> None:
    name, _ = keeper(other)
    connection = remote(other).connection
    assert connection is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection._hub, "later", lambda *_: None)  # as where the handler of a signal raises before it
        cast(name, "kept")
    connection.look_after()
    assert call(name, "kept", timeout=DEADLINE) == ["kept"]


@named
def test_what_a_beam_sends_to_one_process_after_another_is_what_it_means(beam: Other) -> None:
    beam.connect()
    server = Keeper.start_link()
    for number in range(3):  # the second one goes to where the first one went
        erpc.call(beam.name, ("gen_server", "cast"), server, number, timeout=DEADLINE)
        erpc.call(beam.name, ("erlang", "send"), server, (Atom("sent"), number), timeout=DEADLINE)
    me = self_()
    for number in range(3):
        erpc.call(beam.name, ("erlang", "send"), me, number, timeout=DEADLINE)
        assert receive(timeout=DEADLINE) == number
    assert call(server, "kept", timeout=DEADLINE) == [each for n in range(3) for each in (n, ("info", ("sent", n)))]


@named
def test_what_is_sent_to_two_processes_of_a_beam_in_turn_arrives_at_each(beam: Other) -> None:
    beam.connect()
    receivers = [spawn(("timer", "sleep"), 60_000, node=beam.name) for _ in range(2)]
    for number in (1, 2, 3):
        for receiver in (*receivers, receivers[0]):
            send(receiver, (Atom("sent"), number))
    for receiver, each in zip(receivers, (2, 1), strict=True):
        found = erpc.call(beam.name, ("erlang", "process_info"), receiver, Atom("messages"), timeout=DEADLINE)
        assert found == ("messages", [("sent", number) for number in (1, 2, 3) for _ in range(each)])
