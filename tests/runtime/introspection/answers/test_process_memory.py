"""What an observer is told of the memory of one process."""

from __future__ import annotations

from runtime import GenServer, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.answers.observed_node import Permissions
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer


class Shop(GenServer):
    """Holds pages and little else."""

    def init(self) -> None:
        self.pages = [bytes(10_000) for _ in range(30)]
        self.log = bytearray(5_000)
        self.names = {"home": "x"}


@in_node
def test_an_observer_gets_the_largest_first() -> None:
    observer = Observer()
    pid = Shop.start()
    answer = in_thread(lambda: observer.ask(wire.GetProcessMemory(pid=str(pid), limit=3)))
    assert isinstance(answer, wire.ProcessMemory), answer
    assert answer.parts[0].name == "pages"
    assert len(answer.parts) == len(answer.types) == 3
    assert [part.size for part in answer.parts] == sorted((part.size for part in answer.parts), reverse=True)


@in_node
def test_what_may_not_be_shown_what_has_ended_and_greenlets_are_refused_with_the_reason() -> None:
    pid = str(Shop.start())
    hidden = Observer(permissions=Permissions(state=False)).ask(wire.GetProcessMemory(pid=pid))
    assert isinstance(hidden, wire.Failed)
    assert "--no-state" in hidden.why
    gone = spawn(lambda: None)
    sleep(0)
    ended = Observer().ask(wire.GetProcessMemory(pid=str(gone)))
    assert isinstance(ended, wire.Failed)
    assert ended.kind == "noproc"
    greenlet = Observer().ask(wire.GetProcessMemory(pid="g0"))
    assert isinstance(greenlet, wire.Failed)
    assert greenlet.kind in ("unsupported", "noproc")
