"""What colours mean. Every tone is made of the theme's variables; none is ever the only sign of its meaning."""

from __future__ import annotations

TEXT = "$foreground"
STRONG = "$foreground bold"
MUTED = "$foreground 65%"
FAINT = "$foreground 38%"
KEY = "$text-primary"
NAME = "$text-secondary bold"
GOOD = "$text-success"
WARN = "$text-warning"
TROUBLE = "$text-error"
"""The colour of trouble, for text that is weakened by a percentage."""
BAD = f"{TROUBLE} bold"
ACCENT = "$text-accent"
LINE = "$text-primary 80%"
"""Sparklines and bars that mean no trouble."""
