"""Tables that processes own: isolation, owners, what is refused. What the functions do, the scenarios show."""

import sys
from functools import partial
from types import FrameType
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
        ets.new("shared", access="public", named=True)
        for shared in (table, "shared"):
            with pytest.raises(NotInProcessError, match=r"ets.lookup\(\) works in the node's thread only"):
                in_thread(partial(ets.lookup, shared, "k"))

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


class Moody:
    """A key, and a value, that the runtime compares by code of the program's, which may fail."""

    fails = False

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> bool:
        return self._number_of(other) == self.number

    def __lt__(self, other: object) -> bool:
        return self.number < self._number_of(other)

    def _number_of(self, other: object) -> int:
        if Moody.fails:
            raise KeyboardInterrupt
        return other.number if isinstance(other, Moody) else -1


@pytest.mark.parametrize("kind", ["ordered_set", "bag"])
def test_a_change_that_fails_in_a_comparison_of_the_programs_changes_nothing(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @in_node
    def check() -> None:
        table = ets.new("t", type=kind)
        keys = [Moody(number) for number in range(4)]
        ets.insert(table, [(key, key.number) for key in keys])
        rows = [(row[0].number, row[1]) for row in ets.tab2list(table)]
        for change in (
            lambda: ets.insert(table, [(9, "new"), (Moody(2), "other")]),
            lambda: ets.insert(table, [(Moody(1), Moody(3)), (Moody(2), 2)]),
            lambda: ets.take(table, Moody(2)),
            lambda: ets.delete(table, Moody(2)),
            lambda: ets.delete_object(table, (Moody(2), 2)),
        ):
            monkeypatch.setattr(Moody, "fails", True)
            with pytest.raises((KeyboardInterrupt, TypeError)):
                change()
            monkeypatch.setattr(Moody, "fails", False)
            assert [(row[0].number, row[1]) for row in ets.tab2list(table)] == rows
            assert ets.info(table, "size") == len(rows)
        assert ets.take(table, Moody(2)) == [(Moody(2), 2)]
        assert ets.info(table, "size") == len(rows) - 1

    check()


@in_node
def test_what_is_taken_near_the_recursion_limit_is_not_lost() -> None:
    nested: list[Any] = []
    for _ in range(100):
        nested = [nested]
    table = ets.new("t")
    ets.insert(table, (1, nested))

    def depth() -> int:
        frame, levels = sys._getframe(1), 0
        while frame.f_back is not None:
            frame, levels = frame.f_back, levels + 1
        return levels

    def down(levels: int) -> Any:
        return ets.take(table, 1) if levels <= 0 else down(levels - 1)

    for left in range(60, 500, 5):
        try:
            rows = down(sys.getrecursionlimit() - depth() - left)
        except RecursionError:
            assert ets.info(table, "size") == len(ets.tab2list(table)) == 1, left
        else:
            assert (len(rows), ets.info(table, "size")) == (1, 0)
            break
    else:
        pytest.fail("it was never taken")


class Struck(BaseException):
    """What the handler of a signal might raise."""


def strike(line: int, file: str) -> Any:
    """Return a trace function that raises at such a line of a file's code that is run."""
    reached = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal reached
        if frame.f_code.co_filename != file:
            return None
        reached += event == "line"
        if reached == line:
            sys.settrace(None)
            raise Struck
        return trace

    return trace


@pytest.mark.parametrize("kind", ["set", "ordered_set", "bag"])
def test_order_and_size_hold_after_an_exception_at_any_line_of_a_change(kind: Any) -> None:
    @in_node
    def check() -> None:
        file = sys.modules["runtime.ets.contents"].__file__
        assert file is not None
        before = [(1, "a"), (2, "b")]
        changes: list[tuple[Any, list[Any]]] = [
            (lambda table: ets.insert(table, [(3, "c"), (0, "z")]), [*before, (3, "c"), (0, "z")]),
            (lambda table: ets.insert(table, (3, "c")), [*before, (3, "c")]),
            (lambda table: ets.delete(table, 1), before[1:]),
            (lambda table: ets.delete_all_objects(table), []),
        ]
        for change, after in changes:
            for line in range(1, 200):
                table = ets.new("t", type=kind)
                ets.insert(table, before)
                traced = sys.gettrace()
                sys.settrace(strike(line, file))
                try:
                    change(table)
                except Struck:
                    struck = True
                else:
                    struck = False
                finally:
                    sys.settrace(traced)
                rows = ets.tab2list(table)
                assert sorted(rows) in (before, sorted(after)), line
                assert ets.info(table, "size") == len(rows), line
                ets.insert(table, (5, "e"))
                assert ets.info(table, "size") == len(ets.tab2list(table)) == len(rows) + 1
                ets.delete(table)
                if not struck:
                    break
            assert not struck

    check()
