"""No message fails for the value it shows: wide integers, a ``__repr__`` that raises, lists without end."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runtime
from runtime import ets, pg, sys, timer
from tests.support.in_node import in_node

ROOT = Path(runtime.__file__).parent
WIDE = 10**5_000
"""Python refuses to print it: it has more than 4,300 digits."""

ASKED_ANYWAY = {
    "compiled/choice.py",
    "introspection/__init__.py",
    "introspection/address.py",
    "introspection/reading/filter_language.py",
    "terms/bounded_repr.py",
    "testing/leftovers.py",
}
"""Files that show texts alone (some are the observer's too), what is bounded already, and greenlets."""


class Silent:
    """A value that cannot be shown."""

    def __repr__(self) -> str:
        raise ZeroDivisionError


def conversions(path: Path) -> list[int]:
    """Return the lines in which an f-string asks a value for its ``repr``."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
    ]


def test_messages_show_values_by_render_alone() -> None:
    files = {str(path.relative_to(ROOT)): path for path in ROOT.rglob("*.py")}
    assert files.keys() >= ASKED_ANYWAY
    found = [f"{name}:{line}" for name, path in files.items() if name not in ASKED_ANYWAY for line in conversions(path)]
    assert not found, "write {render(value)}, of runtime.terms.text, in place of {value!r}"


WRONG: dict[str, Callable[[Any], object]] = {
    "a pid": lambda value: runtime.Pid.parse(value),
    "a function": lambda value: runtime.spawn(value),
    "a time limit": lambda value: runtime.receive(timeout=(value,)),  # type: ignore[arg-type]
    "a destination": lambda value: runtime.send(value, "hello"),
    "a name": lambda value: runtime.register(value, runtime.self_()),
    "a link": lambda value: runtime.link(value),
    "a flag": lambda value: runtime.flag(priority=value),
    "a caller": lambda value: runtime.reply(value, 1),
    "a child": lambda value: runtime.Supervisor.start_link([value]),
    "a strategy": lambda value: runtime.Supervisor.start_link([], strategy=value),
    "a stream": lambda value: list(runtime.async_stream(value, len)),
    "a group": lambda value: pg.join("group", value),
    "a table": lambda value: ets.lookup(value, 1),
    "an interval": lambda value: timer.apply_after(1.0, value),
    "a state": lambda value: sys.replace_state(runtime.self_(), value),
}


@pytest.mark.parametrize("value", [WIDE, Silent()], ids=["a wide integer", "a value that cannot be shown"])
@in_node
def test_a_wrong_value_is_refused_by_what_is_wrong_with_it(value: object) -> None:
    for what, give in WRONG.items():
        with pytest.raises((TypeError, ValueError, runtime.RuntimeFault)) as refusal:
            give(value)
        message = str(refusal.value)
        assert "bits>" in message or "Silent whose __repr__ raised" in message, what
