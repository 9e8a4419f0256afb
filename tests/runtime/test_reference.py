"""The reference never falls behind the code."""

import pickle
import pydoc
import re

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


def test_help_on_the_package_shows_the_public_names_and_no_others() -> None:
    text = pydoc.plain(pydoc.render_doc(runtime))
    functions = set(re.findall(r"^    (\w+)\(", text[text.index("\nFUNCTIONS") : text.index("\nDATA")], re.MULTILINE))
    data = set(re.findall(r"^    (\w+) = ", text[text.index("\nDATA") :], re.MULTILINE))
    classes = set(re.findall(r"^    class (\w+)\(", text, re.MULTILINE))
    public = {name for name in runtime.__all__ if not name.startswith("__")}
    assert functions | data | classes == public


def test_help_on_a_server_shows_what_a_program_calls_or_overrides_and_nothing_of_the_runtimes_own() -> None:
    callbacks = "init handle_call handle_cast handle_continue handle_info terminate code_change format_status"
    ways_to_start = "start start_link start_monitor child_spec"
    shown = {name for name in dir(runtime.GenServer) if not name.startswith("_")}
    assert shown == {*callbacks.split(), *ways_to_start.split(), *reference.FOR_THE_RUNTIME}
    assert "for the runtime" not in pydoc.plain(pydoc.render_doc(runtime.GenServer))


@pytest.mark.parametrize("name", reference.SECTIONS["Errors"].split())
def test_an_error_bears_the_name_that_programs_import_it_by(name: str) -> None:
    error = getattr(runtime, name)
    assert (error.__module__, error.__qualname__) == ("runtime", name)
    assert pickle.loads(pickle.dumps(error)) is error
