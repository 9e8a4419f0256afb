"""Processes that have ended: their last events, and what has replaced them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from observer.cli import lookup
from observer.cli.errors import say
from observer.node import discovery, programs
from observer.node.client import Client
from observer.node.source import NodeLostError
from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection import kept_events, wire
from runtime.introspection.recording import kept_boxes

REPLACED_WITHIN = 15.0
"""Seconds that a server has to replace a process that has ended."""

LOOK_EVERY = 0.5
"""Seconds between two looks for what has replaced it."""


class EndedError(Exception):
    """The node has ended, and its last events are in a file. The text is a sentence."""

    def __init__(self, kept: kept_events.Kept) -> None:
        self.kept = kept
        ago = units.duration(max(0.0, time.time() - kept.ended_at))
        box = kept_boxes.find(kept.name)
        left = "" if box is None else f" It has left a black box: 'observer open {safe(kept.name)}' shows it."
        super().__init__(f"{safe(kept.node)} (process {kept.os_pid}) has ended, {ago} ago.{left}")


def dial(node: str | None) -> Client:
    """Connect like `lookup.dial`. Raises `EndedError` for a node that has ended and left its last events."""
    if node is not None and not lookup.is_recording(node):
        try:
            discovery.find(node)
        except (discovery.NodeNotFoundError, discovery.NodeNameError):
            kept = kept_events.find(node)
            if kept is not None:
                raise EndedError(kept) from None
    return lookup.dial(node)


def about(events: Iterable[wire.Event], pid: str | None) -> Iterator[wire.Event]:
    """Yield the events of one process, of all without a pid."""
    wanted = None if pid is None else {pid, f"<{pid}>"}
    return (event for event in events if wanted is None or event.pid in wanted)


def left_by(lost: wire.Welcome, after: int, pid: str | None = None) -> tuple[wire.Event, ...]:
    """Return what a process that has gone has left of what happened in it after an event, of one process or of all."""
    with suppress(OSError, ValueError):  # it has left none, or has said that it has a name which no file can have
        kept = kept_events.of_process(lost.node, lost.os_pid).events()
        return tuple(event for event in about(kept, pid) if event.id > after)
    return ()


class Following:
    """Asks a node for its events, and goes on with the process that replaces it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def events(self, after: int, pid: str | None) -> tuple[wire.Events, bool]:
        """Return what has happened since an event, and whether another process is asked by now.

        What a node that has gone could no longer tell is taken from the events that it has left, if it has. Raises
        `NodeLostError` when it has gone and nothing has replaced it.
        """
        try:
            return self._client.expect(wire.Events, wire.GetEvents(after=after, pid=pid)), False
        except NodeLostError:
            left = left_by(self._client.welcome, after, pid)
            if left:
                return wire.Events(events=left, last=left[-1].id), False
            replaced = None if pid is not None else self._go_on()
            if replaced is None:
                raise
            return replaced, True

    def _go_on(self) -> wire.Events | None:
        """Connect to what has replaced the node, and return its events. None when nothing has.

        A server that replaces all its processes ends some of them a moment later: those are passed over.
        """
        until = time.monotonic() + REPLACED_WITHIN
        while (found := self._successor(until)) is not None:
            with suppress(NodeLostError), contextlib.ExitStack() as stack:
                client = stack.enter_context(contextlib.closing(Client(found.name, found.path)))
                events = client.expect(wire.Events, wire.GetEvents(after=0))
                stack.pop_all()
                say(f"observer: {self._client.name} has ended; going on with {client.name}, which has replaced it.")
                self._client.close()
                self._client = client
                return events
            if time.monotonic() > until:
                break
            time.sleep(LOOK_EVERY)
        return None

    def _successor(self, until: float) -> discovery.Found | None:
        lost = self._client.welcome
        while lost.program and discovery.has_gone(self._client.name):
            found = programs.successor(lost)
            if found is not None or time.monotonic() > until or not _has_siblings(lost):
                return found
            time.sleep(LOOK_EVERY)
        return None


def _has_siblings(lost: wire.Welcome) -> bool:
    """Return whether the parent of a process that has ended still runs: nothing else starts another one."""
    return kept_events.lives(lost.parent_pid) if lost.parent_pid > 1 else False
