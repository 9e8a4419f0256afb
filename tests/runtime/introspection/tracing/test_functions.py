"""Functions are found by name without running or loading anything, and wrong names are refused with a hint."""

from __future__ import annotations

import sys

import pytest

from runtime.introspection.tracing.functions import NoFunctionError, find_functions
from runtime.introspection.tracing.limits import MAX_FUNCTIONS

HERE = __name__


def plain(number: int) -> int:
    return number


class Base:
    def method(self) -> str:
        return "base"

    @staticmethod
    def static() -> str:
        return "static"

    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    @property
    def asked(self) -> str:
        return "asked"

    class Inner:
        def deep(self) -> None:
            pass


class Derived(Base):
    constant = 3


def test_functions_methods_and_what_they_are_wrapped_in_are_found() -> None:
    names = ["plain", "Base.method", "Base.static", "Base.of_class", "Base.asked", "Base.Inner.deep", "Derived.method"]
    found = find_functions(tuple(f"{HERE}:{name}" for name in names))
    assert [each.function.__name__ for each in found] == [
        "plain",
        "method",
        "static",
        "of_class",
        "asked",
        "deep",
        "method",
    ]
    assert found[0].owner is sys.modules[HERE]
    assert found[-1].owner is Base, "where it stands"
    assert len(find_functions((f"{HERE}:plain", f"{HERE}:plain"))) == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("plain", "module:function"),
        (":plain", "module:function"),
        (f"{HERE}:", "module:function"),
        (f"{HERE}:Base..method", "module:function"),
        ("this.is.not:loaded", "no module 'this.is.not'"),
        ("jso:dumps", "'json'"),
        (f"{HERE}:plane", "'plain'"),
        (f"{HERE}:Base.metod", "'method'"),
        (f"{HERE}:plain.x", "no class"),
        (f"{HERE}:Derived.constant", "type 'int'"),
        ("builtins:len", "no function written in Python"),
        (f"{HERE}:Base", "no function"),
        ("x" * 10_000, "module:function"),
    ],
)
def test_other_names_are_refused_with_what_would_be_right(name: str, says: str) -> None:
    with pytest.raises(NoFunctionError) as refused:
        find_functions((name,))
    assert says in str(refused.value)
    assert len(str(refused.value)) < 1_000


def test_there_may_be_only_so_many() -> None:
    with pytest.raises(NoFunctionError, match="at most"):
        find_functions(("x:y",) * (MAX_FUNCTIONS + 1))
