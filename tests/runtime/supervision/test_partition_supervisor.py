import os
import subprocess
import sys
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from runtime import (
    Atom,
    ChildSpec,
    NoProcessError,
    PartitionSupervisor,
    Supervisor,
    SupervisorError,
    call,
    delete_child,
    exit,
    send,
    sleep,
    start_child,
    terminate_child,
    whereis,
    which_children,
)
from runtime.supervision.partition_supervisor import _number_of
from tests.support.in_node import in_node
from tests.support.recording_server import Member, member


@in_node
def test_the_copies_are_numbered_children() -> None:
    sup = PartitionSupervisor.start_link(member("m"), partitions=3)
    assert sorted(info.id for info in which_children(sup)) == [0, 1, 2]
    assert PartitionSupervisor.partitions(sup) == 3


@in_node
def test_a_number_goes_to_the_copy_of_that_number_round_and_round() -> None:
    PartitionSupervisor.start_link(member("m"), partitions=2, name="parts")
    by_id: dict[Any, Any] = {info.id: info.pid for info in which_children("parts")}
    assert [whereis(("via", "parts", key)) for key in (0, 1, 2, -3)] == [by_id[0], by_id[1], by_id[0], by_id[1]]


class Place(NamedTuple):
    x: int
    name: str


@dataclass(frozen=True)
class Holder:
    held: object


def test_a_key_is_the_same_in_every_program() -> None:
    for key in ("user", "\udc80", ("user", 1), (), ("one",), (1, ("a", (b"x", 1.5, None, True))), 10**599, ("a", -7)):
        assert _number_of(key) == (abs(key) if isinstance(key, int) else zlib.crc32(repr(key).encode()))
    assert _number_of(Atom("user")) == _number_of("user")
    assert _number_of((Atom("user"), 1)) == _number_of(("user", 1))
    assert _number_of(Place(1, "a")) == _number_of((1, "a"))
    assert _number_of(Holder(1)) == zlib.crc32(b"Holder(held=1)")
    huge = 10**5000
    numbers = [_number_of(key) for key in (huge, (huge,), (huge + 1,), (-huge,), (1, (huge,)))]
    assert len({*numbers}) == len(numbers)


def test_a_set_is_the_same_key_whatever_its_order_is() -> None:
    code = (
        "from runtime.supervision.partition_supervisor import _number_of;"
        "print(_number_of(('k', frozenset(('a', 'b', 'c', 'd', 'e')))))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0]
    assert said[0] == said[1]


def test_a_key_that_is_shown_by_its_address_is_refused_in_words() -> None:
    for key in (object(), ("user", object()), Holder(object()), frozenset((object(),)), _number_of):
        with pytest.raises(TypeError, match="by its address, which is another one in each program"):
            _number_of(key)
    assert _number_of("<a place at 0xff>")


@in_node
def test_the_same_key_goes_to_the_same_copy_also_after_its_restart() -> None:
    PartitionSupervisor.start_link(member("m"), partitions=4, name="parts")
    pid = PartitionSupervisor.partition("parts", "user")
    assert PartitionSupervisor.partition("parts", "user") == pid
    exit(pid, "kill")
    sleep(0.01)
    after = PartitionSupervisor.partition("parts", "user")
    assert after != pid
    assert call(("via", "parts", "user"), "id") == "m"


@in_node
def test_a_copy_that_is_not_running_cannot_be_reached() -> None:
    PartitionSupervisor.start_link(member("m"), partitions=1, name="parts")
    terminate_child("parts", 0)
    with pytest.raises(NoProcessError):
        send(("via", "parts", "user"), "hello")
    with pytest.raises(NoProcessError, match="not running"):
        PartitionSupervisor.partition("parts", "user")


@in_node
def test_each_copy_may_get_arguments_of_its_own() -> None:
    spec = ChildSpec("m", (Member.start_link,))
    PartitionSupervisor.start_link(
        spec, partitions=2, with_arguments=lambda args, number: [f"m{number}", *args], name="parts"
    )
    assert [call(("via", "parts", number), "id") for number in range(2)] == ["m0", "m1"]


@pytest.mark.parametrize("number", [0, -1, True, "two", 1_000_001, 10**400])
def test_a_number_of_copies_that_makes_no_sense_is_refused(number: Any) -> None:
    with pytest.raises(ValueError, match="whole number >= 1"):
        PartitionSupervisor.start_link(member("m"), partitions=number)


@in_node
def test_a_number_that_cannot_be_printed_is_refused_in_words() -> None:
    sup = PartitionSupervisor.start_link(member("m"), partitions=1)
    with pytest.raises(ValueError, match=r"partitions is <int of .* bits>; allowed: 0 to 1"):
        PartitionSupervisor.resize(sup, 10**5_000)
    with pytest.raises(ValueError, match=r"partitions is .*; allowed: a whole number >= 0"):
        PartitionSupervisor.resize(sup, -(10**5_000))


@pytest.mark.parametrize("wrong", [123, "two", []])
def test_arguments_that_no_function_makes_are_refused_at_the_call(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"with_arguments is .*; allowed: a function"):
        PartitionSupervisor.start_link(member("m"), with_arguments=wrong)


def test_a_function_that_makes_no_list_of_arguments_is_refused_at_the_call() -> None:
    with pytest.raises(TypeError, match="returned 3 for partition 0; it must return a list"):
        PartitionSupervisor.start_link(member("m"), with_arguments=lambda args, number: 3)


@in_node
def test_a_key_keeps_its_copy_when_children_are_added_or_deleted() -> None:
    PartitionSupervisor.start_link(member("m"), partitions=2, name="parts")
    first, second = whereis(("via", "parts", 0)), whereis(("via", "parts", 1))
    start_child("parts", member("more"))
    assert [whereis(("via", "parts", key)) for key in (0, 1, 2)] == [first, second, first]
    terminate_child("parts", 0)
    delete_child("parts", 0)
    assert [whereis(("via", "parts", key)) for key in (0, 1, 2)] == [None, second, None]


@in_node
def test_a_key_has_the_same_copy_in_every_run() -> None:
    PartitionSupervisor.start_link(member("m"), partitions=100, name="parts")
    copies: dict[Any, Any] = {info.pid: info.id for info in which_children("parts")}
    assert [copies[whereis(("via", "parts", key))] for key in ("user", ("a", 1), None)] == [80, 91, 41]


@in_node
def test_copies_are_ended_and_started_again_when_their_number_changes() -> None:
    sup = PartitionSupervisor.start_link(member("m"), partitions=3, name="parts")
    assert PartitionSupervisor.resize("parts", 1) == 3
    assert PartitionSupervisor.partitions("parts") == 1
    first = PartitionSupervisor.partition("parts", 0)
    assert [PartitionSupervisor.partition("parts", key) for key in (1, 2, "user")] == [first] * 3
    assert [info.pid for info in which_children(sup)] == [None, None, first]
    assert PartitionSupervisor.resize("parts", 3) == 1
    assert len({PartitionSupervisor.partition("parts", key) for key in range(3)}) == 3
    assert PartitionSupervisor.partition("parts", 0) == first
    assert PartitionSupervisor.resize("parts", 3) == 3
    assert PartitionSupervisor.resize("parts", 0) == 3
    with pytest.raises(ValueError, match="no partition"):
        PartitionSupervisor.partition("parts", 0)
    for wrong, sentence in ((4, "0 to 3"), (-1, "a whole number"), (True, "a whole number")):
        with pytest.raises(ValueError, match=sentence):
            PartitionSupervisor.resize("parts", wrong)
    assert PartitionSupervisor.partitions("parts") == 0


@in_node
def test_a_supervisor_of_another_kind_has_no_number_of_copies_to_change() -> None:
    top = Supervisor.start_link([])
    with pytest.raises(SupervisorError, match="unknown_request"):
        PartitionSupervisor.resize(top, 2)
