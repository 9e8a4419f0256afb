"""`GetEvents` is answered with what the log holds."""

from __future__ import annotations

from runtime import exit, install_instrument, receive, remove_instrument, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.events.event_log import EventLog
from runtime.kernel.node import this_node
from tests.support.in_node import in_node
from tests.support.trees import Observer


@in_node
def test_events_are_asked_for_by_number_and_by_process() -> None:
    log = EventLog(this_node())
    install_instrument(log)
    observer = Observer(log)
    first, second = spawn(receive), spawn(receive)
    for pid in (first, second):
        exit(pid, "boom")
    sleep(0.01)
    remove_instrument(log)
    events = observer.events()
    assert [(event.kind, event.pid) for event in events] == [("exit", str(first)), ("exit", str(second))]
    assert observer.ask(wire.GetEvents(after=events[0].id)).events == events[1:]
    assert observer.ask(wire.GetEvents(after=-1, limit=1)).events == events[1:]
    assert observer.ask(wire.GetEvents(pid=str(first))).events == events[:1]
