"""The senders of a process, as an observer is shown them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from runtime.introspection import wire
from runtime.introspection.measuring.sender_sampler import SenderRate
from runtime.introspection.measuring.watched_mailbox import Origin
from runtime.introspection.reading.stack import frames_of
from runtime.introspection.reading.tree_path import name_of
from runtime.kernel.process import Pid
from runtime.terms.crash import StackFrame

MAX_SENDERS = 5
"""Senders of a process that are named."""


def senders_of(rates: Sequence[SenderRate]) -> tuple[tuple[wire.Sender, ...], int]:
    """Return those that send most, the fastest first, and how many there are besides.

    Processes that have sent from one line and have ended by now are one sender: each of them may have sent a single
    message.
    """
    living: list[wire.Sender] = []
    ended: dict[Origin, list[float]] = defaultdict(list)
    for (pid, code, line), rate in rates:
        if pid is None or pid.process is not None:
            living.append(wire.Sender(rate=rate, pid=_text(pid), name=_name(pid), at=_frame(Origin(None, code, line))))
        else:
            ended[Origin(None, code, line)].append(rate)
    for origin, shares in ended.items():
        name = "a process that has ended" if len(shares) == 1 else f"{len(shares)} processes that have ended"
        living.append(wire.Sender(rate=sum(shares), name=name, at=_frame(origin)))
    living.sort(key=lambda sender: -sender.rate)
    return tuple(living[:MAX_SENDERS]), max(0, len(living) - MAX_SENDERS)


def _text(pid: Pid | None) -> str | None:
    return None if pid is None else str(pid)


def _name(pid: Pid | None) -> str:
    """Return what to call a sender. What is sent by no process comes from a timer, or from outside the hub's thread."""
    if pid is None:
        return "a timer or another thread"
    process = pid.process
    return "" if process is None else name_of(process)


def _frame(origin: Origin) -> wire.Frame | None:
    code = origin.code
    return None if code is None else frames_of([StackFrame(code.co_filename, origin.line, code.co_name)])[0]
