"""Which types travel by reference, and which may be compared without running the program's code."""

from __future__ import annotations

import datetime
import re

from runtime import Pid, Ref
from runtime.terms.immutable import ATOMIC, IMMUTABLE, immutable, travels_by_reference
from runtime.terms.isolation import isolate


def test_what_is_immutable_is_sent_as_it_is() -> None:
    for value in (7, 1.5, "x", b"x", None, True, datetime.date(2020, 1, 1), re.compile("x"), len, Ref()):
        assert isolate(value) is value
    assert IMMUTABLE <= ATOMIC


def test_a_type_whose_comparison_may_run_code_of_the_programs_is_not_taken_for_immutable() -> None:
    assert datetime.datetime not in IMMUTABLE  # its tzinfo may be the program's
    assert {list, dict, tuple, bytearray}.isdisjoint(ATOMIC)
    assert {Pid, Ref} <= IMMUTABLE


def test_a_class_is_declared_by_a_decorator_which_returns_it() -> None:
    class Fixed(list[int]):
        pass

    class Handle(list[int]):
        pass

    value, handle = Fixed([1]), Handle([1])
    assert isolate(value) is not value
    try:
        assert immutable(Fixed) is Fixed
        assert travels_by_reference(Handle) is Handle
        assert isolate(value) is value
        assert isolate(handle) is handle
        assert Fixed in IMMUTABLE
        assert Handle not in IMMUTABLE
    finally:
        IMMUTABLE.discard(Fixed)
        ATOMIC.difference_update((Fixed, Handle))
