"""The command that tells what processes wait for, on a scripted node."""

from __future__ import annotations

import pytest

from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint

WAIT = wire.Wait(pid="<0.9.0>", name="lonely", kind="reply", chain=(wire.Related(pid="<0.3.0>", name="worker"),))


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], wire.GetWaits()),
        (["chat"], wire.GetWaits()),
        (["chat", "lonely"], wire.GetWaits(pid="<0.9.0>")),
        (["0.9.0", "--all"], wire.GetWaits(pid="<0.9.0>", all=True)),
    ],
)
def test_all_processes_or_one_are_asked_for(observer: Command, words: list[str], asked: wire.GetWaits) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        return wire.Waits(waits=(WAIT,), total=1) if isinstance(query, wire.GetWaits) else scripted(query)

    with FakeEndpoint("chat", respond) as endpoint:
        done = observer("waits", *words)
    assert asked in endpoint.asked
    assert "a reply of worker" in done.out
    assert done.status == 0


def test_a_cycle_is_a_failure(observer: Command) -> None:
    cycle = wire.Wait(pid="<0.9.0>", kind="reply", chain=WAIT.chain, cycle=True)
    with FakeEndpoint("chat", lambda query: wire.Waits(waits=(cycle,), total=1)):
        assert observer("waits").status == 1
    with FakeEndpoint("chat", lambda query: wire.Waits()):
        done = observer("waits")
    assert (done.status, done.out) == (0, "No process waits for anything but its next message.\n")


def test_more_words_than_it_takes_are_wrong_usage(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        done = observer("waits", "chat", "lonely", "worker")
    assert done.status == 2
    assert "[NODE] [PID]" in done.err
