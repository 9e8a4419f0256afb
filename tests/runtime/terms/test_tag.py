"""What a message is about."""

import pytest

from runtime import Atom
from runtime.terms.tag import tagged
from runtime.terms.term import Term


class Odd(str):
    pass


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("stop", ("stop", ())),
        (Atom("stop"), ("stop", ())),
        (("stop",), ("stop", ())),
        (("stop", 1, None), ("stop", (1, None))),
        ((Atom("stop"), 1), ("stop", (1,))),
        ((), ("", ())),
        ((1, "stop"), ("", ())),
        (["stop", 1], ("", ())),
        (None, ("", ())),
        (Odd("stop"), ("", ())),
        ((Odd("stop"), 1), ("", ())),
    ],
)
def test_a_string_or_what_a_tuple_begins_with_is_the_tag(message: Term, expected: Term) -> None:
    assert tagged(message) == expected
