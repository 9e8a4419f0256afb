"""What connections must not lose: calls by odd names, and what comes or waits with something that fails."""

import logging

import pytest

from runtime import Atom, Pid, call, cast, erpc, receive, self_, send
from runtime.distribution.incoming import SHORT_ENTRIES
from runtime.distribution.pickled import SHORT_SEND
from tests.runtime.distribution.test_short_messages import DEADLINE
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
