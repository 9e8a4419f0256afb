"""A recording in the place of a node: for the dashboard, which asks on asyncio, and for the commands, which wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from observer.clock import of_day
from observer.node.client import Client
from observer.node.recorded.recording import RecordedFile, Recording
from observer.node.source import ChildStatus
from observer.text.safe_text import safe
from runtime.introspection import wire
from runtime.introspection.moment.answers import answer

REFUSAL = "This is a recording: nothing can be done to what is over."


class RecordedNode:
    """A `Source` that answers out of a recording, at the moment that is shown: at first the last one, or the first."""

    is_live = False

    def __init__(self, recording: Recording, at_the_beginning: bool = False) -> None:
        self.recording = recording
        times = recording.times or [recording.header.made_at]
        self.shown: float | None = times[0 if at_the_beginning else -1]

    @property
    def name(self) -> str:
        """The recorded node's name."""
        return self.recording.header.welcome.node

    @property
    def refusal(self) -> str | None:
        """Why nothing can be done."""
        return REFUSAL

    def child(self) -> ChildStatus | None:
        """Return None: the program was not started from here."""
        return None

    def show(self, time: float | None) -> None:
        """Show another moment; None shows the last one."""
        times = self.recording.times
        if times:
            self.shown = times[-1 if time is None else self.recording.index(time)]

    async def connect(self) -> wire.Welcome:
        """Return what the node said of itself."""
        return self.recording.header.welcome

    async def ask(self, query: wire.Query) -> wire.Answer:
        """Return what the node would have answered at the moment that is shown."""
        return self.answer(query)

    def answer(self, query: wire.Query) -> wire.Answer:
        """Return what the node would have answered at the moment that is shown."""
        assert self.shown is not None
        events = self.recording.events_until(self.shown) if isinstance(query, wire.GetEvents) else ()
        return answer(query, self.recording.moment(self.shown), events, REFUSAL)

    async def close(self) -> None:
        """Keep the recording open: it may be asked again."""


class RecordedClient(Client):
    """A `Client` for the recording in a file, at its last moment. Raises `RecordingError`.

    When it is closed, it calls `tell` with what of the file could not be read, if anything. That is known only then:
    a part is read when it is asked for. `progress` is that of `RecordedFile`.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[str], None] | None = None,
        progress: Callable[[float], object] = lambda share: None,
    ) -> None:
        self._tell = tell
        self._file = RecordedFile(path, progress)
        self._node = RecordedNode(self._file)
        self.name = str(path)
        self.is_recorded = True
        self.welcome = self._file.header.welcome

    @property
    def told(self) -> str:
        """What it is, from when, and how it ended."""
        return told(self._file)

    @property
    def has_failed(self) -> bool:
        """Whether it is a black box that a node has written by itself, since something was wrong."""
        header = self._file.header
        return header.kind == "black_box" and bool(header.why) and not header.why.startswith("asked for")

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()
        tell, self._tell = self._tell, None
        if tell is not None and self._file.damage:
            tell(self._file.damage)

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, query: wire.Query) -> wire.Answer:
        """Return what the node would have answered at the end."""
        return self._node.answer(query)


def told(recording: Recording) -> str:
    """Say of a recording what it is, from when, and how it ended: a sentence."""
    header = recording.header
    when = of_day(recording.times[-1] if recording.times else header.made_at)
    if header.kind == "black_box":
        return f"Black box of {when}: {safe(header.why) or 'asked for'}."
    begun = of_day(recording.times[0] if recording.times else header.made_at)
    ended = f", ended: {safe(recording.end)}" if recording.end else ""
    return f"Recorded {begun} to {when}{ended}."
