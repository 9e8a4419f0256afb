"""The shape of a node's table of processes: a dict of blocks, each a dict of processes whose numbers are in a row."""

from __future__ import annotations

BLOCK = 2730
"""How many numbers there are to a block. Threads copy a block at once; so many just fill a dict."""
