"""A process runtime with Erlang's semantics on gevent: processes, servers, supervisors, and hooks to watch them.

Everything public can be imported from here; ``__init__.pyi`` lists it. Names are loaded at first use, so that importing
a part of this package, such as the wire's types, does not load gevent.

What is public: the names of this package, of `runtime.sys`, `runtime.timer`, `runtime.application`, `runtime.proc_lib`,
`runtime.pg`, `runtime.ets`, `runtime.erpc`, `runtime.peer`, `runtime.cores`, `runtime.spans`, `runtime.testing` and
`runtime.introspection`, with its modules `wire`, `address` and `launch`. All other modules are private, whatever their
names. Inside a module, a name that begins with an underscore is used in that module alone.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import lazy_loader

if TYPE_CHECKING:
    from runtime.kernel.node import Node

_load, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)

_MODULES = ("application", "cores", "erpc", "ets", "introspection", "peer", "pg", "proc_lib", "spans", "sys", "timer")
"""Modules that are public as such. ``from runtime import *`` leaves them out: it must not replace Python's `sys`."""

__all__ = [name for name in _names if name not in _MODULES]


_RENAMED = {
    "ignore": "ignore_task",
    "install": "install_instrument",
    "remove": "remove_instrument",
    "shutdown": "shutdown_task",
}
"""Names of earlier versions, which did not say of what, and what they are called now."""


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        new = _RENAMED[name]
        warnings.warn(f"runtime.{name} is called runtime.{new} now", DeprecationWarning, stacklevel=2)
        return globals().get(new) or __getattr__(new)
    value = globals()[name] = _load(name)
    if not _hooks_are_set:
        _set_hooks()
    return value


_hooks_are_set = False


def _set_hooks() -> None:
    """Let observers look at every node of a program that runs with ``OBSERVER=1``.

    Done when the first public name is looked up: what only imports the wire's types loads no node.
    """
    from runtime.kernel.black_box import when_black_box_wanted
    from runtime.kernel.node import when_started

    global _hooks_are_set
    _hooks_are_set = True
    when_started(_serve_if_asked)
    when_black_box_wanted(_keep_black_box)


def _serve_if_asked(node: Node) -> None:
    if os.environ.get("OBSERVER") == "1":
        from runtime.introspection.service import serve_from_environment  # loads what a program alone does not need

        serve_from_environment(node)


def _keep_black_box(node: Node, path: str) -> None:
    from runtime.introspection.service import keep_black_box  # as above

    keep_black_box(node, path)
