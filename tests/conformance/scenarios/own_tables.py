"""Group E, our own: tables that processes own. The BEAM's side is `beam/tables.erl`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import ANY, ets, flag, flush, self_
from tests.conformance.harness import Log, ask, attempt, idle, kill, settle


def _kind(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return attempt(function, *args, **options)[0]


def _true(function: Callable[..., Any], *args: Any) -> bool:
    """OTP's answer where ours returns None."""
    return function(*args) is None


def e01_sets(log: Log) -> None:
    t = ets.new("t")
    insert, delete, remove = (partial(_true, f, t) for f in (ets.insert, ets.delete, ets.delete_object))
    log("insert", insert(("a", 1)), insert([("b", 2), ("c", 3)]), ets.lookup(t, "a"), ets.lookup(t, "z"))
    log("replace", insert(("a", 10)), ets.lookup(t, "a"))
    several = [("e", 5), ("a", 6)]
    log("insert_new", *(ets.insert_new(t, new) for new in (("a", 11), ("d", 4), several)))
    log("member", ets.member(t, "d"), ets.member(t, "e"))
    log("all", sorted(ets.tab2list(t)), ets.info(t, "size"))
    log("delete", delete("b"), delete("b"), remove(("c", 99)), remove(("c", 3)))
    log("left", sorted(ets.tab2list(t)))
    log("take", ets.take(t, "a"), ets.take(t, "a"))
    log("element", ets.lookup_element(t, "d", 1), _kind(ets.lookup_element, t, "zz", 1))
    log("delete_all", _true(ets.delete_all_objects, t), ets.tab2list(t), ets.first(t) or "$end_of_table")
    log("wrong", [_kind(ets.insert, t, wrong) for wrong in (7, ())])
    log("delete_table", _true(ets.delete, t), ets.info(t), _kind(ets.lookup, t, "a"))
    ets.new("named", named=True)
    log("named", "named", _true(ets.insert, "named", ("k", "v")), ets.lookup("named", "k"), ets.info("named", "name"))
    log("taken", _kind(ets.new, "named", named=True))
    ets.delete("named")
    log("free", ets.whereis("named"), ets.new("named", named=True).name)
    second = ets.new("t", keypos=1)
    ets.insert(second, ("v", "k"))
    log("keypos", ets.lookup(second, "k"), ets.lookup(second, "v"))


def e02_bags_and_orders(log: Log) -> None:
    b = ets.new("b", "bag")
    ets.insert(b, [("k", 1), ("k", 2), ("k", 1), ("j", 1)])
    log("bag", ets.lookup(b, "k"), ets.info(b, "size"))
    log("bag_new", ets.insert_new(b, ("k", 3)), ets.insert_new(b, ("i", 3)))
    ets.delete_object(b, ("k", 1))
    log("bag_left", ets.lookup(b, "k"))
    d = ets.new("d", "duplicate_bag")
    ets.insert(d, [("k", 1), ("k", 2), ("k", 1)])
    log("duplicate_bag", ets.lookup(d, "k"), ets.info(d, "size"), ets.lookup_element(d, "k", 1))
    ets.delete_object(d, ("k", 1))
    log("duplicate_bag_left", ets.lookup(d, "k"))
    log("take", ets.take(d, "k"), ets.member(d, "k"))
    o = ets.new("o", "ordered_set")
    ets.insert(o, [(3, "c"), (1, "a"), (2, "b")])
    log("ordered", ets.tab2list(o), ets.first(o), ets.last(o))
    log("walk", ets.next(o, 1), ets.prev(o, 3), ets.next(o, 3) is None, ets.prev(o, 1) is None)
    log("between", ets.next(o, 0), ets.prev(o, 9))
    ets.delete(o, 2)
    log("gap", ets.next(o, 1), ets.next(o, 2))


def e03_owners_and_heirs(log: Log) -> None:
    flag(trap_exit=True)
    a, b = idle("a"), idle("b")

    def make(access: Any = "protected", heir: Any = None, give: Any = None) -> ets.Table:
        table = ets.new("t", access=access, heir=heir)
        ets.insert(table, ("k", 1))
        if give is not None:
            ets.give_away(table, give, "hello")
        return table

    tables = {access: ask(a, partial(make, access)) for access in ("public", "protected", "private")}
    for access, t in tables.items():
        log(access, _kind(ets.lookup, t, "k"), _kind(ets.insert, t, ("k", "w")), _kind(ets.delete, t))
    log("owner", ask(a, lambda: ets.info(tables["protected"], "owner")))
    kill(a)
    settle()
    log("gone", [_kind(ets.lookup, tables[access], "k") for access in ("protected", "private")])
    given = ask(b, partial(make, give=self_()))

    def transfers(wanted: ets.Table) -> list[Any]:
        return [message[2:] for message in flush() if message[0] == "ETS-TRANSFER" and message[1] is wanted]

    log("given", transfers(given), ets.info(given, "owner"))
    log("to_oneself", _kind(ets.give_away, given, self_(), "x"))
    inherited = ask(b, partial(make, heir=(self_(), "legacy")))
    log("heir", ets.info(inherited, "heir"))
    kill(b)
    settle()
    log("inherited", transfers(inherited), ets.lookup(inherited, "k"))
    log("owner_now", ets.info(inherited, "owner"), _true(ets.insert, inherited, ("k", 2)))
    dead, c = idle("dead"), idle("c")
    lost = ask(c, partial(make, "public", heir=(dead, "x")))
    kill(dead)
    kill(c)
    settle()
    log("a_dead_heir", ets.info(lost))


def e04_counters_and_elements(log: Log) -> None:
    t = ets.new("t")
    ets.insert(t, ("n", 5, 10))
    count = partial(ets.update_counter, t, "n")
    log("add", count(3), count(-4), count((2, 7)))
    log("bound", count((1, 10, 9, 0)), count((1, -5, -3, 100)))
    log("within", count((1, 1, 1000, 0)))
    log("several", count([(1, 1), (2, -1)]))
    log("default", ets.update_counter(t, "new", 2, ("new", 40)), ets.lookup(t, "new"))
    log("none", _kind(ets.update_counter, t, "none", 1))
    ets.insert(t, ("text", "x"))
    log("no_number", _kind(ets.update_counter, t, "text", 1))
    log("no_place", _kind(count, (8, 1)))
    log("the_key", _kind(count, (0, 1)))
    update = partial(ets.update_element, t, "n")
    log("element", update((1, "y")), update([(1, "z"), (2, "w")]), ets.lookup(t, "n"))
    log("no_element", ets.update_element(t, "nobody", (1, "y")), _kind(update, (0, "m")))


def e05_matches(log: Log) -> None:
    t = ets.new("t", "ordered_set")
    rows = [(1, "ann", 30), (2, "bob", 40), (3, "cat", 30), (4, ("bob", "x"), 40), (5, "same", "same")]
    ets.insert(t, rows)
    match = partial(ets.match, t)
    log("match", match(("$1", ANY, 30)), match((ANY, "$2", 40)), match((9, ANY, ANY)))
    log("order_of_variables", match(("$2", "$1", 30)))
    log("twice", match((ANY, "$1", "$1")), match(("$1", ("bob", "$2"), ANY)))
    log("match_object", ets.match_object(t, (ANY, ANY, 30)))
    log("no_variables", match((ANY, ANY, 40)))
    log("select", ets.select(t, (ANY, ANY, ANY), lambda n, *_: n > 2, lambda n, name, *_: name))
    log("count", ets.select_count(t, (ANY, ANY, 30)))
    log("match_delete", ets.select_delete(t, (ANY, ANY, 40)) == 2, ets.info(t, "size"))
    log("select_delete", ets.select_delete(t, (ANY, ANY, 30)), ets.tab2list(t))
