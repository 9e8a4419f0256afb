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
    failed: tuple[str, ...] = ()
    """Pids of the processes that were started in its place and have ended as well."""
    failed_of: str = ""
    """The reason that the last of those ended with."""
    program_ended: bool = False
    """Whether the whole program has ended, or is about to."""

    def sentence(self, comes_back: bool) -> str:
        """Say it in words that follow a sentence about the signal.

        `comes_back` is whether the supervisor was expected to start the process again.
        """
        told = []
        if not self.ended and not self.program_ended:
            return f"It has not ended within {END_TIMEOUT:g} s."
        if self.restarted_as is not None:
            told.append(f"It was restarted as {self.restarted_as} in {_milliseconds(self.seconds)}.")
        elif len(self.failed) == 1:
            told.append(f"It was restarted as {self.failed[0]}, which has ended, too: {self.failed_of}.")
        elif self.failed:
            told.append(
                f"It was restarted {len(self.failed)} times, and each has ended, the last with {self.failed_of}."
            )
        if self.gave_up:
            told.append(f"{' and '.join(self.gave_up)} gave up.")
        if self.program_ended:
            told.append("The program has ended.")
        if told:
            return " ".join(told)
        return f"It was not restarted within {RETURN_TIMEOUT:g} s." if comes_back else "Nothing restarts it."


def of_signal(events: list[wire.Event], signal: int, pid: str) -> Aftermath:
    """Work out what came of the log's entry `signal`, an exit signal to `pid`, from the events since."""
    log = EventLog()
    log.take(wire.Events(events=tuple(events)))
    sent = log.get(signal)
    if sent is None:
        return Aftermath()
    if sent.kind != "kill":  # the process had ended before, and what was left of it was stopped
        return Aftermath(ended=True)
    since = [event for event in log if event.id > signal]
    program_ended = any(event.ends_program for event in since)
    followed = [event for _, event in log.following(sent)]
    end = next((event for event in followed if event.kind == "exit" and event.pid == pid), None)
    if end is None:
        return Aftermath(program_ended=program_ended)
    successor, failed, of = _lineage(followed, since, end, pid)
    if successor is None:
        fallen = [event for event in since if event.kind == "gave_up" and event.pid in _supervisors(since, end, failed)]
        followed += [event for each in fallen if each not in followed for event in (each, *_after(log, each))]
        successor, again, of_again = _lineage(followed, since, end, pid)
        failed, of = (again, of_again) if len(again) > len(failed) else (failed, of)
    return Aftermath(
        ended=True,
        reason=end.reason,
        restarted_as=None if successor is None else successor.pid,
        seconds=max(0.0, (successor or end).time - sent.time),
        gave_up=tuple(dict.fromkeys(event.name or event.pid or "?" for event in followed if event.kind == "gave_up")),
        failed=failed,
        failed_of=of,
        program_ended=program_ended,
    )


def _after(log: EventLog, event: wire.Event) -> list[wire.Event]:
    return [each for _, each in log.following(event)]


def _lineage(
    followed: list[wire.Event], since: list[wire.Event], end: wire.Event, pid: str
) -> tuple[wire.Event | None, tuple[str, ...], str]:
    """Return the start of the process that stands in the place now.

    Where none does, return None, the pids of those that were started there and have ended, and the reason of the last.
    A successor may end by itself, which follows from nothing: so whether it has, and what replaced it, is looked for
    among all events since.
    """
    exits = {event.pid: event for event in since if event.kind == "exit"}
    restarts = {event.old_pid: event for event in since if event.kind == "restart" and event.pid is not None}
    starts = [event for event in followed if _replaces(event, end, pid)]
    failed: dict[str, str] = {}
    for start in starts:
        at: wire.Event | None = start
        while at is not None and at.pid is not None and at.pid in exits and at.pid not in failed:
            failed[at.pid] = exits[at.pid].reason or "an unknown reason"
            at = restarts.get(at.pid)
        if at is not None and at.pid not in failed:
            return at, (), ""
    return None, tuple(failed), next(reversed(failed.values()), "")


def _supervisors(since: list[wire.Event], end: wire.Event, failed: tuple[str, ...]) -> set[str | None]:
    """Return the pids of the supervisors of a place: of the process that ended, and of those that replaced it."""
    found = {event.supervisor for event in since if event.pid in failed and event.kind == "restart"}
    return (found | {end.supervisor}) - {None}


def _replaces(event: wire.Event, end: wire.Event, pid: str) -> bool:
    """Return whether a process was started in place of the one that ended, by its supervisor or by a restarted one."""
    if event.kind not in ("restart", "spawn") or event.pid in (None, pid):
        return False
    return event.old_pid == pid or (end.key is not None and event.key == end.key)


def _milliseconds(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else f"{max(1, round(seconds * 1000))} ms"
