"""A request to start a process is served once, wherever the handler of a signal raises."""

from itertools import count
from typing import Any

import pytest

from runtime import Pid, Ref, sleep, whereis
from runtime.distribution.cluster import local_node
from runtime.distribution.incoming import receive_signal
from runtime.distribution.spawn_requests import LINKED, MONITORED
from runtime.kernel.node import this_node
from runtime.terms.atom import Atom
from runtime.terms.isolation import isolate
from tests.runtime.distribution.test_interrupted_delivery import _connected, _was_interrupted
from tests.support.other_nodes import Other, named

SPAWN_REQUEST, EXIT, SPAWN_REPLY, MONITOR_P_EXIT = 29, 3, 31, 21

ran: list[object] = []


def run_once(number: int) -> None:
    """Note that it has run."""
    ran.append(number)


def _request(ref: Ref, source: Pid, number: int, *options: Any) -> tuple[Any, ...]:
    mfa = (Atom(__name__), Atom("run_once"), 1)
    return (SPAWN_REQUEST, ref, source, source, mfa, [*options]), isolate([number])


def _kinds(sent: list[tuple[Any, ...]]) -> list[int]:
    return [control[0] for control in sent]


@pytest.mark.parametrize("runs_between", [False, True])
@pytest.mark.parametrize("name", [None, "started"])
@named
def test_one_process_is_started_and_told_of_once(
    other: Other, name: str | None, runs_between: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote, there = _connected(other)
    local = local_node(this_node())
    assert local is not None
    connection = remote.connection
    assert connection is not None
    numbers = count(1)
    sent: list[tuple[Any, ...]] = []

    def note(control: tuple[Any, ...], payload: Any) -> None:
        nonlocal sent
        sent += (control,)  # no call, as in `Batches.add`

    monkeypatch.setattr(connection.batches, "add", note)
    options = [Atom("link"), Atom("monitor"), *([(Atom("name"), Atom(name))] if name else [])]
    for step in range(2_000):
        ran.clear()
        sent.clear()
        ref = local.foreign_ref(next(numbers), remote.life)
        request = _request(ref, there, step, *options)
        is_struck = _was_interrupted(step, receive_signal, remote, *request)
        if is_struck:
            if runs_between:
                sleep(0)
            receive_signal(remote, *request)
        while whereis("started") is not None or not ran:
            sleep(0)
        sleep(0)
        assert ran == [step]
        (reply,) = (control for control in sent if control[0] == SPAWN_REPLY)
        assert reply[3] == LINKED | MONITORED
        after = sent[sent.index(reply) + 1 :]  # what comes before is for a link and a monitor that no one knows
        assert {*_kinds(after)} == {EXIT, MONITOR_P_EXIT}
        assert all(control[4 if control[0] == MONITOR_P_EXIT else 3] == "normal" for control in after)
        assert not remote.starts
        if not is_struck:
            break
    assert step > 10
