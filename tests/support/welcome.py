"""What a node says when an observer connects."""

from __future__ import annotations

from typing import Any

from runtime.introspection import wire


def welcome(**said: Any) -> wire.Welcome:
    """Return the greeting of a node called `shop`, with other values where they are given."""
    usual: dict[str, Any] = {
        "protocol": wire.PROTOCOL,
        "node": "shop",
        "os_pid": 7,
        "started_at": 90.0,
        "runtime_version": "0.1.0",
        "python_version": "3.11.9",
        "gevent_version": "25.4",
    }
    return wire.Welcome(**usual | said)
