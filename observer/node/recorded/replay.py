"""What can be put to a moment: a recording, or a node that is watched and remembers what it was like."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from observer.node.recorded.recording import Recording


@runtime_checkable
class Replay(Protocol):
    """A source of answers that can be put to an earlier moment."""

    recording: Recording
    shown: float | None
    """The moment that is shown; None for now."""
    is_live: bool
    """Whether there is a now to come back to."""

    @property
    def refusal(self) -> str | None:
        """Why nothing can be done at the moment that is shown, in a sentence; None when it can."""

    def show(self, time: float | None) -> None:
        """Show another moment; None shows the last one, or now."""
