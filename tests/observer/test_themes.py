"""The themes: every tone can be read on every background of its theme."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from observer.themes import ALL, DARK, LIGHT


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_text_stands_out_from_every_background(theme: Theme) -> None:
    for ground in (theme.background, theme.surface, theme.panel):
        for text in (theme.foreground, theme.primary, theme.error, theme.success, theme.warning, theme.accent):
            assert ground is not None
            assert text is not None
            lighter, darker = sorted((_luminance(ground), _luminance(text)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) > 4.0, (ground, text)


def _luminance(text: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else float(((share + 0.055) / 1.055) ** 2.4)

    color = Color.parse(text)
    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def test_one_is_dark_and_one_is_light() -> None:
    assert (DARK.dark, LIGHT.dark) == (True, False)
    assert len({theme.name for theme in ALL}) == 2
