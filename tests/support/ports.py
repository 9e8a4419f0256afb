"""Ports of this machine for programs that must be given one."""

from __future__ import annotations

import secrets
import socket

FIRST, MOST = 20_000, 12_000
"""The first of the ports, and how many there are. Connections of other tests do not get one of these by chance."""


def free_port() -> int:
    """Return a port that nothing listens on, and that the system gives to nothing meanwhile."""
    while True:
        port = FIRST + secrets.randbelow(MOST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
