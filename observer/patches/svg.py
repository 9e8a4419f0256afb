"""Pictures of the screen that look the same wherever they are drawn.

The SVG that Textual writes relies on a font from the network and on `textLength`. Where neither is heeded (image
viewers, converters), spaces at the beginning of a text are lost and lines end before their corners. So each word is put
in its own place, and the font's size is such that the characters of common fonts are as wide as a cell. What may come
from another font, like the dots of charts, is placed one by one.
"""

from __future__ import annotations

import re
from html import escape, unescape

from rich.cells import cell_len

CELL = 12.2
"""The width of a cell in Textual's pictures."""

ADVANCE = 0.602
"""How wide a character of a monospaced font is, in parts of its size: DejaVu Sans Mono and Menlo; others are near."""

FONTS = '"Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace'

_FETCHED_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_TEXT = re.compile(
    r'<text class="(?P<style>[^"]*)" x="(?P<x>[^"]*)" y="(?P<y>[^"]*)" textLength="[^"]*" '
    r'clip-path="(?P<clip>[^"]*)">(?P<text>[^<]*)</text>'
)
_WORD = re.compile("[\N{EXCLAMATION MARK}-\N{TILDE}\N{BOX DRAWINGS LIGHT HORIZONTAL}]+|[^ \N{NO-BREAK SPACE}]")


def portable(svg: str) -> str:
    """Rewrite a picture that Textual exported so that it needs no network and no `textLength`."""
    svg = _FETCHED_FONT.sub("", svg)
    svg = svg.replace("font-family: Fira Code, monospace;", f"font-family: {FONTS};")
    svg = svg.replace("font-size: 20px;", f"font-size: {CELL / ADVANCE:.2f}px;")
    return _TEXT.sub(_by_word, svg)


def _by_word(found: re.Match[str]) -> str:
    text = unescape(found["text"])
    return "".join(_word(found, text[: word.start()], word[0]) for word in _WORD.finditer(text))


def _word(found: re.Match[str], before: str, word: str) -> str:
    x = float(found["x"]) + cell_len(before) * CELL
    return (
        f'<text class="{found["style"]}" x="{x:g}" y="{found["y"]}" textLength="{cell_len(word) * CELL:g}" '
        f'clip-path="{found["clip"]}">{escape(word)}</text>'
    )
