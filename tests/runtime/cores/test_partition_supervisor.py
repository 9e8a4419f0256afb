"""Partition supervisors over a pool: where the copies run, and what becomes of them when a peer dies."""

import os
import signal
from typing import Any

import pytest

from runtime import (
    ANY,
    Agent,
    ChildSpec,
    Crash,
    Down,
    DynamicSupervisor,
    GenServer,
    PartitionSupervisor,
    Pid,
    StartError,
    Stop,
    await_exit,
    call,
    cores,
    exit,
    flag,
    monitor,
    node,
    process_info,
    receive,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    start_child,
    which_children,
)
from runtime.cores import partition_supervisor as module
from tests.support.in_node import in_node

DEADLINE = 60.0


class Cache(GenServer):
    """Keeps what it is told, and tells where it is."""

    def init(self, first: Any = None, teller: Pid | None = None) -> None:
        """Trap exits, so that the end of the parent is seen by `terminate`."""
        flag(trap_exit=True)
        self.first, self.teller = first, teller
        if first == "fail":
            raise ValueError("as asked")

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Tell."""
        match request:
            case "where":
                return os.getpid()
            case "first":
                return self.first
            case "parent":
                return process_info(self_(), "parent", "links")
        return super().handle_call(request, caller)

    def terminate(self, reason: Any) -> None:
        """Say so."""
        if self.teller is not None:
            send(self.teller, ("terminated", self.first, reason))


def numbered(args: list[Any], number: int) -> list[Any]:
    """Give each copy its number."""
    return [number, *args]


def copies(supervisor: Any) -> list[Any]:
    """Return the Pids of the copies, by number."""
    return [child.pid for child in sorted(which_children(supervisor), key=lambda child: child.id)]


def wait_for_copies(supervisor: Any, other_than: Pid) -> None:
    """Wait until each copy runs, and that one has been replaced."""
    while not all(isinstance(pid, Pid) and pid != other_than for pid in copies(supervisor)):
        sleep(0.02)


def test_the_copies_are_children_on_the_peers_that_are_restarted_with_their_peer() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pool = cores.Pool.start_link(2, name="pool")
        with pytest.raises(StartError) as failure:
            cores.PartitionSupervisor.start_link((Cache, "fail"), pool="pool")
        match failure.value.reason:
            case ("shutdown", ("failed_to_start_child", 0, reason)):
                assert reason == Crash("ValueError", "as asked")
            case other:
                raise AssertionError(other)
        supervisor = cores.PartitionSupervisor.start_link(
            (Cache, self_()), partitions=3, with_arguments=numbered, pool="pool", name="caches"
        )
        places = [call(pid, "where") for pid in copies("caches")]
        assert places[0] == places[2] != places[1]
        assert os.getpid() not in places
        assert [call(("via", "caches", key), "first") for key in (0, 1, 2, 3)] == [0, 1, 2, 0]
        assert PartitionSupervisor.partitions("caches") == 3
        first = PartitionSupervisor.partition("caches", 1)
        assert node(first) in cores.nodes("pool")
        assert call(first, "parent") == {"parent": supervisor, "links": [supervisor]}

        exit(first, "kill")  # one copy is restarted where it was
        wait_for_copies("caches", first)
        assert call(("via", "caches", 1), "where") == places[1]

        lost, ref = copies("caches")[0], monitor(copies("caches")[0])
        os.kill(places[0], signal.SIGKILL)  # a peer takes both of its copies with it
        assert receive(Down, timeout=DEADLINE) == Down(ref, lost, "noconnection")
        wait_for_copies("caches", lost)
        moved = [call(pid, "where") for pid in copies("caches")]
        assert moved[0] == moved[2] not in (places[0], places[1])
        assert moved[1] == places[1]

        exit(supervisor, "shutdown")  # copies end in reverse order, as children of their parent
        assert await_exit(supervisor, DEADLINE) == "shutdown"
        ends = [receive(("terminated", ANY, ANY), timeout=DEADLINE) for _ in range(3)]
        assert ends == [("terminated", number, "shutdown") for number in (2, 1, 0)]
        assert pool is not None

    run(main)


def test_supervisors_and_agents_are_copies_as_well() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pool = cores.Pool.start_link(1)
        supervisor = cores.PartitionSupervisor.start_link(DynamicSupervisor, pool=pool, partitions=2)
        inner = PartitionSupervisor.partition(supervisor, "key")
        child = start_child(inner, ChildSpec(id="c", start=(Cache.start_link, 7)))
        assert isinstance(child, Pid)
        assert (node(child), call(child, "first")) == (node(inner), 7)
        ref = monitor(child)
        exit(supervisor, "kill")  # its end ends what runs elsewhere
        assert receive(lambda message: isinstance(message, Down) and message.ref == ref, timeout=DEADLINE)
        agents = cores.PartitionSupervisor.start_link(ChildSpec(id="a", start=(Agent.start_link, dict)), pool=pool)
        assert Agent.get(PartitionSupervisor.partition(agents, 0), len) == 0

    run(main)


class TwoArgumentsError(Exception):
    """Can be pickled, but not unpickled, as many exceptions."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} {number}")


class NeverStarts(GenServer):
    """Refuses to start, for a reason that does not travel."""

    def init(self) -> Stop:
        return Stop(TwoArgumentsError("no", 1))


def start_oddly(teller: Pid) -> tuple[Pid, object]:
    """Start, and say something about it that does not travel."""
    pid = Agent.start_link(dict)
    send(teller, pid)
    return pid, TwoArgumentsError("odd", 1)


def test_a_copy_that_says_what_does_not_travel_is_a_start_that_failed() -> None:
    def main() -> None:
        flag(trap_exit=True)
        pool = cores.Pool.start_link(1)
        with pytest.raises(StartError, match=r"unreadable_reply.*TwoArgumentsError"):
            cores.PartitionSupervisor.start_link(NeverStarts, pool=pool)
        oddly = ChildSpec(id="odd", start=(start_oddly, self_()))
        with pytest.raises(StartError, match=r"unreadable_reply.*TwoArgumentsError"):
            cores.PartitionSupervisor.start_link(oddly, pool=pool)
        started = receive(Pid, timeout=DEADLINE)
        assert await_exit(started, DEADLINE) in ("shutdown", "noproc")  # it is not left behind

    run(main)


def die_before_linking(teller: Pid) -> None:
    """Have a copy started, and end before it is known to be linked."""
    spawn_link(module.start_for, self_(), "ref", (), Cache.start_link, (1, teller))
    receive(tuple)
    exit("boom")


@in_node
def test_a_copy_whose_supervisor_dies_before_they_are_linked_ends_as_its_child() -> None:
    spawn(die_before_linking, self_())
    assert receive(tuple, timeout=DEADLINE) == ("terminated", 1, "boom")


def test_the_default_intensity_outlives_three_deaths_of_a_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "directory_of", lambda pool: "directory")
    monkeypatch.setattr(module, "call", lambda server, request: 2)
    assert cores.PartitionSupervisor._default_spec(Cache, pool="p").max_restarts == 3
    spec = cores.PartitionSupervisor._default_spec((Cache, 1), 5, pool="p", strategy="one_for_all")
    assert (spec.max_restarts, spec.strategy) == (9, "one_for_all")
    assert [child.start[0].number for child in spec.specs] == [0, 1, 0, 1, 0]
    assert cores.PartitionSupervisor._default_spec(Cache, pool="p", max_restarts=1).max_restarts == 1
    again = cores.PartitionSupervisor._default_spec((Cache, 1), 5, pool="p")
    assert again.specs == spec.specs
    assert repr(spec.specs[1].start[0]) == "Cache.start_link on peer 1 of p"
    with pytest.raises(TypeError, match="takes the pool"):
        cores.PartitionSupervisor._default_spec(Cache)
