"""A look at a socket in the file system: is there a node behind it, or has a dead one left it?"""

from __future__ import annotations

import _socket
from pathlib import Path

TIMEOUT = 0.5
"""Seconds that a node has to take a connection; one that is too busy for it still counts as live."""


def is_live(path: Path) -> bool:
    """Whether something listens on the socket. False when there is none."""
    probe = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    probe.settimeout(TIMEOUT)
    try:
        probe.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError:
        return path.exists()
    finally:
        probe.close()
    return True
