"""A census of a program's memory: which containers of modules are large, and how many objects of a type there are."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest.mock import patch

import gevent
import pytest

from runtime.introspection import wire
from runtime.introspection.measuring import memory_census
from runtime.introspection.measuring.memory_census import Census, MemoryCensus
from runtime.kernel.node import Node, this_node
from tests.support.in_node import in_node
from tests.support.trees import Observer


class Order:
    """What the program leaks."""


class Cache:
    """Has a container of its own."""

    shared: dict[str, int] = {}

    def __init__(self) -> None:
        self.entries: dict[int, str] = {}


class Guarded:
    """Runs code of the program's when its attributes are read."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError("code of the program was run")


@pytest.fixture
def shop() -> Iterator[ModuleType]:
    """Yield a module with containers."""
    module = ModuleType("shop")
    Cache.__module__ = "shop"
    vars(module).update(
        orders=[Order() for _ in range(50)],
        blobs=[bytearray(100_000) for _ in range(30)],
        many=list(range(100_000)),
        cache=Cache(),
        Cache=Cache,
        guarded=Guarded(),
    )
    sys.modules["shop"] = module
    yield module
    del sys.modules["shop"]
    Cache.__module__ = __name__


def census(node: Node) -> Census:
    """Take a census as the hub does, without a pause."""
    work = MemoryCensus(node)
    work._wanted = 1
    while work.step():
        pass
    work.close()
    result = work._result
    assert result is not None
    return result


@in_node
def _census_twice(module: ModuleType) -> None:
    before = census(this_node())
    assert before.containers["shop.orders"].length == 50
    assert 3_000_000 < before.containers["shop.blobs"].memory < 3_100_000
    assert before.containers["shop.many"].length == 100_000
    assert {"shop.cache.entries", "shop.Cache.shared"} <= before.containers.keys()
    assert not [place for place in before.containers if place.startswith(("shop.guarded", "runtime."))]
    module.orders.extend(Order() for _ in range(25))
    module.cache.entries[1] = "x"
    after = census(this_node())
    name = f"{__name__}.Order"
    assert after.types[name][0] - before.types[name][0] == 25
    assert after.containers["shop.orders"].length == 75
    assert after.containers["shop.cache.entries"].length == 1


def test_it_finds_the_containers_of_modules_their_classes_and_their_objects(
    shop: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_census, "LIMIT", 10_000_000)
    _census_twice(shop)


@in_node
def _bounded() -> None:
    found = census(this_node())
    assert not found.is_complete
    assert sum(count for count, _ in found.types.values()) < 10_000
    assert "shop.orders" in found.containers


def test_it_stops_at_a_limit_and_says_so(shop: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_census, "LIMIT", 1_000)
    _bounded()


@in_node
def test_an_observer_gets_the_largest_first_and_a_reason_when_the_hub_does_nothing() -> None:
    observer = Observer()
    with patch.object(MemoryCensus.take, "__defaults__", (600.0,)):  # there is much in a process that runs tests
        answer = gevent.get_hub().threadpool.apply(observer.ask, (wire.GetMemory(limit=20),))
    assert isinstance(answer, wire.Memory)
    assert len(answer.containers) == len(answer.types) == 20
    assert [each.memory for each in answer.types] == sorted((each.memory for each in answer.types), reverse=True)
    assert answer.rss > 1_000_000
    begun = time.monotonic()
    assert observer.node.census.take(within=0.05) is None, "asked in the hub, which cannot work meanwhile"
    assert time.monotonic() - begun < 10
    with patch.object(MemoryCensus.take, "__defaults__", (0.05,)):
        failed = observer.ask(wire.GetMemory(limit=20))
    assert isinstance(failed, wire.Failed)
    assert failed.why.startswith("It took longer than")
    assert "hub" not in failed.why, "that nothing holds"


@in_node
def test_a_census_that_was_stopped_begins_anew() -> None:
    census = MemoryCensus(this_node())
    census._wanted = 1
    for _ in range(5):
        assert census.step()
    census.stop()
    for _ in range(1_000_000):
        if not census.step():
            break
    assert census._result is not None
    census.close()
