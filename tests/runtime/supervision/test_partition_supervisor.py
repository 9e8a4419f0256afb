from typing import Any

import pytest

from runtime import (
    ChildSpec,
    NoProcessError,
    PartitionSupervisor,
    call,
    exit,
    send,
    sleep,
    terminate_child,
    whereis,
    which_children,
)
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


@pytest.mark.parametrize("number", [0, -1, True, "two"])
def test_a_number_of_copies_that_makes_no_sense_is_refused(number: Any) -> None:
    with pytest.raises(ValueError, match="whole number >= 1"):
        PartitionSupervisor.start_link(member("m"), partitions=number)
