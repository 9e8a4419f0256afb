"""A mailbox that notes who puts messages into it, while an observer looks at its process.

Messages carry no sender. To note one with every message would cost each send of a node something, whether an observer
is there or not. So the mailbox of one process is wrapped for a moment: its senders pay for it, and no others.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from itertools import count
from types import CodeType, FrameType
from typing import Any, NamedTuple

from greenlet import getcurrent

from runtime.introspection.reading.own_line import own_line
from runtime.introspection.threads.node_calls import ObserverTask
from runtime.kernel.plain_greenlet import process_of
from runtime.kernel.process import Pid, Process
from runtime.terms.term import Term

LIMIT = 125
"""Messages that are noted at most before the wrapper takes itself off."""


class Origin(NamedTuple):
    """Where a message was sent: by which process (None: by none), at which line of the program's own code."""

    pid: Pid | None
    code: CodeType | None
    line: int


class _Watch(NamedTuple):
    process: Process
    origins: list[Origin]


_watches: dict[int, _Watch] = {}
"""What belongs to each wrapper. A wrapper refers to its messages alone: they are what the memory of its process is."""

_next_number = count(1).__next__


class WatchedMailbox:
    """Stands in for the deque of a mailbox and hands everything on to it."""

    __slots__ = ("messages", "number")

    def __init__(self, messages: deque[Term], number: int) -> None:
        self.messages = messages
        self.number = number

    def append(self, message: Term) -> None:
        """Note who sends, and put the message into the mailbox."""
        self._note(sys._getframe(1))
        self.messages.append(message)

    def __iadd__(self, messages: list[Term]) -> WatchedMailbox:
        """Note who sends, and put several messages into the mailbox, all or none."""
        self._note(sys._getframe(1))
        self.messages += messages
        return self

    def _note(self, caller: FrameType) -> None:
        watch = _watches.get(self.number)
        if watch is not None:
            sender = process_of(getcurrent())
            if sender is None or type(sender.body) is not ObserverTask:  # observers ask for its state
                watch.origins.append(_origin(sender, caller))
            if len(watch.origins) >= LIMIT:
                _take_off(self.number, watch.process)

    def popleft(self) -> Term:
        """Take the oldest message out."""
        return self.messages.popleft()

    def __len__(self) -> int:
        return len(self.messages)

    def __iter__(self) -> Iterator[Term]:
        return iter(self.messages)

    def __getitem__(self, index: int) -> Term:
        return self.messages[index]

    def __delitem__(self, index: int) -> None:
        del self.messages[index]


def wrap(process: Process) -> int | None:
    """Note the senders of a process from now on. Return a number for `unwrap`, None without a mailbox to be wrapped.

    Only in the hub. The deque stays the same one, so that a sender who has just read it loses nothing.
    """
    mailbox: Any = process.mailbox
    if type(mailbox) is not deque:
        return None
    number = _next_number()
    _watches[number] = _Watch(process, [])
    process.mailbox = WatchedMailbox(mailbox, number)  # type: ignore[assignment]  # it does all that a mailbox is for
    return number


def unwrap(number: int) -> list[Origin]:
    """Note no more senders, and return where the messages came from. May be called again, which returns nothing."""
    watch = _watches.pop(number, None)
    if watch is None:
        return []
    _take_off(number, watch.process)
    return watch.origins


def _take_off(number: int, process: Process) -> None:
    """Put the deque back, unless the mailbox has been replaced since: a server drops an empty one."""
    mailbox: Any = process.mailbox
    if type(mailbox) is WatchedMailbox and mailbox.number == number:
        process.mailbox = mailbox.messages


def _origin(sender: Process | None, frame: FrameType | None) -> Origin:
    return Origin(None if sender is None else sender.pid, *own_line(frame))
