"""The command that tells what grows, on a scripted node."""

from __future__ import annotations

import re

from observer.node import replies
from runtime.introspection import wire
from runtime.introspection.measuring import memory_census
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint

TIME = r"(\d+ms|[1-9][\d.ms]*\b)"
"""A span that is not given as ``0s``, however long it was."""


class Growing:
    """A node whose process holds a page more at every look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, query: wire.Query) -> wire.Answer:
        self.looks += 1
        pages = wire.Part(name="pages", kind="dict", size=10_000 * self.looks, items=self.looks)
        fresh = (wire.Part(name="log", kind="bytearray", size=50_000),) if self.looks > 1 else ()
        types = (wire.TypeCount(name="shop.Page", count=self.looks, memory=100 * self.looks),)
        if isinstance(query, wire.GetProcessMemory):
            return wire.ProcessMemory(
                memory=10_000 * self.looks, parts=(pages, *fresh), types=types, is_complete=self.looks != 2
            )
        if isinstance(query, wire.GetMemory):
            return wire.Memory(rss=1_000_000 * self.looks, types=types)
        self.looks -= 1
        return scripted(query)


def test_a_node_whose_hub_is_held_says_so_before_its_observer_gives_up() -> None:
    assert memory_census.WITHIN <= replies.ANSWER_TIMEOUT - 2


def test_the_parts_of_a_process_are_told_with_what_they_gained(observer: Command) -> None:
    node = Growing()
    with FakeEndpoint("chat", node) as endpoint:
        done = observer("memory", "chat", "lonely", "--for", "0")
    assert wire.GetProcessMemory(pid="<0.9.0>") in endpoint.asked
    assert done.status == 0
    assert re.search(rf"<0.9.0> holds about 20K: \+9.8K in {TIME}", done.out), "and not in 0s"
    rows = [line.split() for line in done.out.splitlines()]
    assert ["log", "bytearray", "new", "49K", "+49K"] in rows
    assert ["pages", "dict", "2", "+1", "20K", "+9.8K"] in rows
    assert rows.index(["log", "bytearray", "new", "49K", "+49K"]) < rows.index(
        ["pages", "dict", "2", "+1", "20K", "+9.8K"]
    )
    assert ["shop.Page", "2", "+1", "200B", "+100B"] in rows
    assert "only the nearest" in done.out


def test_the_same_for_programs(observer: Command) -> None:
    with FakeEndpoint("chat", Growing()):
        found = observer("memory", "0.9.0", "--for", "0", "--json").value
    assert (found["pid"], found["memory"], found["gained_memory"], found["complete"]) == (
        "<0.9.0>",
        20_000,
        10_000,
        False,
    )
    assert found["parts"][1] == {
        "name": "pages",
        "type": "dict",
        "items": 2,
        "memory": 20_000,
        "gained_items": 1,
        "gained_memory": 10_000,
    }
    assert found["parts"][0]["gained_memory"] is None, "the first look did not find it"


def test_without_a_process_it_is_the_program(observer: Command) -> None:
    with FakeEndpoint("chat", Growing()) as endpoint:
        for words in ([], ["chat"]):
            assert re.search(rf"The program takes \S+ \S+ in {TIME}", observer("memory", *words, "--for", "0").out)
    assert wire.GetMemory() in endpoint.asked


def test_a_process_that_holds_nothing_and_one_that_has_ended(observer: Command) -> None:
    with FakeEndpoint("chat", lambda query: wire.ProcessMemory(memory=900)):
        assert "no state, no dictionary" in observer("memory", "0.9.0", "--for", "0").out
    with FakeEndpoint(
        "chat", lambda query: wire.Failed(why="There is no process <0.9.0>: it has ended.", kind="noproc")
    ):
        done = observer("memory", "0.9.0", "--for", "0")
    assert done.status == 1
    assert "it has ended" in done.err
