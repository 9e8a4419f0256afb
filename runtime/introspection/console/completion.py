"""Completes names as Python's own prompt does, and leaves that of the program alone.

`rlcompleter` imports `readline`, and with that alone changes `input()` in the whole program. So its class is taken from
a copy of the module that cannot import it.
"""

from __future__ import annotations

import builtins
import importlib.util
from collections.abc import Mapping
from functools import cache
from typing import Any

MOST = 200
"""How many completions are offered at once."""


def completions(text: str, names: Mapping[str, Any]) -> list[str]:
    """Return what the name at the end of `text` can be completed to. It reads attributes, so it may run code."""
    completer = _completer()(names)
    found: list[str] = []
    while len(found) < MOST and (completion := completer.complete(text, len(found))) is not None:
        found.append(completion)
    return found


@cache
def _completer() -> Any:
    spec = importlib.util.find_spec("rlcompleter")
    if spec is None or spec.loader is None:
        raise ImportError("No module named 'rlcompleter'", name="rlcompleter")
    module = importlib.util.module_from_spec(spec)
    vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import_no_readline}
    spec.loader.exec_module(module)
    return module.Completer


def _import_no_readline(name: str, *arguments: Any) -> Any:
    if name == "readline":
        raise ImportError("readline would change the program's input()", name=name)
    return builtins.__import__(name, *arguments)
