"""The demos, read from their files: the observer never imports them, because they import gevent."""

from __future__ import annotations

import ast
import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "demos"


@dataclass(frozen=True)
class Demo:
    """A demo: the name of its module, and the first line of its docstring."""

    name: str
    summary: str


class DemoNotFoundError(Exception):
    """No demo has that name; the text is a sentence with close names."""


def demos() -> list[Demo]:
    """Return all demos by name; none when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    files = {path.stem: path for folder in folders for path in Path(folder).glob("*.py")}
    return [Demo(name, _summary(path)) for name, path in sorted(files.items()) if not name.startswith("_")]


def find(name: str) -> Demo:
    """Return the demo called `name`. Raises `DemoNotFoundError`."""
    known = {demo.name: demo for demo in demos()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(known) or 'none'}."
    raise DemoNotFoundError(f"There is no demo called {name!r}. {hint}")


def _summary(path: Path) -> str:
    try:
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    except (OSError, SyntaxError, ValueError):
        return ""
    return (docstring or "").strip().partition("\n")[0]
