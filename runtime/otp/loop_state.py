"""What a server's loop looks at besides its messages. `Process.loop` holds it, or None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.kernel.process import Process
from runtime.otp.returns import Continue

if TYPE_CHECKING:
    from runtime.otp.system_messages import Debug


class LoopState:
    """The state of a server's loop.

    `pending` is a continuation that runs before the next message; `timing` the seconds of a timeout that a callback has
    set and that no message has cancelled; `debug` what `runtime.sys` has switched on: suspension, statistics, tracing;
    `reports_unexpected` whether the turn ends with a report of messages that the server did not expect.
    """

    __slots__ = ("debug", "pending", "reports_unexpected", "timing")

    def __init__(self) -> None:
        self.pending: Continue | None = None
        self.timing: float | None = None
        self.debug: Debug | None = None
        self.reports_unexpected = False


def loop_of(process: Process) -> LoopState:
    """Return the state of a server's loop; it is made at its first use."""
    loop = process.loop
    if loop is None:
        loop = process.loop = LoopState()
    assert type(loop) is LoopState
    return loop


def drop_idle_loop(process: Process) -> None:
    """Drop the state when nothing is in it, so that the loop goes back to its common way."""
    loop = process.loop
    if type(loop) is LoopState and not (
        loop.pending is not None or loop.timing is not None or loop.debug is not None or loop.reports_unexpected
    ):
        process.loop = None
