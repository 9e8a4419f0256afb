"""``python -m runtime``: a node with a console, to type Python with processes in, as ``iex`` is for Elixir.

The console is the observer's: it is another program, which starts the node as its child.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Become the command ``observer console --start``."""
    os.execv(sys.executable, [sys.executable, "-m", "observer", "console", "--start", *sys.argv[1:]])


if __name__ == "__main__":
    main()
