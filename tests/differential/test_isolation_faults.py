"""What goes wrong while a message is copied is told alike by the compiled isolation and by its source."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from runtime.terms import isolation
from tests.differential.kernels import compiled, from_source

Isolate = Callable[[Any], Any]


@pytest.fixture(params=["source", "compiled"])
def isolate(request: pytest.FixtureRequest) -> Isolate:
    module = from_source(isolation) if request.param == "source" else compiled("runtime.terms._isolation")
    return module.isolate  # type: ignore[no-any-return]


class Box:
    """An instance of a plain class."""

    def __init__(self, content: Any) -> None:
        self.content = content


class Hungry:
    """Needs more memory for a copy than there is."""

    def __reduce__(self) -> Any:
        raise MemoryError


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: (value,), lambda value: {1: value}, Box])
def test_the_recursion_limit_may_be_reached_at_any_level(isolate: Isolate, wrap: Callable[[Any], Any]) -> None:
    deep: Any = []
    for _ in range(150):
        deep = wrap(deep)
    outcomes = []

    def descend() -> None:
        try:
            outcomes.append(type(isolate(deep)))
        except RecursionError:
            outcomes.append(RecursionError)
        descend()

    with pytest.raises(RecursionError):
        descend()
    assert outcomes[0] is type(deep)
    assert {*outcomes} <= {type(deep), RecursionError}
    assert RecursionError in outcomes or sys.version_info >= (3, 12)  # which counts the levels of C apart


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], Box])
def test_a_lack_of_memory_is_told_and_shares_nothing(isolate: Isolate, wrap: Callable[[Any], Any]) -> None:
    with pytest.raises(MemoryError):
        isolate(wrap(Hungry()))


def test_a_key_in_the_place_of_another_one_is_told(isolate: Isolate) -> None:
    class Moves:
        def __deepcopy__(self, memo: Any) -> Any:
            message["c"] = message.pop("a")

    message: dict[str, Any] = {"a": Moves(), "b": []}
    with pytest.raises(RuntimeError, match="keys changed"):
        isolate(message)
