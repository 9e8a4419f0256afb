"""What grew between two looks at a program's memory."""

from __future__ import annotations

import io

from rich.console import Console

from observer.output.memory_growth import of_memory, table
from runtime.introspection import wire


def look(rss: int, orders: int, *more: wire.Container) -> wire.Memory:
    own = wire.Container(place="shop.orders", type="list", length=orders, memory=orders * 100)
    types = (wire.TypeCount(name="shop.Order", count=orders, memory=orders * 64),)
    return wire.Memory(rss=rss, containers=(own, *more), types=types)


def test_what_gained_most_comes_first_and_of_what_is_new_all_counts() -> None:
    other = wire.Container(place="shop.names", type="dict", length=9, memory=10**9)
    found = of_memory(look(10_000_000, 10), look(12_000_000, 30, other), 5.0, 10)
    assert found.gained_rss == 2_000_000
    assert [(each.place, each.gained_length, each.gained_memory) for each in found.containers] == [
        ("shop.names", None, None),
        ("shop.orders", 20, 2_000),
    ]
    assert (found.types[0].count, found.types[0].gained_count) == (30, 20)
    assert found.complete


def test_the_table_names_what_grew_and_makes_it_safe() -> None:
    evil = wire.Container(place="shop.\x1b[2Jx", type="list", length=1, memory=100)
    more = wire.Container(place="shop.\x1b[2Jx", type="list", length=2, memory=20_000)
    out = io.StringIO()
    Console(file=out, width=120).print(table(of_memory(look(1, 1, evil), look(2, 5_000, more), 5.0, 10)))
    text = out.getvalue()
    assert "shop.orders" in text
    assert "+4,999" in text
    assert "\x1b" not in text


def test_a_container_that_came_between_the_two_looks_is_shown_as_new() -> None:
    cache = wire.Container(place="shop.cache", type="dict", length=9, memory=30_000)
    out = io.StringIO()
    Console(file=out, width=120).print(table(of_memory(look(1, 1), look(2, 1, cache), 5.0, 10)))
    (line,) = [line for line in out.getvalue().splitlines() if "shop.cache" in line]
    assert line.split() == ["shop.cache", "dict", "9", "new", "29K", "+29K"]


def test_where_nothing_grew_that_is_said() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(table(of_memory(look(1, 1), look(1, 1), 5.0, 10)))
    assert "has grown" in out.getvalue()
