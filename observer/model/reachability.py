"""Whether the node can be reached, as the dashboard shows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from observer.clock import of_day
from observer.model.remnants import Remnants
from observer.node.source import ChildStatus


@dataclass(frozen=True)
class Reachability:
    """Connected, not yet connected, or lost; and for a child process, how it ended."""

    connected: bool = False
    lost_at: float | None = None
    """When the connection went, in seconds since the epoch; None while connected and before the first time."""
    why: str = ""
    child: ChildStatus | None = None
    remnants: Remnants = field(default_factory=Remnants)
    """What a node that has ended has left behind."""
    silent_for: float = 0.0
    """For how many seconds a node that is connected has owed an answer; 0 when that is not worth telling."""

    def met(self) -> Reachability:
        """Return the state once the node has answered."""
        return Reachability(connected=True)

    def silent(self, seconds: float) -> Reachability:
        """Return the state while the node has owed an answer for that long."""
        return replace(self, silent_for=seconds)

    def lost(self, now: float, why: str, child: ChildStatus | None, remnants: Remnants | None = None) -> Reachability:
        """Return the state after the node could not be reached; the first moment of a loss is kept."""
        return Reachability(lost_at=self.lost_at or now, why=why, child=child, remnants=remnants or Remnants())

    @property
    def ended(self) -> bool:
        """Whether the program has ended: it was started from here and is over, or has said so itself."""
        if self.connected:
            return False
        return bool(self.remnants.why) or (self.child is not None and self.child.returncode is not None)

    @property
    def cause(self) -> str:
        """Why the program has ended, in a sentence; empty while it runs."""
        if not self.ended:
            return ""
        if self.child is not None and self.child.cause:
            return self.child.cause
        told = self.remnants.why.removeprefix("the program ends: ")
        if told:
            return f"The program has ended: {told}"
        return "" if self.child is None else f"{self.child.known_as} {self.child.ending}. O shows what it wrote."

    @property
    def verdict(self) -> str:
        """What to say in place of findings: why the program has ended, or that its node is lost; else empty."""
        if self.lost_at is None:
            return ""
        return self.cause or "The node is lost: this is what was known last."

    def sentences(self) -> list[str]:
        """Say what is wrong, most important first; nothing while connected."""
        if self.connected:
            return []
        if self.lost_at is None:
            return ["Connecting …"]
        return [self._loss(self.lost_at), *self._last_words(), *self._black_box()]

    def _loss(self, lost_at: float) -> str:
        if self.child is not None and self.ended and self.child.returncode is not None:
            if self.child.bridge_to and self.child.cause:
                return f"{self.child.bridge_to} is gone since {of_day(lost_at)}. What you see is from then."
            return f"{self.child.known_as} {self.child.ending}. What you see is from {of_day(lost_at)}."
        if self.ended:
            at = of_day(self.remnants.ended_at or lost_at)
            return f"The program ended at {at}. What you see is from {of_day(lost_at)}."
        return f"The node was lost at {of_day(lost_at)}; reconnecting. {self.why}".rstrip()

    def _black_box(self) -> list[str]:
        box = self.remnants.black_box
        return [f"It has left a black box: 'observer open {box}' shows its processes."] if box else []

    def _last_words(self) -> list[str]:
        if self.child is None:
            return [self.cause] if self.cause else []
        if self.child.cause:
            return [self.child.cause]
        return [line for line in self.child.stderr if line.strip()][-4:]
