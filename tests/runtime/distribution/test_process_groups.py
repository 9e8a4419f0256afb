"""Process groups over nodes: two of ours, and one of ours with a BEAM."""

import pytest

from runtime import (
    Atom,
    CallError,
    Pid,
    cast,
    disconnect_node,
    erpc,
    exit,
    node,
    pg,
    receive,
    self_,
    send,
    spawn,
    start_distribution,
    whereis,
)
from tests.support.in_node import in_node
from tests.support.other_nodes import Other, join_group, named, new_name, python_node
from tests.support.recipes import eventually

DEADLINE = 60.0


@named
def test_scopes_of_one_name_know_each_others_members_and_lose_them_with_the_node() -> None:
    with python_node() as other:
        pg.start_link()
        pg.join("both", self_())
        other.connect()
        ref, _ = pg.monitor("both")
        there = spawn(join_group, "both", self_(), node=other.name)
        assert receive(tuple, timeout=DEADLINE) == (ref, "join", "both", [there])
        assert receive("joined", timeout=DEADLINE)
        assert pg.get_members("both") == [there, self_()]
        assert pg.get_local_members("both") == [self_()]
        assert sorted(erpc.call(other.name, pg.get_members, "both")) == sorted([self_(), there])
        pg.join("both", self_())
        assert receive(timeout=DEADLINE) == (ref, "join", "both", [self_()])
        with pytest.raises(CallError) as caught:
            pg.join("both", there)
        assert caught.value.reason == ("nolocal", there)
        send(there, "again")
        assert receive(timeout=DEADLINE) == (ref, "join", "both", [there])
        assert disconnect_node(other.name)
        assert receive(timeout=DEADLINE) == (ref, "leave", "both", [there, there])
        assert pg.get_members("both") == [self_(), self_()]
        other.connect()
        assert receive(timeout=DEADLINE) == (ref, "join", "both", [there, there])
        exit(there, "kill")
        assert [receive(timeout=DEADLINE)[:3] for _ in range(2)] == [(ref, "leave", "both")] * 2
        assert pg.get_members("both") == [self_(), self_()]


@named
def test_a_beam_has_the_same_groups(beam: Other) -> None:
    pg.start_link()
    beam.connect()
    erpc.call(beam.name, ("pg", "start"), Atom("pg"))
    scope = whereis("pg")
    send(("pg", beam.name), (Atom("discover"), scope))  # it began after the connection, which is a hidden one
    workers = Atom("workers")
    ref, _ = pg.monitor(workers)
    there = spawn(("timer", "sleep"), 60_000, node=beam.name)
    assert isinstance(there, Pid)
    erpc.call(beam.name, ("pg", "join"), workers, there)
    pg.join(workers, self_())
    seen = [receive(timeout=DEADLINE) for _ in range(2)]
    assert sorted(message[1:] for message in seen) == sorted([("join", workers, [there]), ("join", workers, [self_()])])
    assert sorted(erpc.call(beam.name, ("pg", "get_members"), workers)) == sorted([self_(), there])
    exit(there, Atom("kill"))
    assert receive(timeout=DEADLINE) == (ref, "leave", workers, [there])
    pg.leave(workers, self_())
    assert erpc.call(beam.name, ("pg", "get_members"), workers) == []


@named
def test_a_beam_learns_of_all_groups_but_those_whose_names_it_cannot_be_told(beam: Other) -> None:
    scope = pg.start("odd")
    beam.connect()
    erpc.call(beam.name, ("pg", "start"), Atom("odd"))
    member, odd = spawn(receive), frozenset((1,))
    for group in ("before", odd):
        pg.join("odd", group, member)

    def discovered() -> bool:
        return bool(erpc.call(beam.name, ("pg", "get_members"), Atom("odd"), "before") == [member])

    send(("odd", beam.name), (Atom("discover"), scope))
    eventually(discovered)
    pg.join("odd", "after", member)
    eventually(lambda: len(erpc.call(beam.name, ("pg", "which_groups"), Atom("odd"))) == 2)
    exit(member, "kill")
    eventually(lambda: erpc.call(beam.name, ("pg", "which_groups"), Atom("odd")) == [])


def test_a_scope_that_runs_before_its_node_has_a_name_hears_of_nodes_all_the_same(other: Other) -> None:
    from runtime import run

    def main() -> None:
        pg.start_link("early")
        start_distribution(new_name("late"), "tests-of-the-distribution")
        ref, _ = pg.monitor("early", "group")
        other.connect()
        there = spawn(join_group, "group", self_(), "early", node=other.name)
        assert receive(tuple, timeout=DEADLINE) == (ref, "join", "group", [there])
        assert node(there) == other.name
        exit(there, "kill")

    run(main)


@in_node
def test_groups_that_no_dict_can_hold_stay_unknown_and_do_no_harm() -> None:
    pg.start_link()
    peer = self_()  # in the place of a scope on an Erlang node, where "list" is a list
    send("pg", (Atom("discover"), peer))
    cast("pg", (Atom("sync"), peer, [([108, 105], [peer]), ("good", [peer])]))
    send("pg", (Atom("join"), peer, [108, 105], peer))
    send("pg", (Atom("leave"), peer, peer, [[108, 105]]))
    send("pg", (Atom("join"), peer, "nobody's", Atom("no_pid")))
    pg.join("own", peer)
    assert sorted(pg.which_groups(), key=str) == ["good", "own"]
    assert pg.get_members("good") == [peer]
