"""The scenarios as programs against the public API, one module a group of them; `all_scenarios` finds them by name."""

import importlib
import pkgutil
import re
from collections.abc import Callable
from typing import Any

Scenario = Callable[[Any], None]


def all_scenarios() -> dict[str, Scenario]:
    """Every scenario by its name, which is its function's: a group's letter, a number, what it shows."""
    found: dict[str, Scenario] = {}
    for module in pkgutil.iter_modules(__path__):
        members = vars(importlib.import_module(f"{__name__}.{module.name}"))
        found |= {name: value for name, value in members.items() if re.match(r"[a-z]\d\d_", name)}
    return dict(sorted(found.items()))
