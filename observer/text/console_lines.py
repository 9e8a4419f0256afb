"""What a console shows, as lines that are safe to draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from observer.text.safe_text import safe

TAB = 8
"""Columns between two stops of a tab."""


class ConsoleLines:
    """Makes lines of pieces of text, which need not end where a line ends."""

    def __init__(self) -> None:
        self._kind = "output"
        self._rest = ""

    def feed(self, pieces: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield the lines that are whole, each with its kind."""
        for kind, text in pieces:
            if self._rest and kind != self._kind:
                yield from self.flush()
            self._kind = kind
            *whole, self._rest = (self._rest + text).split("\n")
            for line in whole:
                yield kind, _drawn(line)

    def flush(self) -> Iterator[tuple[str, str]]:
        """Yield the line that was not ended."""
        if self._rest:
            yield self._kind, _drawn(self._rest)
            self._rest = ""


def _drawn(line: str) -> str:
    return safe(line.rstrip("\r").expandtabs(TAB))
