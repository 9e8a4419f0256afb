"""Tables that processes own: isolation, owners, what is refused. What the functions do, the scenarios show."""

from typing import Any

import gevent
import pytest

from runtime import NotInProcessError, alive, ets, exit, flush, process_info, receive, run, self_, send, sleep, spawn
from tests.support.in_node import in_node
from tests.support.outside import in_thread


@in_node
def test_what_goes_in_and_what_comes_out_are_copies() -> None:
    table = ets.new("t")
    value = [1]
    ets.insert(table, ("k", value))
    value.append(2)
    for read in (ets.lookup(table, "k")[0], ets.tab2list(table)[0], ets.match_object(table, ("k", list))[0]):
        assert read == ("k", [1])
        read[1].append(3)
    ets.lookup_element(table, "k", 1).append(4)
    ets.match(table, ("k", "$1"))[0][0].append(5)
    ets.select(table, guard=lambda key, items: items.append(6) or True)
    changed = {"a": [1]}
    ets.update_element(table, "k", (1, changed))
    changed["a"].append(2)
    assert ets.take(table, "k") == [("k", {"a": [1]})]


@in_node
def test_a_table_ends_with_its_owner_however_that_ends() -> None:
    found: list[ets.Table] = []

    def owner(reason: Any) -> None:
        found.append(ets.new("t", access="public", named=True))
        exit(reason)

    for reason in ("normal", "boom"):
        pid = spawn(owner, reason)
        sleep(0.01)
        assert not alive(pid)
        assert ets.whereis("t") is None
        assert ets.info(found[-1]) is None
        with pytest.raises(ValueError, match="was deleted, or its owner is dead"):
            ets.insert(found[-1], (1, 2))
    assert ets.tables() == []


@in_node
def test_a_table_that_was_given_away_no_longer_ends_with_its_first_owner() -> None:
    me = self_()

    def first() -> None:
        table = ets.new("t", heir=me)
        ets.give_away(table, me, "yours")
        receive("end")

    pid = spawn(first)
    _, table, giver, data = receive(("ETS-TRANSFER", ets.Table, pid, "yours"))
    assert (giver, data) == (pid, "yours")
    send(pid, "end")
    sleep(0.01)
    assert ets.info(table, "owner") == me
    ets.set_heir(table, None)
    assert ets.info(table, "heir") is None
    assert flush() == []
    ets.delete(table)
    found = process_info(me, "monitored_by")
    assert found == {"monitored_by": []}


@in_node
def test_memory_and_size_grow_with_the_table() -> None:
    table = ets.new("t", "ordered_set")
    before = ets.info(table, "memory")
    ets.insert(table, [(number, "x" * 100) for number in range(1000)])
    found = ets.info(table)
    assert found["size"] == 1000
    assert before + 100_000 < found["memory"] < 1_000_000
    ets.delete_all_objects(table)
    assert ets.info(table, "memory") == before
    with pytest.raises(ValueError, match="info"):
        ets.info(table, "colour")


@in_node
def test_one_walks_through_a_table_of_any_type() -> None:
    for type in ("set", "ordered_set", "bag", "duplicate_bag"):
        table = ets.new("t", type)
        ets.insert(table, [(key, None) for key in (3, 1, 2)])
        keys, key = [], ets.first(table)
        while key is not None:
            keys.append(key)
            key = ets.next(table, key)
        assert sorted(keys) == [1, 2, 3]
    with pytest.raises(ValueError, match="there is no 9"):
        ets.next(table, 9)


@in_node
def test_what_is_wrong_is_refused_and_changes_nothing() -> None:
    table, bag = ets.new("t"), ets.new("b", "bag")
    ets.insert(table, ("n", 1))
    wrong: list[tuple[Any, type[Exception], str]] = [
        (lambda: ets.new("t", "heap"), ValueError, "allowed are set, ordered_set"),  # type: ignore[arg-type]
        (lambda: ets.new("t", access="secret"), ValueError, "allowed are public"),  # type: ignore[arg-type]
        (lambda: ets.new("t", keypos=-1), ValueError, "keypos"),
        (lambda: ets.new("t", heir="me"), TypeError, "heir"),  # type: ignore[arg-type]
        (lambda: ets.new(7), TypeError, "name"),  # type: ignore[arg-type]
        (lambda: ets.insert(table, [("a", 1), 7]), ValueError, "holds tuples"),  # type: ignore[list-item]
        (lambda: ets.insert(table, [("a", 1), ([], 1)]), TypeError, "hashable"),
        (lambda: ets.lookup(table, []), TypeError, "hashable"),  # type: ignore[arg-type]
        (lambda: ets.lookup(7, 1), TypeError, "a table is what new"),  # type: ignore[arg-type]
        (lambda: ets.update_counter(bag, "n", 1), ValueError, "is a bag"),
        (lambda: ets.update_counter(table, "n", [(1, 5), (1, 1.5)]), ValueError, "whole numbers"),
        (lambda: ets.update_counter(table, "n", True), ValueError, "whole numbers"),
    ]
    for use, error, sentence in wrong:
        with pytest.raises(error, match=sentence):
            use()
    assert ets.tab2list(table) == [("n", 1)]
    assert len(ets.tables()) == 2


def test_greenlets_of_the_nodes_thread_may_use_a_public_table_and_other_threads_not() -> None:
    def main() -> None:
        table, private = ets.new("t", access="public"), ets.new("p", access="private")
        gevent.spawn(ets.insert, table, ("k", 1)).get()
        assert gevent.spawn(ets.lookup, table, "k").get() == [("k", 1)]
        with pytest.raises(ValueError, match="code outside a process"):
            gevent.spawn(ets.lookup, private, "k").get()
        with pytest.raises(NotInProcessError, match="node's thread"):
            in_thread(lambda: ets.lookup(table, "k"))

    run(main)


@pytest.mark.parametrize("insert", [ets.insert, ets.insert_new])
def test_a_list_with_a_key_that_cannot_be_compared_leaves_an_ordered_table_as_it_was(insert: Any) -> None:
    @in_node
    def check() -> None:
        table = ets.new("t", type="ordered_set")
        ets.insert(table, [(2, "two"), (4, "four")])
        before = [(5, 5), (1, 1), (3, 3)] if insert is ets.insert_new else [(5, 5), (2, "other"), (1, 1), (2, "more")]
        with pytest.raises(TypeError, match=r"keys of an ordered_set are compared .* 'str' and 'int'"):
            insert(table, [*before, ("x", 0), (6, 6)])
        assert ets.tab2list(table) == [(2, "two"), (4, "four")]
        assert ets.info(table, "size") == 2
        insert(table, [(3, 3), (1, 1)])
        assert [key for key, _ in ets.tab2list(table)] == [1, 2, 3, 4]
        with pytest.raises(TypeError, match="keys of an ordered_set are compared"):
            ets.next(table, "x")

    check()


@pytest.mark.parametrize("kind", ["set", "ordered_set", "bag", "duplicate_bag"])
def test_the_size_is_the_number_of_tuples_whatever_was_done(kind: Any) -> None:
    @in_node
    def check() -> None:
        table = ets.new("t", type=kind)

        def has(size: int) -> bool:
            return bool(ets.info(table, "size") == len(ets.tab2list(table)) == size)

        several = {"set": 1, "ordered_set": 1, "bag": 2, "duplicate_bag": 3}[kind]
        ets.insert(table, [(1, "a"), (1, "b"), (1, "b"), (2, "a")])
        assert has(several + 1)
        ets.delete_object(table, (1, "b"))
        assert has({"set": 1, "ordered_set": 1, "bag": 2, "duplicate_bag": 2}[kind])
        ets.delete_object(table, (1, "no such"))
        ets.take(table, 2)
        assert has({"set": 0, "ordered_set": 0, "bag": 1, "duplicate_bag": 1}[kind])
        ets.insert(table, [(1, "a"), (1, "b")])
        ets.select_delete(table, (1, "b"))
        ets.delete(table, 3)
        ets.delete_all_objects(table)
        assert has(0)

    check()
