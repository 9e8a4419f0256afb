"""What came of an exit signal: whether the process ended, what came back in its place, and how soon.

The node's event log tells it. An event names the event that made it happen, so what followed from a kill can be told
from what happened besides.
"""

from __future__ import annotations

from dataclasses import dataclass

from observer.model.event_log import EventLog
from runtime.introspection import wire

END_TIMEOUT = 0.5
"""Seconds that a process may take to end before the command says that it has not."""

RETURN_TIMEOUT = 2.0
"""Seconds that a supervisor may take to start the process again before the command says that it has not."""


@dataclass(frozen=True)
class Aftermath:
    """What is known of one exit signal so far."""

    ended: bool = False
    reason: str | None = None
    """The reason that the process ended with."""
    restarted_as: str | None = None
    """Pid of the process that stands in its place now."""
    seconds: float | None = None
    """How long after the signal that one was started, or else how long after it the process ended."""
    gave_up: tuple[str, ...] = ()
    """Supervisors that used up their restarts over it."""

    def sentence(self, comes_back: bool) -> str:
        """Say it in words that follow a sentence about the signal.

        `comes_back` is whether the supervisor was expected to start the process again.
        """
        if not self.ended:
            return f"It has not ended within {END_TIMEOUT:g} s."
        if self.restarted_as is not None:
            return f"It was restarted as {self.restarted_as} in {_milliseconds(self.seconds)}."
        if self.gave_up:
            return f"{' and '.join(self.gave_up)} gave up."
        if comes_back:
            return f"It was not restarted within {RETURN_TIMEOUT:g} s."
        return "Nothing restarts it."


def of_signal(events: list[wire.Event], signal: int, pid: str) -> Aftermath:
    """Work out what came of the log's entry `signal`, an exit signal to `pid`, from the events since."""
    log = EventLog()
    log.take(wire.Events(events=tuple(events)))
    sent = log.get(signal)
    if sent is None:
        return Aftermath()
    if sent.kind != "kill":  # the process had ended before, and what was left of it was stopped
        return Aftermath(ended=True)
    followed = [event for _, event in log.following(sent)]
    end = next((event for event in followed if event.kind == "exit" and event.pid == pid), None)
    if end is None:
        return Aftermath()
    successor = next((event for event in followed if _replaces(event, end, pid)), None)
    return Aftermath(
        ended=True,
        reason=end.reason,
        restarted_as=None if successor is None else successor.pid,
        seconds=max(0.0, (successor or end).time - sent.time),
        gave_up=tuple(event.name or event.pid or "?" for event in followed if event.kind == "gave_up"),
    )


def _replaces(event: wire.Event, end: wire.Event, pid: str) -> bool:
    """Return whether a process was started in place of the one that ended, by its supervisor or by a restarted one."""
    if event.kind not in ("restart", "spawn") or event.pid in (None, pid):
        return False
    return event.old_pid == pid or (end.key is not None and event.key == end.key)


def _milliseconds(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else f"{max(1, round(seconds * 1000))} ms"
