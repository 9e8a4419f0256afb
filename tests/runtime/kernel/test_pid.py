"""Pids and references: immutable, ordered by age, read back from their text."""

import copy
import operator
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import Pid, Ref, TimerRef, alive, run, self_, spawn
from runtime.kernel.process import ForeignPid
from tests.support.in_node import in_node

NUMBERS = st.integers(0, 10**18 - 1)


@given(NUMBERS, NUMBERS)
def test_pids_are_ordered_by_number_and_equal_ones_have_one_hash(one: int, other: int) -> None:
    first, second = Pid.parse(f"<0.{one}.0>"), Pid.parse(f"<0.{other}.0>")
    assert (first < second) == (one < other)
    assert (first == second) == (one == other)
    assert first != second or hash(first) == hash(second)


@pytest.mark.parametrize("make", [Pid, lambda number: ForeignPid(number, node=3, serial=1), Ref, TimerRef])
def test_equal_ones_are_not_unequal_and_all_six_comparisons_agree(make: Any) -> None:
    one, same, next_one = make(5), make(5), make(6)
    assert one == same
    assert (one != same) is False
    assert one <= same <= next_one
    assert next_one >= same >= one
    assert (one < same, one > same, next_one > one, one > next_one) == (False, False, True, False)
    assert (next_one <= one, one >= next_one) == (False, False)
    assert one != 5
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(TypeError):
            compare(one, "5")


@given(st.integers(0, 10**9), NUMBERS, st.integers(0, 10**9))
def test_a_pid_is_read_back_from_its_text_also_one_of_another_node(node: int, number: int, serial: int) -> None:
    text = f"<{node}.{number}.{serial}>"
    pid = Pid.parse(text)
    assert str(pid) == text
    assert Pid.parse(str(pid)) == pid
    assert pickle.loads(pickle.dumps(pid)) == pid


@pytest.mark.parametrize("text", ["", "0.1.0", "<0.1>", "<0.1.0> ", "<0.-1.0>", "<a.b.c>", "<0.1.0.0>", None, 17])
def test_what_is_no_pid_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"one looks like <0\.17\.0>"):
        Pid.parse(text)


@given(NUMBERS)
def test_a_reference_is_read_back_from_its_text(number: int) -> None:
    ref = Ref(number)
    assert Ref.parse(str(ref)) == ref
    assert pickle.loads(pickle.dumps(ref)) == ref


def test_references_are_unique_and_ordered_by_age() -> None:
    refs = [Ref() for _ in range(100)]
    assert len({*refs}) == 100
    assert refs == sorted(refs)


@pytest.mark.parametrize("value", [Pid(1), Ref(1), TimerRef(1)])
def test_identifiers_cannot_be_changed(value: Pid | Ref) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        value.id = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="immutable"):
        del value.id
    assert copy.copy(value) is copy.deepcopy(value) is value


@in_node
def test_a_pid_from_text_leads_to_the_process_while_it_lives() -> None:
    here = self_()
    assert Pid.parse(str(here)) is here
    other = spawn(lambda: None)
    assert alive(Pid.parse(str(other)))


def test_a_pid_is_never_given_twice_not_even_by_the_next_node() -> None:
    seen = [run(self_) for _ in range(2)]
    assert not alive(seen[0])
    assert pickle.loads(pickle.dumps(seen[0])) == seen[0]


def test_pids_do_not_compare_with_anything_else() -> None:
    assert Pid(1) != 1
    with pytest.raises(TypeError):
        assert Pid(1) < 1
