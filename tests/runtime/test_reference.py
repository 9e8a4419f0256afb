"""The reference never falls behind the code."""

import runtime
from tests.support import reference


def test_the_reference_is_what_the_docstrings_say() -> None:
    """Run ``python -m tests.support.reference`` after changing a docstring or a signature."""
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_public_name_stands_below_one_heading() -> None:
    named = [name for names in reference.SECTIONS.values() for name in names.split()]
    assert sorted(named) == sorted(runtime.__all__)
