"""Tones are styles that Textual can read, made of the theme's variables alone."""

from __future__ import annotations

import re

import pytest

from observer.text import tones

TONES = {name: value for name, value in vars(tones).items() if name.isupper()}


@pytest.mark.parametrize("name", TONES)
def test_a_tone_is_a_variable_of_the_theme_with_a_weight_or_a_strength(name: str) -> None:
    assert re.fullmatch(r"\$[a-z-]+( bold| \d\d%)?", TONES[name])


def test_no_two_tones_look_the_same() -> None:
    assert len(set(TONES.values())) == len(TONES) > 10
