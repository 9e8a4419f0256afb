"""Looking at values without running any code of the program's."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from runtime.terms.static_lookup import (
    LONGEST_NAME,
    address,
    attributes,
    class_name,
    static,
    stored_names,
    where_defined,
)


class Shy(type):
    """A metaclass that objects to every look."""

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(name)


class Silent(metaclass=Shy):
    __slots__ = ("__dict__", "slot")

    computed = property(lambda self: 1 / 0)
    default = 7

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


def _silent() -> Silent:
    value = object.__new__(Silent)
    object.__setattr__(value, "slot", 1)
    object.__setattr__(value, "stored", 2)
    return value


def test_what_a_class_has_is_found_along_its_bases() -> None:
    assert static(Silent, "default") == 7
    assert static(Silent, "__repr__") is object.__repr__
    assert static(Silent, "nothing") is None


def test_a_value_is_named_as_object_would_and_asked_nothing() -> None:
    value = _silent()
    assert class_name(Silent) == "Silent"
    assert address(value) == f"<{__name__}.Silent object at {id(value):#x}>"
    assert address(7).startswith("<int object at ")
    assert len(class_name(type("x" * 1_000, (), {}))) == LONGEST_NAME


def test_stored_attributes_are_read_and_what_has_to_be_computed_is_left_out() -> None:
    value = _silent()
    assert dict(attributes(value, ["slot", "stored", "computed", "nothing"])) == {"slot": 1, "stored": 2}


def test_the_names_of_slots_come_before_those_of_the_dictionary() -> None:
    assert stored_names(_silent(), 10) == ["slot", "stored"]
    assert stored_names(7, 10) == []


def test_where_a_callable_is_defined_is_told_and_nothing_asked() -> None:
    assert where_defined(_silent) == (__name__, "_silent")
    assert where_defined(Silent) == (__name__, "Silent")
    assert where_defined(bool) == ("builtins", "bool")
    assert where_defined(deque) == ("collections", "deque")
    assert where_defined(len) == ("builtins", "len")
    assert where_defined(_silent()) == (__name__, None)
    assert where_defined(partial(len)) == ("functools", None)


def test_a_class_without_a_module_has_none() -> None:
    names: dict[str, type] = {}
    exec("Lost = type('Lost', (), {})", names)  # where no module's name is
    assert where_defined(names["Lost"]) == (None, "Lost")
