"""Where in a program's code something was done."""

import gevent

import runtime
from runtime.testing.places import PlacedDict, is_of_program, place_here


def test_the_files_of_the_runtime_and_of_gevent_are_no_programs() -> None:
    assert is_of_program(__file__)
    assert not is_of_program(runtime.__file__)
    assert not is_of_program(gevent.__file__)


def test_the_place_is_the_line_of_the_program() -> None:
    assert place_here().startswith(f"{__file__}:")
    assert place_here().endswith(" in test_the_place_is_the_line_of_the_program")


def test_a_dict_knows_by_which_line_each_entry_was_made() -> None:
    entries = PlacedDict({1: "before"})
    entries[2] = "here"
    assert entries == {1: "before", 2: "here"}
    assert entries.told(1) == ""
    assert entries.told(2).endswith(" in test_a_dict_knows_by_which_line_each_entry_was_made")
