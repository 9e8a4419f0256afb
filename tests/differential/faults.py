"""What goes wrong, and what is seen of it: ``python -m tests.differential.faults`` prints the same on each kernel.

Recursion that goes too deep, memory that is not to be had, handlers of signals that raise, processes that hold the hub,
what `process_info` says of those that wait, and what instruments hear.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import runtime
from runtime import (
    CallError,
    Crash,
    Down,
    GenServer,
    Instrument,
    Pid,
    Ref,
    call,
    cast,
    exit,
    flag,
    install_instrument,
    link,
    process_info,
    receive,
    remove_instrument,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    spawn_monitor,
)

RUNTIME = str(Path(runtime.__file__).parent)

SLICE = 0.002
"""Seconds of a time slice, by which a process that loops makes room for the others."""


class Struck(Exception):
    """What the handler of a signal raises."""


class Server(GenServer):
    """Does what goes wrong."""

    def handle_call(self, request: Any, caller: Any) -> Any:
        return request()

    def handle_cast(self, message: Any) -> None:
        message()


def dive() -> None:
    """Use up the stack."""
    dive()


def dive_and_send() -> None:
    """Use up the stack, sending at every depth."""
    send(self_(), [1])
    dive_and_send()


def dive_and_call() -> None:
    """Use up the stack, calling a server at every depth."""
    call(Server.start() or self_(), lambda: 1)
    dive_and_call()


def take_all_memory() -> None:
    """Ask for more than there is."""
    bytearray(2**62)


def send_too_deep() -> None:
    """Send what is nested deeper than any stack."""
    message: list[Any] = []
    for _ in range(100_000):
        message = [message]
    send(self_(), message)


def be_struck() -> None:
    """Loop until the handler of a signal raises."""

    def handler(number: int, frame: FrameType | None) -> None:
        raise Struck

    before = signal.signal(signal.SIGUSR2, handler)
    try:
        signal.raise_signal(signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)


def loop() -> None:
    """Never end."""
    while True:
        sum(range(100))


FAILING: tuple[Callable[[], None], ...] = (
    *(dive, dive_and_send, dive_and_call),
    *(take_all_memory, send_too_deep, be_struck),
)


def told(reason: Any) -> str:
    """Return an exit reason as text, with the places of the program's own code."""
    if not isinstance(reason, Crash):
        return repr(reason)
    places = [frame.function for frame in reason.stacktrace if Path(frame.file) == Path(__file__)]
    return f"{reason.exception}, from {places[0] if places else 'nowhere'}, at {places[-1] if places else 'nowhere'}"


def failures() -> Iterator[str]:
    """Have each thing fail in a process, in a call and in a cast."""
    for failing in FAILING:
        spawn_monitor(failing)
        yield f"{failing.__name__} in a process: {told(receive(Down, timeout=20).reason)}"
        server = Server.start()
        assert isinstance(server, Pid)
        try:
            call(server, failing, timeout=20.0)
        except CallError as error:
            yield f"{failing.__name__} in a call: {told(error.reason)}"
        server = Server.start()
        assert isinstance(server, Pid)
        runtime.monitor(server)
        cast(server, failing)
        yield f"{failing.__name__} in a cast: {told(receive(Down, timeout=20).reason)}"


def holders() -> Iterator[str]:
    """Have processes that hold the hub sliced, and killed."""
    server = Server.start()
    assert isinstance(server, Pid)
    loops = [spawn(loop), server]
    cast(server, loop)
    for _ in range(5):
        sleep(0.001)
    for pid in loops:
        yield f"while it loops: {process_info(pid, 'status', 'message_queue_len')}"
        runtime.monitor(pid)
        exit(pid, "kill")
        yield f"killed while it looped: {told(receive(Down, timeout=20).reason)}"


def waiting_in_receive() -> None:
    """Wait for anything."""
    receive()


def waiting_for_a_pattern() -> None:
    """Wait for a fresh reference, past a message."""
    receive((Ref(), int))


def waiting_with_timeout() -> None:
    """Wait for a while."""
    receive(int, timeout=60.0)


def waiting_in_sleep() -> None:
    """Sleep."""
    sleep(60.0)


def waiting_in_call(server: Pid) -> None:
    """Wait for a reply that does not come."""
    call(server, loop_in_sleep, timeout=60.0)


def loop_in_sleep() -> None:
    """Sleep, as a server."""
    sleep(60.0)


SHOWN = (
    *("status", "message_queue_len", "messages", "messages_in", "messages_out", "trap_exit", "reductions"),
    *("suspended", "priority", "initial_call", "current_stacktrace"),
)


def waits() -> Iterator[str]:
    """Say what is known of processes that wait."""
    server, idle = Server.start(), Server.start()
    assert isinstance(server, Pid)
    assert isinstance(idle, Pid)
    functions = (waiting_in_receive, waiting_for_a_pattern, waiting_with_timeout, waiting_in_sleep)
    pids = [*map(spawn, functions), spawn(waiting_in_call, server), server, idle]
    sleep(0.01)
    for pid in pids[1:3]:
        send(pid, "unwanted")
    sleep(0.01)
    for pid in pids:
        info = process_info(pid, *SHOWN)
        assert info is not None
        stack = [frame.function for frame in info.pop("current_stacktrace") if not frame.file.startswith(RUNTIME)]
        yield f"{info}, its own code: {stack}"
        exit(pid, "kill")


class Heard(Instrument):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def spawned(self, process: Any) -> None:
        self.lines.append(f"spawned {process.initial_call}")

    def exited(self, process: Any, reason: Any, cause: Any) -> None:
        self.lines.append(f"exited {process.initial_call}: {told(reason)}, by {cause is not None}")

    def sent(self, sender: Any, process: Any, message: Any) -> None:
        self.lines.append(f"sent {kind(message)}")

    def received(self, process: Any, message: Any) -> None:
        self.lines.append(f"received {kind(message)}")


def kind(message: Any) -> str:
    """Return what a message is, without what differs from run to run."""
    return f"tuple of {len(message)}, {message[0]!r:.10}" if type(message) is tuple else type(message).__name__


def heard() -> Iterator[str]:
    """Say what an instrument hears of all sorts of things."""
    instrument = Heard()
    install_instrument(instrument)
    try:
        server = Server.start()
        assert isinstance(server, Pid)
        call(server, lambda: [1])
        cast(server, lambda: None)
        send_after(self_(), "late", 0.0)
        receive("late")
        flag(trap_exit=True)
        link(spawn(be_struck))
        receive(runtime.Exit)
        spawn_monitor(sleep, 0)
        receive(Down)
        exit(server, "kill")
        sleep(0.001)
    finally:
        remove_instrument(instrument)
    yield from instrument.lines


def main() -> None:
    """Print it all."""
    for part in (failures, holders, waits, heard):
        for line in run(lambda part=part: [*part()], time_slice=SLICE if part is holders else None):
            print(line, flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(400)
    main()
