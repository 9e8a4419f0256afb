"""What is shown of an exit reason, whole or without a word of the program's."""

from __future__ import annotations

import pytest

from runtime.introspection import wire
from runtime.introspection.events.shown_reason import OWN_REASONS, shown_reason
from runtime.terms.crash import Crash


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Crash("app.LoginError", "swordfish is wrong"), "app.LoginError"),
        ("normal", "normal"),
        ("killed", "killed"),
        ("bad swordfish", wire.NOT_SHOWN),
        (("shutdown", "swordfish"), f"(shutdown, {wire.NOT_SHOWN})"),
        (("swordfish", "shutdown"), wire.NOT_SHOWN),
        (("shutdown", "swordfish", 1), wire.NOT_SHOWN),
        (7, wire.NOT_SHOWN),
    ],
)
def test_of_a_reason_that_is_not_shown_whole_no_word_of_the_programs_is_left(reason: object, text: str) -> None:
    assert shown_reason(reason, whole=False) == text


def test_a_whole_reason_is_shown_as_a_person_reads_it() -> None:
    assert shown_reason(Crash("app.LoginError", "no"), whole=True) == "app.LoginError: no"
    assert shown_reason(("shutdown", "x"), whole=True) == "(shutdown, x)"
    assert {shown_reason(reason, whole=False) for reason in OWN_REASONS} == OWN_REASONS
