"""Names of any length: what is sent of them fits the fields that the observer accepts."""

from __future__ import annotations

from runtime import receive, sleep, spawn
from runtime.introspection import wire
from tests.support.in_node import in_node
from tests.support.trees import Observer

LONG = "x" * 100_000


@in_node
def test_a_process_whose_names_are_long_is_shown() -> None:
    def wait() -> None:
        receive("never")

    wait.__qualname__ = wait.__name__ = LONG
    pid = spawn(wait, label=LONG, name=LONG)
    sleep(0.01)
    observer = Observer()
    answers = [observer.ask(wire.GetProcess(pid=str(pid))), observer.listing(), observer.ask(wire.GetNames())]
    for number, answer in enumerate(answers):
        frame = wire.frame(wire.Reply(id=number, answer=answer))
        assert wire.decode_reply(frame[wire.HEADER.size :]).id == number
