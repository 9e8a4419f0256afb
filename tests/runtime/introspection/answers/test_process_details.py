"""`GetProcess`: all that one process can be asked without its help."""

from __future__ import annotations

import pytest

from runtime import call, cast, dictionary, flag, link, monitor, receive, self_, send, sleep, spawn, whereis
from runtime.introspection import wire
from runtime.introspection.answers import process_details, server_states
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Idle, Observer, start_tree


def _details(pid: object, observer: Observer | None = None, **query: object) -> wire.Details:
    answer = (observer or Observer()).ask(wire.GetProcess(pid=str(pid), **query))  # type: ignore[arg-type]
    assert isinstance(answer, wire.Details), answer
    return answer


@in_node
def test_links_monitors_and_watchers_are_named() -> None:
    friend, watched = spawn(receive, name="friend"), spawn(receive, label="watched")

    def life() -> None:
        link(friend)
        monitor(watched)
        monitor("friend")
        receive()

    pid = spawn(life, name="hub")
    monitor(pid)
    sleep(0)
    details = _details(pid)
    assert details.links == (wire.Related(pid=str(friend), name="friend"),)
    assert [related.name for related in details.monitors] == ["watched", "friend"]
    assert [related.pid for related in details.monitored_by] == [str(self_())]
    assert details.parent is not None
    assert details.parent.pid == str(self_())


@in_node
def test_messages_and_dictionary_are_shown_up_to_their_limits() -> None:
    def hoard() -> None:
        flag(trap_exit=True)
        dictionary().update(dict.fromkeys(range(200), "x"))
        receive("never")

    pid = spawn(hoard)
    for number in range(5):
        send(pid, ("job", number))
    sleep(0)
    details = _details(pid, messages=3)
    assert details.messages == ("('job', 0)", "('job', 1)", "('job', 2)")
    assert len(_details(pid, messages=-1).messages) == 0
    assert len(details.dictionary) == process_details.MAX_ENTRIES
    assert details.dictionary["0"] == "'x'"
    assert details.trap_exit
    assert details.current_stacktrace[-1].function in ("receive", "receive_matching", "hoard", "park", "wait")
    assert any("receive" in frame.source and "never" in frame.source for frame in details.current_stacktrace)


@in_node
def test_the_ancestors_are_the_supervisors_above_it_nearest_first() -> None:
    start_tree(pools=1, size=1)
    observer = Observer()
    row = next(row for row in observer.tree().rows if row.key == "app/pool0/w0")
    details = _details(row.pid, observer)
    assert [related.name for related in details.ancestors] == ["pool0", "app"]
    assert details.row.key == "app/pool0/w0"
    assert details.row.supervisor == str(whereis("pool0"))


@in_node
def test_whom_a_caller_waits_for_is_named() -> None:
    def slow() -> None:
        receive("never")

    server = spawn(slow, name="slow")
    caller = spawn(lambda: call(server, "hello", timeout=None))
    sleep(0)
    assert _details(caller).waiting_for == wire.Related(pid=str(server), name="slow")
    assert _details(server).waiting_for is None
    assert _details(server).monitored_by == ()  # a call is no monitor of the program's


@in_node
def test_a_state_is_asked_for_only_when_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_states, "TIMEOUT", 60.0)  # that of a busy machine
    observer = Observer()
    server = Idle.start_link()
    cast(server, "hello")
    assert (_details(server, observer).state, _details(server, observer).state_note) == (None, "")
    wanted = in_thread(lambda: _details(server, observer, state=True))
    assert wanted.state == "{}"
