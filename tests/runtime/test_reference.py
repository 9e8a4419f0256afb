"""The reference never falls behind the code."""

import pytest

import runtime
from runtime import MockClock, run, use_clock
from tests.support import reference
from tests.support.examples import Example, examples


def test_the_reference_is_what_the_docstrings_say() -> None:
    """Run ``python -m tests.support.reference`` after changing a docstring or a signature."""
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_public_name_stands_below_one_heading() -> None:
    named = [name for names in reference.SECTIONS.values() for name in names.split()]
    assert sorted(named) == sorted(runtime.__all__)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.names[0])
def test_each_example_gives_what_it_says(example: Example) -> None:
    if example.starts_a_node:
        example.play()
        return
    with use_clock(MockClock()):
        assert run(example.play) or example.names[0] == "application.ensure_started"


def test_nearly_every_public_name_has_an_example_and_every_example_is_of_a_public_name() -> None:
    of = {name for example in examples() for name in example.names}
    public = set(runtime.__all__)
    assert len(public & of) > 0.85 * len(public)
    functions = {
        f"{heading.removeprefix('runtime.')}.{name}"
        for heading, module in reference.MODULES.items()
        for name, _ in reference._functions(module)
    }
    assert of - public <= functions


def test_an_example_that_is_not_true_fails() -> None:
    with pytest.raises(AssertionError, match="1 gives 1"):
        Example(("wrong",), "1  # -> 2\n").play()
