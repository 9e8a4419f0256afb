"""Exit reasons: which are failures, and comparing those whose comparison raises."""

from __future__ import annotations

import pytest

from runtime.terms.atom import Atom
from runtime.terms.reason import RETURN, Result, is_abnormal, is_atom, is_failure, is_same


class _Hostile(str):
    def __eq__(self, other: object) -> bool:
        raise SystemExit("asked")

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("reason", "abnormal"),
    [
        ("normal", False),
        ("shutdown", False),
        (("shutdown", "enough"), False),
        (("shutdown", "enough", "more"), True),
        (("normal", "enough"), True),
        (["shutdown", "enough"], True),
        ("killed", True),
        (None, True),
        (_Hostile("normal"), True),
        ((_Hostile("shutdown"), 1), True),
    ],
)
def test_normal_and_shutdown_alone_are_no_failures(reason: object, abnormal: bool) -> None:
    assert is_abnormal(reason) is abnormal


def test_what_a_call_between_nodes_returns_is_abnormal_and_no_failure() -> None:
    answer = Result(1, RETURN, None)
    assert is_abnormal(answer)
    assert not is_failure(answer)
    assert is_failure(Result(1, Atom("exit"), None))
    assert is_failure(tuple(answer))
    assert not is_failure("normal")


def test_an_atom_is_a_plain_str_of_that_text() -> None:
    assert is_atom("kill", "kill")
    assert not is_atom("killed", "kill")
    assert not is_atom(b"kill", "kill")
    assert not is_atom(_Hostile("kill"), "kill")


def test_reasons_that_cannot_be_compared_are_not_the_same() -> None:
    assert is_same(("a", 1), ("a", 1))
    assert not is_same("a", "b")
    assert not is_same(_Hostile("a"), "a")
