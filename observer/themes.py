"""The observer's own themes, dark and light.

Good and bad are a bluish green and vermilion, which people with any kind of colour blindness can tell apart (the
pair is Okabe and Ito's); a sign stands beside each colour all the same.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="observer-dark",
    dark=True,
    primary="#58a6e6",
    secondary="#a996f5",
    accent="#e59ac4",
    warning="#e8b23a",
    error="#f2724b",
    success="#2fbf95",
    foreground="#d3dae3",
    background="#0e131a",
    surface="#141b24",
    panel="#1b2530",
    variables={
        "border": "#33475c",
        "border-blurred": "#243342",
        "scrollbar": "#2c3c4d",
        "scrollbar-background": "#0e131a",
    },
)

LIGHT = Theme(
    name="observer-light",
    dark=False,
    primary="#0068a8",
    secondary="#5b3fb8",
    accent="#a3246f",
    warning="#8a5a00",
    error="#b9370f",
    success="#00714f",
    foreground="#1d2733",
    background="#fbfcfd",
    surface="#f2f5f8",
    panel="#e3e9ef",
    variables={
        "border": "#a9b8c6",
        "border-blurred": "#ccd6df",
        "scrollbar": "#b9c6d2",
        "scrollbar-background": "#fbfcfd",
    },
)

ALL = (DARK, LIGHT)
