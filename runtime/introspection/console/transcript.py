"""What a console has to show: the last pieces of text, numbered, for a reader on another thread."""

from __future__ import annotations

from collections import deque

from runtime.introspection import wire

MAX_CHUNKS = 2_000
"""How many pieces of text are kept until they are read."""

MAX_CHUNK = 20_000
"""Longest piece of text that is kept, in characters; of a longer one the end is cut off, and says so."""

MAX_ANSWER = 500_000
"""Characters that are handed out at once."""


class Transcript:
    """Text in the order in which it came. Written in the node's thread, read from any."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[int, wire.ConsoleText]] = deque(maxlen=MAX_CHUNKS)
        self.last = 0
        """The number of the newest piece."""

    def write(self, kind: wire.ConsoleKind, text: str) -> None:
        """Add a piece of text."""
        if len(text) > MAX_CHUNK:
            text = f"{text[:MAX_CHUNK]}… ({len(text) - MAX_CHUNK:,} more characters)\n"
        self._chunks.append((self.last + 1, wire.ConsoleText(kind=kind, text=text)))
        self.last += 1

    def after(self, number: int) -> tuple[int, int, tuple[wire.ConsoleText, ...]]:
        """Return what came after the piece with that number.

        The answer is the number of the last piece in it, how many pieces were lost before it, and the pieces.
        """
        found: list[wire.ConsoleText] = []
        last, dropped, size = number, 0, 0
        for at, text in self._chunks.copy():
            if at <= number:
                continue
            if not found:
                dropped = at - number - 1
            size += len(text.text)
            if found and size > MAX_ANSWER:
                break
            found.append(text)
            last = at
        return last, dropped, tuple(found)
