"""Entries of the log become events of the wire when they are read."""

from __future__ import annotations

from typing import Any

from runtime import receive, spawn
from runtime.introspection.events.log_entry import LogEntry
from runtime.kernel.process import Pid
from runtime.terms.crash import StackFrame
from tests.support.in_node import in_node


def _entry(kind: str = "exit", pid: Pid | None = None, **fields: Any) -> LogEntry:
    return LogEntry(7, 1_000.0, kind, pid, 3, fields)


@in_node
def test_an_entry_is_about_its_process_its_old_one_and_its_place() -> None:
    pid = spawn(receive)
    entry = _entry("restart", pid, old_pid="<0.1.0>", key="app/w")
    for wanted in ((None, None), (str(pid), None), ("<0.1.0>", None), (None, "app/w"), (str(pid), "app/w")):
        assert entry.is_about(*wanted)
    for other in (("<0.99.0>", None), (None, "app/x"), (str(pid), "app/x")):
        assert not entry.is_about(*other)


def test_an_event_has_the_source_of_its_stack_and_the_entry_keeps_none() -> None:
    entry = _entry(name="shop", stacktrace=[StackFrame(__file__, 1, "work")])
    event = entry.event()
    assert (event.id, event.time, event.kind, event.pid, event.cause) == (7, 1_000.0, "exit", None, 3)
    assert event.stacktrace[0].source.startswith('"""Entries of the log')
    assert entry.fields["stacktrace"] == [StackFrame(__file__, 1, "work")]


@in_node
def test_who_was_spawned_is_named_as_it_is_called_when_the_event_is_read() -> None:
    pid = spawn(receive, label="late")
    event = _entry("spawn", pid).event()
    assert (event.name, event.key, event.message) == ("late", str(pid), "started with runtime.kernel.mailbox.receive")
    gone = _entry("spawn", Pid.parse("<0.999.0>"), name="gone").event()
    assert (gone.name, gone.message) == ("gone", "")
