"""What an interruption must leave whole: `may_interrupt` says which code may be left in the middle."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest

from runtime import (
    Down,
    Instrument,
    Registry,
    exit,
    install_instrument,
    monitor,
    receive,
    remove_instrument,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
)
from runtime.kernel import node as kernel_node
from runtime.kernel import signals
from runtime.kernel.node import running_node
from runtime.preemption.interruption import may_interrupt
from runtime.preemption.time_slice import TimeSlices


def spin(*_: object) -> NoReturn:
    while True:
        sum(range(100))


def frame_of(function: Callable[[Callable[[], None]], object]) -> FrameType:
    """Call ``function(note)`` in a process and return the frame in which it has called `note`."""
    frames: list[FrameType] = []

    def note() -> None:
        frames.append(sys._getframe(1))

    run(function, note)
    return frames[0]


def answer_of(function: Callable[[Callable[[], object]], object]) -> list[bool]:
    """Call ``function(ask)`` in a process; return for each call of `ask` whether it may be left there."""
    answers: list[bool] = []

    def ask(*_: object) -> None:
        answers.append(may_interrupt(sys._getframe(1)))

    run(function, ask)
    return answers


def test_the_programs_own_code_may_be_left() -> None:
    assert answer_of(lambda ask: ask()) == [True]


def test_code_that_the_runtime_calls_while_nothing_is_half_done_may_be_left() -> None:
    def main(ask: Callable[[], object]) -> None:
        send(self_(), 1)
        receive(lambda message: ask() or True)

    assert answer_of(main) == [True]


def test_an_import_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported.py").write_text("import sys\nsys.modules['tests.ask'].ask()\n")
    asked: list[bool] = []

    class Module:
        @staticmethod
        def ask() -> None:
            asked.append(may_interrupt(sys._getframe(1)))

    monkeypatch.setitem(sys.modules, "tests.ask", Module)

    def main() -> None:
        spec = importlib.util.spec_from_file_location("imported", tmp_path / "imported.py")
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))

    run(main)
    assert asked == [False]


def test_a_handler_of_the_log_is_not_left() -> None:
    class Asking(logging.Handler):
        def __init__(self, ask: Callable[[], object]) -> None:
            super().__init__()
            self.ask = ask

        def emit(self, record: logging.LogRecord) -> None:
            self.ask()

    def main(ask: Callable[[], object]) -> None:
        logger = logging.Logger("of this test")
        logger.addHandler(Asking(ask))
        logger.warning("x")

    assert answer_of(main) == [False]


def test_code_under_a_lock_of_threading_is_not_left() -> None:
    def main(ask: Callable[[], object]) -> None:
        condition = threading.Condition()
        with condition:
            condition.wait_for(lambda: ask() or True)

    assert answer_of(main) == [False]


def test_code_that_gevent_calls_is_not_left() -> None:
    import gevent.pool

    def main(ask: Callable[[], object]) -> None:
        gevent.pool.Pool(1).map(lambda _: ask(), [1])

    assert answer_of(main) == [False]


def test_a_hook_in_the_middle_of_a_death_is_not_left() -> None:
    class Asking(Instrument):
        def __init__(self, ask: Callable[[], object]) -> None:
            self.ask = ask

        def exited(self, process: object, reason: object, cause: object) -> None:
            self.ask()

    def main(ask: Callable[[], object]) -> None:
        instrument = Asking(ask)
        install_instrument(instrument)
        monitor(spawn(lambda: None))
        receive(Down)
        remove_instrument(instrument)

    assert answer_of(main) == [False]


def test_the_copy_of_a_reason_while_a_death_is_told_is_not_left() -> None:
    class Asking:
        def __init__(self, ask: Callable[[], object]) -> None:
            self.ask = ask

        def __deepcopy__(self, memo: object) -> object:
            self.ask()
            return self

    def main(ask: Callable[[], object]) -> None:
        monitor(spawn(exit, Asking(ask)))
        receive(Down)

    exited, told = answer_of(main)
    assert exited
    assert not told


def test_a_reason_whose_copy_never_ends_is_cut_while_a_death_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "COPYING", 0.02)

    class CopiedOnce:
        def __init__(self) -> None:
            self.copies = 0

        def __deepcopy__(self, memo: object) -> object:
            self.copies += 1
            if self.copies > 1:
                spin()
            return self

    def main() -> object:
        monitor(spawn(exit, CopiedOnce()))
        return receive(Down).reason

    assert type(run(main)).__name__ == "CopiedOnce"


def test_a_via_key_whose_hash_never_ends_is_cut_when_a_timer_fires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_node, "RESOLVING", 0.02)

    class Key:
        loops = False

        def __hash__(self) -> int:
            return spin() if self.loops else 0

    def main() -> object:
        Registry.start_link(name="registry")
        key = Key()
        send_after(("via", "registry", key), "x", 0.001)
        key.loops = True
        send_after(self_(), "later", 0.002)
        return receive("later", timeout=60)

    assert run(main) == "later"


def test_what_the_runtime_does_itself_is_not_left() -> None:
    frame = frame_of(lambda note: note())
    inside = frame.f_back
    while inside is not None and not inside.f_globals["__name__"].startswith("runtime."):
        inside = inside.f_back
    assert inside is not None
    assert not may_interrupt(inside)


def test_a_stack_without_the_runtime_is_that_of_a_plain_greenlet_or_of_the_hub() -> None:
    def program() -> FrameType:
        return sys._getframe()

    frame = program()
    assert not may_interrupt(None)
    assert may_interrupt(None, plain=True)
    del frame


def test_slices_leave_an_import_whole(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nends = time.monotonic() + 0.02\nwhile time.monotonic() < ends: pass\n"
    )
    order: list[str] = []

    def imports() -> None:
        spec = importlib.util.spec_from_file_location("slow", tmp_path / "slow.py")
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        order.append("imported")

    def main() -> None:
        node = running_node()
        assert node is not None
        with TimeSlices(node, 0.001):
            spawn(imports)
            spawn(order.append, "other")
            sleep(0.001)
            while len(order) < 2:
                sleep(0.001)

    run(main)
    assert order == ["imported", "other"]
