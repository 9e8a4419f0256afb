"""The examples of the reference: read from `examples.md`, printed below their names, run in the tests."""

from __future__ import annotations

import ast
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import runtime

PAGE = Path(__file__).with_name("examples.md")

_EXAMPLE = re.compile(r"^### ([\w., ]+)\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A piece of code, and the public names that it shows."""

    names: tuple[str, ...]
    code: str

    @property
    def starts_a_node(self) -> bool:
        """Whether it calls `run` itself, and so cannot be run in a process."""
        return re.search(r"^\s*run\(", self.code, re.MULTILINE) is not None

    def play(self) -> int:
        """Run it, and return how many values were compared. Raises AssertionError for one that differs."""
        globals_ = {name: getattr(runtime, name) for name in runtime.__all__}
        globals_["__name__"] = "example"
        compared: list[str] = []
        globals_["_same"] = partial(_same, compared)
        exec(compile(_with_comparisons(self.code), f"example of {self.names[0]}", "exec"), globals_)
        return len(compared)


def examples() -> list[Example]:
    """Return all examples, in the order of the page."""
    return [Example(tuple(names.split(", ")), code) for names, code in _EXAMPLE.findall(PAGE.read_text())]


def _with_comparisons(code: str) -> str:
    """Make each line with a value a comparison. Lines within a function or a with block count too."""
    lines = []
    for line in code.splitlines():
        found = re.fullmatch(r"(\s*)(.*?)  # -> (.*)", line)
        if found is not None:
            ast.parse(found[2], mode="eval")
            ast.parse(found[3], mode="eval")
            line = f"{found[1]}_same({found[2]!r}, ({found[2]}), ({found[3]}))"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _same(compared: list[str], line: str, value: object, expected: object) -> None:
    assert value == expected, f"{line} gives {value!r}"
    compared.append(line)
