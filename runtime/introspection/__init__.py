"""Watching a node from outside: hooks, the event log, snapshots, and the endpoint that serves them.

`serve` switches it on, and `describe` says what a program's functions are doing. Both are loaded at first use, because
the observer imports this package for the wire's types. Its modules may import `runtime.tasks` and what lies below it.
What the observer shares imports nothing of the runtime: the wire, the address, recordings, the filters' language,
the span of a window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.introspection.reading.described import describe as describe
    from runtime.introspection.service import serve as serve

__all__ = ["describe", "serve"]


def __getattr__(name: str) -> Any:
    if name == "describe":
        from runtime.introspection.reading.described import describe as describing

        globals()["describe"] = describing
        return describing
    if name == "serve":
        from runtime.introspection.service import serve as function

        globals()["serve"] = function
        return function
    raise AttributeError(f"module 'runtime.introspection' has no attribute {name!r}")
