from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    CallError,
    GenServer,
    GenStatem,
    Keep,
    Reply,
    call,
    cast,
    exit,
    receive,
    send,
    sleep,
    spawn,
    timer,
)
from runtime.introspection import wire
from runtime.introspection.answers import findings
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.measuring import memory_trend
from runtime.preemption.stall import Stall
from tests.support.in_node import in_node
from tests.support.trees import Observer, start_tree


@pytest.fixture(autouse=True)
def look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "PERIOD", 0.0)
    monkeypatch.setattr(findings, "SHARE", 1e9)
    monkeypatch.setattr(findings, "IGNORED_FOR", 0.0)


def _found(observer: Observer, kind: str) -> list[wire.Lint]:
    return [lint for lint in observer.ask(wire.GetLints()).lints if lint.kind == kind]


@in_node
def test_a_quiet_tree_has_nothing_wrong() -> None:
    start_tree()
    observer = Observer()
    assert observer.ask(wire.GetLints()).lints == ()
    assert observer.tree().stats.lint_count == 0


class Till(GenServer):
    def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case ("price", what):
                return len(what)


@in_node
def test_calls_that_no_case_takes_are_found_and_counted_by_kind() -> None:
    till = Till.start()
    assert till is not None
    observer = Observer()
    assert call(till, ("price", "tea")) == 3
    assert _found(observer, "unanswered") == []
    assert [call(till, request) for request in (("discount", 1), ("discount", 2), "open")] == [None] * 3
    (found,) = _found(observer, "unanswered")
    assert found.pids == (str(till),)
    assert found.sentence.endswith("answered None to 3 calls that no case of its handle_call() takes.")
    details = observer.ask(wire.GetProcess(pid=str(till)))
    assert (details.unanswered, details.unanswered_kinds) == (3, ("discount 2", "open 1"))
    hidden = Observer(permissions=Permissions(state=False)).ask(wire.GetProcess(pid=str(till)))
    assert (hidden.unanswered, hidden.unanswered_kinds) == (3, ())


class Door(GenStatem):
    def init(self) -> Any:
        return "shut"

    def shut(self, kind: Any, event: Any) -> Any:
        match kind, event:
            case "call", "open":
                return Keep(Reply(self.caller, "no"))


@in_node
def test_calls_that_no_case_of_a_state_takes_are_found() -> None:
    door = Door.start()
    assert door is not None
    assert call(door, "open") == "no"
    observer = Observer()
    assert _found(observer, "unanswered") == []
    with pytest.raises(CallError, match="timeout"):
        call(door, ("knock", 1), timeout=0.1)
    (found,) = _found(observer, "unanswered")
    assert found.sentence.endswith("did not answer 1 call that no case takes.")
    print(observer.ask(wire.GetProcess(pid=str(door))))
    assert observer.ask(wire.GetProcess(pid=str(door))).unanswered_kinds == ("knock 1",)


@in_node
def test_a_mailbox_that_only_grows_is_found_and_forgotten_when_it_shrinks() -> None:
    slow = spawn(_slow)
    observer = Observer()
    for _ in range(5):
        for _ in range(findings.LONG_MAILBOX):
            send(slow, "work")
        found = _found(observer, "mailbox_grows")
    assert found[0].pids == (str(slow),)
    assert "500 messages" in found[0].sentence
    assert "mailbox_grows" in observer.listing(filter=f"pid={slow}").rows[0].lints
    send(slow, "stop")
    sleep(1.0)
    assert _found(observer, "mailbox_grows") == []


@in_node
def test_memory_that_only_grows_is_found_and_forgotten_when_it_shrinks_or_stands_still() -> None:
    hoarder = spawn(receive)
    observer = Observer()

    def estimated(megabytes: int, second: float) -> list[wire.Lint]:
        process = hoarder.process
        assert process is not None
        process.memory, process.memory_at = megabytes * 1_000_000, second
        return _found(observer, "memory_grows")

    seen = [estimated(2 + second, second) for second in range(10)]
    assert [bool(found) for found in seen] == [second >= memory_trend.GROWING_FOR for second in range(10)]
    assert seen[-1][0].pids == (str(hoarder),)
    assert "by 9.0 MB in 9 s, to 11.0 MB" in seen[-1][0].sentence
    assert estimated(5, 10) == []
    assert [bool(estimated(5 + second, 10 + second)) for second in range(10)][-1]
    assert estimated(14, 19 + memory_trend.STANDS_STILL) != []
    assert estimated(14, 20 + memory_trend.STANDS_STILL) == []


@in_node
def test_a_leak_is_not_forgotten_while_no_observer_asks() -> None:
    hoarder = spawn(receive)
    observer = Observer()

    def estimated(megabytes: int, second: float) -> list[wire.Lint]:
        process = hoarder.process
        assert process is not None
        process.memory, process.memory_at = megabytes * 1_000_000, second
        return _found(observer, "memory_grows")

    assert [estimated(2 + second, second) for second in range(4)] == [[]] * 4
    observer.node.let_go()
    assert [bool(estimated(60 + second, 600 + second)) for second in range(3)][-1]
    exit(hoarder, "kill")
    assert _found(observer, "memory_grows") == []
    assert observer.node.findings._memory == {}


@in_node
def test_findings_that_are_asked_for_alone_have_memory_measured() -> None:
    observer = Observer()
    assert not observer.node.memory.is_under_way
    observer.ask(wire.GetLints())
    assert observer.node.memory.is_under_way


@in_node
def test_a_program_that_only_grows_is_found_and_not_told_of_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer()
    rss = observer.node.findings._rss

    def weighed(megabytes: int, second: float) -> list[wire.Lint]:
        rss.add(megabytes * 1_048_576, second)
        return _found(observer, "program_grows")

    monkeypatch.setattr(observer.node.findings, "weigh_program", lambda: None)
    seen = [weighed(100 + 2 * second, second) for second in range(20)]
    assert [bool(found) for found in seen] == [second >= findings.PROGRAM_GROWING_FOR for second in range(20)]
    assert seen[-1][0].pids == ()
    assert "The memory of the whole program only grows: by 38 MB in 19 s, to 145 MB." in seen[-1][0].sentence
    lint = wire.Lint(kind="memory_grows", weight=2, pids=(), sentence="")
    assert [*observer.node.findings._program_grows([lint])] == []


@in_node
def test_the_memory_of_the_whole_program_is_weighed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    observer = Observer()
    weighed: list[float] = []

    class Scales:
        def add(self, estimate: int, at: float) -> None:
            weighed.append(at)

    monkeypatch.setattr(observer.node.findings, "_rss", Scales())
    for _ in range(3):
        observer.node.findings.weigh_program()
    assert len(weighed) == 1


@in_node
def test_memory_that_grows_by_little_is_nothing_to_tell_of() -> None:
    hoarder = spawn(receive)
    observer = Observer()
    for second in range(30):
        process = hoarder.process
        assert process is not None
        process.memory, process.memory_at = 50_000_000 + second * 1_000, float(second)
        assert _found(observer, "memory_grows") == []


def _slow() -> None:
    receive("stop")
    while receive(timeout=0, default=None) is not None:
        pass
    receive("never")


@in_node
def test_a_message_that_no_receive_takes_is_found() -> None:
    choosy = spawn(lambda: receive("yes"))
    send(choosy, "no")
    sleep(0.1)
    observer = Observer()
    assert _found(observer, "never_received")[0].pids == (str(choosy),)
    send(choosy, "yes")
    sleep(0.1)
    assert _found(observer, "never_received") == []


@in_node
def test_a_process_that_nobody_would_miss_is_found() -> None:
    alone = spawn(receive)
    spawn(receive, name="known")
    timer.apply_after(1_000.0, print)
    observer = Observer()
    assert [lint.pids for lint in _found(observer, "unwatched")] == [(str(alone),)]


@in_node
def test_of_many_that_nobody_would_miss_no_more_are_found_than_are_told_of() -> None:
    strays = [spawn(receive) for _ in range(findings.MAX_FINDINGS + 5)]
    observer = Observer()
    found = _found(observer, "unwatched")
    assert [lint.pids for lint in found] == [(str(pid),) for pid in strays[: findings.MAX_FINDINGS]]


class Asking(GenServer):
    """Asks another one."""

    def init(self) -> None:
        """Know no other server."""
        self.other: Any = None

    def handle_cast(self, other: Any) -> None:
        """Call the server that is named."""
        call(other, "hello", timeout=None)

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Answer."""
        return request


@in_node
def test_a_server_that_calls_itself_is_found() -> None:
    server = Asking.start()
    cast(server, server)
    sleep(0.1)
    found = _found(Observer(), "calls_itself")
    assert [finding.pids for finding in found] == [(str(server),)]


@in_node
def test_servers_that_wait_for_each_other_are_found() -> None:
    a, b, c = (Asking.start() for _ in range(3))
    for server, other in ((a, b), (b, c), (c, a)):
        cast(server, other)
    sleep(0.1)
    found = _found(Observer(), "deadlock")
    assert len(found) == 1
    assert set(found[0].pids) == {str(a), str(b), str(c)}
    for server in (a, b, c):
        assert server is not None
        exit(server, "kill")


@in_node
def test_who_has_held_the_hub_is_told_of_for_a_while_after_it_is_over() -> None:
    busy, brief = spawn(receive, label="busy"), spawn(receive, label="brief")
    observer = Observer()
    observer.log.add_stall(Stall(brief.process, 0.3, "program.py:1 in brief"))
    observer.log.add_stall(Stall(busy.process, 1.5, "program.py:2 in compute"))
    (found,) = _found(observer, "held_hub")
    assert found.pids == (str(busy),)
    assert found.sentence == f"busy {busy} held the hub for 1.5 s, at program.py:2 in compute: all others stood still."
    observer.log.add_stall(Stall(busy.process, 2.5, "program.py:3 in compute"))
    exit(busy, "kill")
    (found,) = _found(observer, "held_hub")
    assert found.pids == ()
    assert "busy" in found.sentence
    assert "held the hub 2 times in the last 30 s, once for 2.5 s, at program.py:3" in found.sentence
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings, "REMEMBERED", 0.0)
        assert _found(observer, "held_hub") == []
