import pickle
import weakref
from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from typing import Any

import pytest

from runtime import (
    ChildSpec,
    DynamicSupervisor,
    GenServer,
    SpecError,
    StartError,
    Supervisor,
    SupervisorSpec,
    check_childspecs,
    child_spec,
)
from runtime.otp import child_spec as child_spec_module
from runtime.supervision.supervisor_spec import DynamicSupervisorSpec


class Counter(GenServer):
    pass


class Other(GenServer):
    pass


START = (Counter.start_link, 0)


def test_a_worker_has_five_seconds_to_stop_and_a_supervisor_all_it_needs() -> None:
    assert ChildSpec("a", START).shutdown == 5.0
    assert ChildSpec("a", START, type="supervisor").shutdown == "infinity"


def test_the_module_of_a_child_is_the_class_that_starts_it() -> None:
    assert ChildSpec("a", START).modules == [Counter]
    assert Counter.child_spec(name="c").modules == [Counter]


def test_specs_of_one_class_share_the_method_that_starts_them_and_nothing_that_can_change() -> None:
    one, other, third = (
        ChildSpec("a", (Counter.start_link,)),
        ChildSpec("b", (Counter.start_link,)),
        ChildSpec("c", START),
    )
    assert one.start is other.start
    assert third.start[0] is one.start[0]
    assert third.start == START
    assert one.modules is not other.modules
    assert deepcopy(one) is one
    assert pickle.loads(pickle.dumps(third)) == third
    assert replace(third, id="d") == ChildSpec("d", START)
    assert Counter.start_link not in ChildSpec("e", (Other.start_link,)).start


def test_a_spec_has_its_own_start_function_whatever_specs_are_made_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(tuple):  # type: ignore[type-arg]
        """Stands for the last start: while it is looked at, another thread makes a spec."""

        def __getitem__(self, key: object) -> object:  # type: ignore[override]
            monkeypatch.setattr(child_spec_module, "_last", (Other.start_link,))
            return Counter.start_link

    monkeypatch.setattr(child_spec_module, "_last", Slow((Counter.start_link,)))
    assert ChildSpec("a", (Counter.start_link,)).start == (Counter.start_link,)


def test_modules_follow_the_start_function_unless_they_were_given() -> None:
    spec = ChildSpec("a", START)
    assert child_spec(spec, start=(Other.start_link,)).modules == [Other]
    assert child_spec(spec, modules=[int], start=(Other.start_link,)).modules == [int]
    assert child_spec(ChildSpec("a", START, modules="dynamic"), id="b").modules == "dynamic"


@dataclass(frozen=True)
class Named(ChildSpec):
    title: str = ""


def test_a_subclass_that_is_a_dataclass_is_checked_and_has_the_same_defaults() -> None:
    spec = Named("a", START, title="the first")
    assert (spec.title, spec.restart, spec.shutdown, spec.modules) == ("the first", "permanent", 5.0, [Counter])
    assert Named("a", START, type="supervisor").shutdown == "infinity"
    assert [field.default for field in fields(ChildSpec)][2] == "permanent"
    with pytest.raises(SpecError, match="restart"):
        Named("a", START, restart="always")  # type: ignore[arg-type]


def test_specs_share_what_they_have_in_common_and_each_has_its_own_values() -> None:
    one, other = ChildSpec("a", START, shutdown=2), ChildSpec("b", START, shutdown=2)
    floating, listed = ChildSpec("c", START, shutdown=2.0), ChildSpec("d", START, shutdown=2, modules=[int])
    assert one._common is other._common
    assert (type(other.shutdown), type(floating.shutdown)) == (int, float)
    assert (listed.modules, ChildSpec("e", START, shutdown=2).modules) == ([int], [Counter])


@dataclass(frozen=True, slots=True)
class Slotted(ChildSpec):
    title: str = ""


def test_a_subclass_that_is_a_dataclass_may_have_slots() -> None:
    spec = Slotted("a", START, restart="transient", title="the first")
    assert (spec.title, spec.restart, spec.shutdown, spec.modules) == ("the first", "transient", 5.0, [Counter])
    assert replace(spec, restart="temporary").restart == "temporary"
    assert pickle.loads(pickle.dumps(spec)) == copy(spec) == spec


def test_a_spec_of_a_subclass_survives_a_pickle_and_a_copy() -> None:
    spec = Named("a", START, restart="transient", significant=True, title="the first")
    assert pickle.loads(pickle.dumps(spec)) == copy(spec) == deepcopy(spec) == spec
    assert replace(spec, id="b").restart == "transient"
    with pytest.raises(FrozenInstanceError):
        spec.restart = "permanent"  # type: ignore[misc]


def test_a_spec_does_not_keep_the_object_whose_method_starts_another_child() -> None:
    class Starter:
        def start(self) -> None:
            """Start nothing."""

    starter = Starter()
    ChildSpec("a", (starter.start,))
    kept = weakref.ref(starter)
    del starter
    assert kept() is None


def test_a_class_a_tuple_a_mapping_and_a_spec_stand_for_a_child() -> None:
    assert child_spec(Counter).start == (Counter.start_link,)
    assert child_spec((Counter, 0)) == ChildSpec("Counter", START)
    assert child_spec({"id": "a", "start": START}) == ChildSpec("a", START)
    spec = ChildSpec("a", START)
    assert child_spec(spec) is spec


def test_a_childs_fields_can_be_changed_where_it_is_named() -> None:
    assert child_spec((Counter, 0), id="b", restart="transient") == ChildSpec("b", START, restart="transient")


def test_a_supervisor_is_a_child_that_is_called_by_its_name() -> None:
    spec = child_spec(Supervisor.child_spec([], name="pool"))
    assert (spec.id, spec.type, spec.shutdown) == ("pool", "supervisor", "infinity")


@pytest.mark.parametrize(
    ("fields", "reason", "sentence"),
    [
        ({"start": START}, "missing_id", "needs an id"),
        ({"id": "a"}, "missing_start", "needs start="),
        ({"restart": "sometimes"}, ("invalid_restart_type", "sometimes"), "allowed are permanent, transient"),
        ({"shutdown": -1}, ("invalid_shutdown", -1), "shutdown=-1; allowed are seconds >= 0"),
        ({"shutdown": "soon"}, ("invalid_shutdown", "soon"), "brutal_kill"),
        ({"shutdown": True}, ("invalid_shutdown", True), "seconds"),
        ({"type": "wrker"}, ("invalid_child_type", "wrker"), "allowed are worker, supervisor"),
        ({"start": "nope"}, ("invalid_mfa", "nope"), "tuple"),
        ({"start": ()}, ("invalid_mfa", ()), "callable"),
        ({"start": ("nope", 1)}, ("invalid_mfa", ("nope", 1)), "callable"),
        ({"significant": "maybe"}, ("invalid_significant", "maybe"), "True, False"),
        ({"modules": "Counter"}, ("invalid_modules", "Counter"), "a list of classes"),
        ({"id": []}, ("invalid_id", []), "hashable"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_allowed(fields: dict[str, Any], reason: Any, sentence: str) -> None:
    whole = fields if reason in ("missing_id", "missing_start") else {"id": "a", "start": START, **fields}
    with pytest.raises(SpecError, match=sentence) as caught:
        ChildSpec(**whole)
    assert caught.value.reason == reason
    assert caught.value.start_reason == ("start_spec", reason)


@pytest.mark.parametrize("child", ["nope", 7, None, ("nope", 1), {"id": "a", "begin": START}, ()])
def test_what_is_no_child_spec_is_refused(child: Any) -> None:
    with pytest.raises(ValueError, match="child spec") as caught:
        child_spec(child)
    assert caught.value.reason == ("invalid_child_spec", child)  # type: ignore[attr-defined]


def test_a_field_that_does_not_exist_cannot_be_changed() -> None:
    with pytest.raises(SpecError, match=r"'begin'.*allowed are id, start"):
        child_spec(Counter, begin=1)


def test_two_children_with_one_id_are_refused() -> None:
    with pytest.raises(SpecError, match="two children have the id 'Counter'") as caught:
        check_childspecs([Counter, (Counter, 1)])
    assert caught.value.reason == ("duplicate_child_name", "Counter")


def test_good_children_pass_the_check() -> None:
    check_childspecs([Counter, ChildSpec("s", START, restart="transient", significant=True)])


def test_the_check_refuses_an_auto_shutdown_that_does_not_exist() -> None:
    with pytest.raises(SpecError, match="sometimes"):
        check_childspecs([], "sometimes")  # type: ignore[arg-type]


def test_significant_children_need_a_supervisor_that_heeds_them_and_must_be_able_to_finish() -> None:
    significant = ChildSpec("s", START, restart="transient", significant=True)
    with pytest.raises(SpecError, match="needs a supervisor with auto_shutdown") as caught:
        SupervisorSpec([significant])
    assert caught.value.reason == ("bad_combination", [("auto_shutdown", "never"), ("significant", True)])
    permanent = ChildSpec("s", START, significant=True)
    with pytest.raises(SpecError, match="permanent and so cannot be significant"):
        SupervisorSpec([permanent], auto_shutdown="any_significant")


@pytest.mark.parametrize(
    ("flags", "reason", "sentence"),
    [
        ({"strategy": "all_for_none"}, ("invalid_strategy", "all_for_none"), "one_for_one, one_for_all"),
        ({"max_restarts": -1}, ("invalid_intensity", -1), ">= 0"),
        ({"max_restarts": 1.5}, ("invalid_intensity", 1.5), "whole number"),
        ({"max_seconds": 0}, ("invalid_period", 0), "> 0"),
        ({"max_seconds": float("nan")}, None, "> 0"),
        ({"auto_shutdown": "sometimes"}, ("invalid_auto_shutdown", "sometimes"), "any_significant"),
    ],
)
def test_a_wrong_flag_is_named_with_what_is_allowed(flags: dict[str, Any], reason: Any, sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence) as caught:
        SupervisorSpec([], **flags)
    about, found = caught.value.start_reason
    assert about == "supervisor_data"
    assert reason is None or found == reason


def test_a_template_supervisor_has_exactly_one_child_spec() -> None:
    with pytest.raises(SpecError, match=r"one child spec.*here are 0") as caught:
        SupervisorSpec([], strategy="simple_one_for_one")
    assert caught.value.start_reason == ("bad_start_spec", [])


@pytest.mark.parametrize("children", ["abc", 7])
def test_children_are_given_as_a_list(children: Any) -> None:
    with pytest.raises(SpecError, match="give a list"):
        SupervisorSpec(children)


@pytest.mark.parametrize(
    "flags", [{"strategy": "one_for_all"}, {"max_children": -1}, {"max_restarts": "x"}, {"extra_arguments": "x"}]
)
def test_the_flags_of_a_dynamic_supervisor_are_checked(flags: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="allowed"):
        DynamicSupervisorSpec(**flags)


def test_the_error_of_a_wrong_spec_is_a_start_that_failed_and_a_wrong_value() -> None:
    with pytest.raises(ValueError, match="shutdown") as caught:
        ChildSpec("a", START, shutdown=-1)
    assert isinstance(caught.value, StartError)


def test_a_copied_spec_shares_no_argument_that_can_change() -> None:
    mutable = ChildSpec("a", (Counter.start_link, [1]))
    copy = deepcopy(mutable)
    assert copy == mutable
    assert copy.start[1] is not mutable.start[1]
    immutable = ChildSpec("a", (Counter.start_link, 1))
    assert deepcopy(immutable) is immutable


# -- Options of a class ---------------------------------------------------------------------------------------------


class Brief(GenServer, id="brief", restart="transient", shutdown=2.0, significant=True):
    def init(self, number: int = 0, restart: str = "") -> None:
        self.number = number


class Briefer(Brief, shutdown="brutal_kill"):
    pass


def test_a_class_says_how_its_children_are_started_stopped_and_restarted() -> None:
    spec = child_spec((Brief, 1))
    assert (spec.id, spec.restart, spec.shutdown, spec.significant) == ("brief", "transient", 2.0, True)
    assert spec.start == (Brief.start_link, 1)
    assert child_spec((Brief, 1), id="a", restart="temporary").restart == "temporary"


def test_a_subclass_has_the_options_of_its_parent_but_an_id_of_its_own() -> None:
    spec = Briefer.child_spec(1)
    assert (spec.id, spec.restart, spec.shutdown) == ("Briefer", "transient", "brutal_kill")


def test_supervisors_have_options_too() -> None:
    class Slow(DynamicSupervisor, restart="temporary", shutdown=60.0):
        pass

    spec = Slow.child_spec(name=("via", "reg", "slow"))
    assert (spec.id, spec.type) == (("via", "reg", "slow"), "supervisor")
    assert (spec.restart, spec.shutdown) == ("temporary", 60.0)


def test_a_wrong_option_fails_where_the_class_is_made() -> None:
    with pytest.raises(SpecError, match="restart='sometimes'; allowed are permanent"):
        type("Wrong", (GenServer,), {}, restart="sometimes")
    with pytest.raises(
        TypeError, match="class Wrong is made with restrat; allowed are id, restart, shutdown, type and"
    ):
        type("Wrong", (GenServer,), {}, restrat="transient")
    with pytest.raises(TypeError):
        type("Wrong", (GenServer,), {}, colour="red")


def test_a_field_of_the_spec_that_would_land_in_init_is_refused_with_what_to_write() -> None:
    with pytest.raises(SpecError, match=r"write child_spec\(\(Brief, 1\), id='a'\)"):
        Brief.child_spec(1, id="a")


def test_a_field_of_the_spec_that_init_takes_reaches_it() -> None:
    assert Brief.child_spec(1, restart="x").restart == "transient"


def test_children_with_one_id_are_refused_with_what_to_write() -> None:
    with pytest.raises(SpecError, match=r'child_spec\(\(Counter, ...\), id="another_id"\)'):
        check_childspecs([(Counter, 1), (Counter, 2)])
    check_childspecs([(Counter, 1), child_spec((Counter, 2), id="another_id")])


class Logging(GenServer, id="logging"):
    """A mixin, which says nothing of how its servers end."""


class LoggingSupervisor(Logging, Supervisor):
    """A supervisor with a mixin."""


class LoggingBrief(Logging, Brief):
    """A server whose second base sets fields."""


def test_a_mixin_does_not_hide_what_another_base_has_set() -> None:
    assert (LoggingSupervisor.child_spec([]).type, LoggingSupervisor.child_spec([]).shutdown) == (
        "supervisor",
        "infinity",
    )
    spec = LoggingBrief.child_spec()
    assert (spec.id, spec.restart, spec.shutdown, spec.significant) == ("LoggingBrief", "transient", 2.0, True)
