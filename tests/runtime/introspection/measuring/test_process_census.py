"""A census of one process: the parts of its state with their types and sizes, without running the program's code."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import GenServer, Supervisor, dictionary, exit, receive, send, sleep, spawn
from runtime.introspection.measuring import process_census
from runtime.introspection.measuring.process_census import STATE, ProcessCensus, ProcessCensuses, Walk
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid, Process
from tests.support.in_node import in_node
from tests.support.trees import Idle


class Meta(type):
    """Runs code of the program's when a class is looked at."""

    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError("code of the program was run")

    @property
    def __sizeof__(cls) -> Any:
        raise AssertionError("code of the program was run")


class Hostile(metaclass=Meta):
    """Runs code of the program's when it is shown, measured, compared or looked into."""

    def __init__(self) -> None:
        self.page = bytes(1_000)

    def _fail(self, *args: object) -> Any:
        raise AssertionError("code of the program was run")

    __repr__ = __str__ = __sizeof__ = __len__ = __iter__ = __getattr__ = __bool__ = __eq__ = __hash__ = _fail
    __getattribute__ = object.__getattribute__
    __class__ = property(_fail)


class OwnDict(dict[Any, Any]):
    """Runs code of the program's when it is gone through."""

    def _fail(self, *args: object) -> Any:
        raise AssertionError("code of the program was run")

    __len__ = __iter__ = items = values = keys = __getitem__ = __repr__ = __sizeof__ = _fail


class Shop(GenServer):
    """Holds things of all kinds."""

    __slots__ = ("till",)

    def init(self) -> None:
        self.pages = {number: bytes(10_000) for number in range(300)}
        self.cache = {"home": bytes(50_000), ("a", 1): [bytes(3_000)]}
        self.nested = Holder()
        self.many = [str(number) * 10 for number in range(20_000)]
        self.till = bytearray(7_000)
        self.hostile = [Hostile(), Hostile()]
        self.own = OwnDict(a=bytes(2_000))
        self.holders = [Holder() for _ in range(3)]
        dictionary()["trail"] = bytes(4_000)


class Holder:
    """An object with attributes."""

    def __init__(self) -> None:
        self.log = [bytes(9_000)]


class Discreet(Shop):
    """Chooses what is shown of it."""

    def format_status(self, state: dict[str, Any]) -> str:
        return "(secret)"


def process_of(pid: Pid | None) -> Process:
    assert pid is not None
    assert pid.process is not None
    return pid.process


def census(process: Process) -> ProcessCensus:
    """Take a census as the hub does, without a pause."""
    walk = Walk(process)
    while walk.advance():
        pass
    assert walk.result is not None
    assert not walk._queue, "it lets go of the program's objects"
    return walk.result


@in_node
def test_each_part_of_a_state_has_its_type_its_items_and_its_size() -> None:
    found = census(process_of(Shop.start()))
    places = found.places
    assert found.is_complete
    assert (places["pages"].type, places["pages"].items) == ("dict", 300)
    assert 3_000_000 < places["pages"].memory < 3_100_000
    assert 50_000 < places["cache['home']"].memory < 50_100
    assert places["cache[('a', 1)]"].memory > 3_000 if "cache[('a', 1)]" in places else places["cache"].memory > 53_000
    assert places["cache"].memory >= places["cache['home']"].memory + 3_000
    assert places["nested"].type == f"{__name__}.Holder"
    assert 9_000 < places["nested.log"].memory < 9_300
    assert places["many"].items == 20_000
    assert 1_500_000 < places["many"].memory < 2_500_000, "it is told from a sample"
    assert 7_000 < places["till"].memory < 7_100
    assert 4_000 < places["(dictionary)['trail']"].memory < 4_100
    assert 2_000 < places["own"].memory < 2_600
    assert places["hostile"].items == 2
    assert 27_000 < places["holders"].memory < 28_500
    assert "holders.log" not in places, "what is in a list has no places"
    count, size = found.types["bytes"]
    assert 300 <= count < 320
    assert size > 3_000_000
    assert 3_000_000 < found.memory < 8_000_000


@in_node
def test_a_server_that_chooses_what_is_shown_has_a_size_and_no_names() -> None:
    places = census(process_of(Discreet.start())).places
    assert {name for name in places if not name.startswith("(dictionary)")} == {STATE}
    assert places[STATE].memory > 3_000_000


@in_node
def test_a_plain_process_has_its_variables_and_its_messages() -> None:
    def serve(first: bytes) -> None:
        rows = [bytes(10_000)]
        receive("never")
        del rows

    pid = spawn(serve, bytes(5_000))
    sleep(0)
    send(pid, bytes(30_000))
    places = census(process_of(pid)).places
    assert 10_000 < places["rows in serve"].memory < 10_200
    assert places["(mailbox)"].memory > 30_000
    assert sum(place.memory for place in places.values()) > 45_000


@in_node
def test_a_supervisor_and_what_it_refers_to_is_measured_without_its_children() -> None:
    found = census(process_of(Supervisor.start_link([Shop.child_spec()])))
    assert "(children)" in found.places
    assert found.memory < 100_000


@in_node
def test_work_and_places_are_bounded_and_it_says_so() -> None:
    process = process_of(Idle.start())
    state = vars(process.body)
    state.update({f"a{number}": {f"b{other}": [] for other in range(50)} for number in range(50)})
    found = census(process)
    assert len(found.places) <= process_census.MAX_PLACES + 1
    assert found.is_complete
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_census, "LIMIT", 100)
        assert not census(process).is_complete


@in_node
def test_a_census_of_a_process_that_ends_meanwhile_lets_go_and_has_no_result() -> None:
    work = ProcessCensuses(this_node())
    pid = Shop.start()
    assert pid is not None
    job = process_census._Job(process_of(pid))
    work._waiting.append(job)
    for _ in range(3):
        assert work.step()
    work.stop()
    assert work._waiting[0] is job, "what was stopped begins anew"
    for _ in range(3):
        assert work.step()
    exit(pid, "kill")
    for _ in range(1_000):
        if not work.step():
            break
    assert job.is_over
    assert job.result is None
    assert not job.walk._queue
    assert work.take(process_of(Shop.start()), within=0.05) is None, "asked in the hub, which cannot work meanwhile"
    assert not work._waiting[0].is_wanted
    work.close()
