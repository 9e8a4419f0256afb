"""What a process holds, and what grew between two looks."""

from __future__ import annotations

import io

from rich.console import Console

from observer.output.process_memory import of_looks, table
from runtime.introspection import wire


def look(size: int, *more: wire.Part) -> wire.ProcessMemory:
    pages = wire.Part(name="pages", kind="dict", size=size, items=size // 1_000)
    return wire.ProcessMemory(memory=size + 500, parts=(pages, *more))


def drawn(before: wire.ProcessMemory, after: wire.ProcessMemory) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(table(of_looks("<0.9.0>", before, after, 5.0, 10)))
    return out.getvalue()


def test_what_grew_comes_first_and_then_the_largest() -> None:
    log, name = wire.Part(name="log", kind="bytearray", size=9_000), wire.Part(name="name", kind="str", size=50)
    found = of_looks("<0.9.0>", look(1_000, name, log), look(3_000, name, log), 5.0, 2)
    assert [(part.name, part.gained_memory, part.gained_items) for part in found.parts] == [
        ("pages", 2_000, 2),
        ("log", 0, None),
    ]
    assert found.gained_memory == 2_000


def test_the_names_of_parts_are_made_safe() -> None:
    evil = wire.Part(name="a['\x1b[2J']", kind="\x1b]0;x", size=70_000)
    text = drawn(look(1_000), look(1_000, evil))
    assert "\x1b" not in text
    (line,) = [line for line in text.splitlines() if "a['" in line]
    assert line.split()[-3:] == ["new", "68K", "+68K"]
