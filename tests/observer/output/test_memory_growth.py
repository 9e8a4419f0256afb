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


def test_what_gained_most_comes_first_and_what_is_new_has_no_gain() -> None:
    other = wire.Container(place="shop.names", type="dict", length=9, memory=10**9)
    found = of_memory(look(10_000_000, 10), look(12_000_000, 30, other), 5.0, 10)
    assert found.gained_rss == 2_000_000
    assert [(each.place, each.gained_length, each.gained_memory) for each in found.containers] == [
        ("shop.orders", 20, 2_000),
        ("shop.names", None, None),
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


def test_where_nothing_grew_that_is_said() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(table(of_memory(look(1, 1), look(1, 1), 5.0, 10)))
    assert "has grown" in out.getvalue()
