"""Pasted text, cleaned before anything else reads it.

Textual takes an escape character inside a paste for the start of a key, and what follows it for keys: a paste with a
coloured letter ``X`` in it would kill a process. And other control characters would reach the terminal as they are,
from the field that they were pasted into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"
"""What a terminal sends before and after pasted text."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Cleaner:
    """Takes control characters (but for tabs and the ends of lines) out of pastes, and leaves all else as it is."""

    def __init__(self) -> None:
        self._inside = False
        self._held = ""

    def clean(self, data: str) -> str:
        """Clean what the terminal has sent, piece by piece. What may be a part of a paste's end is held back."""
        data, self._held = self._held + data, ""
        cleaned = []
        while data:
            if self._inside:
                text, end, data = data.partition(END)
                if not end and (begun := _beginning_of_end(text)):
                    text, self._held = text[: -len(begun)], begun
                cleaned += [_CONTROL.sub("", text), end]
                self._inside = not end
            else:
                typed, start, data = data.partition(START)
                cleaned += [typed, start]
                self._inside = bool(start)
        return "".join(cleaned)


def _beginning_of_end(text: str) -> str:
    """Return the part of a paste's end that `text` stops in the middle of."""
    return next((END[:size] for size in range(len(END) - 1, 0, -1) if text.endswith(END[:size])), "")


class CleanParser(XTermParser):
    """Textual's parser of what a terminal sends, which sees clean pastes only."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._cleaner = Cleaner()

    def feed(self, data: str) -> Iterable[Message]:
        """Parse more; nothing at all is the end of the input."""
        cleaned = self._cleaner.clean(data)
        if cleaned or not data:
            yield from super().feed(cleaned)
