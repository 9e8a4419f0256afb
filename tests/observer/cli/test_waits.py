"""The command that tells what processes wait for, on a scripted node."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint

WAIT = wire.Wait(pid="<0.9.0>", name="lonely", kind="reply", chain=(wire.Related(pid="<0.3.0>", name="worker"),))


def answering(waits: wire.Waits, stats: wire.NodeStats | None = None) -> Callable[[wire.Query], wire.Answer]:
    """Return the answers of a node whose processes wait so, whose figures may be those."""

    def respond(query: wire.Query) -> wire.Answer:
        if isinstance(query, wire.GetWaits):
            return waits
        return wire.Stats(stats=stats) if stats is not None else scripted(query)

    return respond


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
    with FakeEndpoint("chat", answering(wire.Waits(waits=(WAIT,), total=1))) as endpoint:
        done = observer("waits", *words)
    assert asked in endpoint.asked
    assert "a reply of worker" in done.out
    assert done.status == 0


def test_a_cycle_is_a_failure(observer: Command) -> None:
    cycle = wire.Wait(pid="<0.9.0>", kind="reply", chain=WAIT.chain, cycle=True)
    with FakeEndpoint("chat", answering(wire.Waits(waits=(cycle,), total=1))):
        assert observer("waits").status == 1
    with FakeEndpoint("chat", answering(wire.Waits())):
        done = observer("waits")
    assert done == (0, "No process waits for anything but its next message.\n", "")


@pytest.mark.parametrize(("pid", "holder"), [("<0.4.0>", "<0.4.0>"), ("?", "something that is no process")])
def test_of_a_node_whose_hub_is_held_it_is_said_what_all_wait_for(observer: Command, pid: str, holder: str) -> None:
    stats = wire.NodeStats(
        name="chat", time=0.0, started_at=0.0, os_pid=1, hub_busy_with=pid, hub_busy_at="a.py:7 in b"
    )
    with FakeEndpoint("chat", answering(wire.Waits(waits=(WAIT,), total=1), stats)):
        done = observer("waits")
    assert "a reply of worker" in done.out
    assert done.err == f"observer: All wait for the hub: {holder} holds it, at a.py:7 in b.\n"


def test_more_words_than_it_takes_are_wrong_usage(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        done = observer("waits", "chat", "lonely", "worker")
    assert done.status == 2
    assert "[NODE] [PID]" in done.err
