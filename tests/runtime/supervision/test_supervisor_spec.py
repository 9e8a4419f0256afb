from typing import Any

import pytest

from runtime import DynamicSupervisorSpec, SpecError, SupervisorSpec
from tests.support.recording_server import member


@pytest.mark.parametrize(
    ("flags", "reason", "sentence"),
    [
        ({"strategy": "one_for_none"}, ("invalid_strategy", "one_for_none"), "allowed: one_for_one"),
        ({"max_restarts": -1}, ("invalid_intensity", -1), "allowed: a whole number >= 0"),
        ({"max_restarts": True}, ("invalid_intensity", True), "allowed: a whole number >= 0"),
        ({"max_restarts": 1.5}, ("invalid_intensity", 1.5), "allowed: a whole number >= 0"),
        ({"max_seconds": 0}, ("invalid_period", 0), "allowed: seconds > 0"),
        ({"max_seconds": -1.0}, ("invalid_period", -1.0), "allowed: seconds > 0"),
        ({"max_seconds": "5"}, ("invalid_period", "5"), "allowed: seconds > 0"),
    ],
)
def test_a_flag_that_is_not_allowed_is_refused_with_what_is(flags: Any, reason: Any, sentence: str) -> None:
    for kind in (SupervisorSpec, DynamicSupervisorSpec):
        with pytest.raises(SpecError, match=sentence) as caught:
            kind(**flags)
        assert caught.value.start_reason == ("supervisor_data", reason)


@pytest.mark.parametrize(
    ("flags", "tag"),
    [
        ({"max_children": -1}, "invalid_max_children"),
        ({"max_children": 1.0}, "invalid_max_children"),
        ({"extra_arguments": 5}, "invalid_extra_arguments"),
        ({"extra_arguments": "ab"}, "invalid_extra_arguments"),
        ({"strategy": "one_for_all"}, "invalid_strategy"),
    ],
)
def test_a_flag_of_dynamic_supervisors_that_is_not_allowed_is_refused(flags: Any, tag: str) -> None:
    with pytest.raises(SpecError) as caught:
        DynamicSupervisorSpec(**flags)
    assert caught.value.reason[0] == tag


@pytest.mark.parametrize("children", [5, "ab", b"ab", None])
def test_children_that_are_no_list_are_refused(children: Any) -> None:
    with pytest.raises(SpecError, match="give a list of them"):
        SupervisorSpec(children)


def test_simple_one_for_one_takes_one_template() -> None:
    for children in ([], [member("a"), member("b")]):
        with pytest.raises(SpecError, match="takes one child spec"):
            SupervisorSpec(children, strategy="simple_one_for_one")
    assert [spec.id for spec in SupervisorSpec([member("a")], strategy="simple_one_for_one").specs] == ["a"]


def test_the_defaults_are_elixirs() -> None:
    spec = SupervisorSpec()
    assert (spec.strategy, spec.max_restarts, spec.max_seconds) == ("one_for_one", 3, 5.0)
    assert spec.auto_shutdown == "never"


def test_infinity_is_no_limit_of_children() -> None:
    assert DynamicSupervisorSpec(max_children="infinity") == DynamicSupervisorSpec(max_children=None)
