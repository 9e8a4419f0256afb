"""Text from the observed program, made safe to draw and cut to a number of cells.

Names, labels and messages are the program's own and may hold anything: control characters that would move the
cursor, characters that turn the direction of writing, marks that combine with what stands before them. None of them
may reach the terminal raw, and none may shift the columns beside them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len

_CONTROL_PICTURES = 0x2400
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc"}


def _visible(character: str) -> str:
    """Return one character as something that stands still: itself, its control picture, or a question mark."""
    code = ord(character)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == 0x7F:
        return "␡"
    if 0xFE00 <= code <= 0xFE0F:
        return ""  # chooses between two drawings of the character before it; either will do
    category = unicodedata.category(character)
    if category.startswith("Z"):
        return " " if category == "Zs" else "␤"
    return "�" if category in _UNSAFE or not cell_len(character) else character  # tones of skin have no width


MARKS = 4
"""How many marks in a row may belong to one letter: more than any script needs, and no tower."""


def _script(character: str) -> str:
    """Return the first word of a character's name, which is its script: ``DEVANAGARI``, ``THAI``."""
    return unicodedata.name(character, "").partition(" ")[0]


def _belongs(mark: str, before: Sequence[str]) -> bool:
    """Return whether a mark is part of its script's writing, and stands on a letter of that script.

    The vowel signs of Hindi are. The marks that go with any letter are not: their names begin with ``COMBINING``.
    """
    script = _script(mark)
    base = next((each for each in reversed(before[-MARKS:]) if unicodedata.category(each)[0] != "M"), "")
    return bool(base) and script != "COMBINING" and unicodedata.category(base) == "Lo" and _script(base) == script


@lru_cache(maxsize=8_192)
def safe(text: str) -> str:
    """Return `text` on one line with nothing in it that moves the cursor or joins its neighbours.

    Marks that can be composed with their letter are. Those of a script that cannot be written without them, such as
    Hindi, stay as they are. All other combining, control, direction and unassigned characters are replaced by one
    visible character each.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if unicodedata.category(character) in ("Mn", "Mc") and _belongs(character, shown):
            shown.append(character)
        else:
            shown.append(_visible(character))
    return "".join(shown)


def lines(text: str) -> list[str]:
    """Return `text` as safe lines: line ends end lines, tabs become spaces, the rest as in `safe`."""
    return [safe(line.expandtabs(4)) for line in text.replace("\r\n", "\n").split("\n")]


@lru_cache(maxsize=8_192)
def fit(text: str, width: int) -> str:
    """Return safe `text` as exactly `width` cells: padded with spaces, or cut with an ellipsis."""
    text = safe(text)
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    if width <= 0:
        return ""
    kept, used = [], 0
    for character in text:
        cells = cell_len(character)
        if used + cells > width - 1:
            break
        kept.append(character)
        used += cells
    return "".join(kept) + "…" + " " * (width - 1 - used)


def fit_right(text: str, width: int) -> str:
    """Return safe `text` as exactly `width` cells, standing on the right."""
    length = cell_len(safe(text))
    return " " * (width - length) + safe(text) if length < width else fit(text, width)
