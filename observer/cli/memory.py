"""The command that tells what grows: memory."""

from __future__ import annotations

import time
from typing import Annotated, TypeVar

import typer

from observer.cli import options, output, progress
from observer.node.client import Client
from runtime.introspection import wire

Look = TypeVar("Look", wire.Memory, wire.ProcessMemory)


def memory(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NODE] [PID]", autocompletion=options.complete_process, show_default=False),
    ] = None,
    seconds: Annotated[
        float, options.time_option("--for", most=3_600, default="5s", help="Look again after so long.")
    ] = 5.0,
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=1, max=1_000, help="Print so many of each.")
    ] = 15,
    json: options.AsJson = False,
) -> None:
    """Print what grew in a program's memory between two looks: variables of modules, and types of objects.

    With a PID: the parts of that process's state with their types and sizes, and what grew in them.

    Sizes are estimates from samples. The program keeps working: it is looked at a millisecond at a time, and none
    of its code is run.
    """
    from observer.cli import lookup
    from observer.output import memory_growth, process_memory

    node, who = lookup.split_optional(words or [])
    with lookup.dial(node) as client:
        if who is None:
            before, after, passed = _twice(client, wire.Memory, wire.GetMemory(), seconds)
            found = memory_growth.of_memory(before, after, passed, limit)
            output.show_json(found) if json else output.show(memory_growth.table(found))
        else:
            pid = lookup.pid_of(client, who)
            query = wire.GetProcessMemory(pid=pid)
            held = process_memory.of_looks(pid, *_twice(client, wire.ProcessMemory, query, seconds), limit)
            output.show_json(held) if json else output.show(process_memory.table(held))


def _twice(client: Client, kind: type[Look], query: wire.Query, seconds: float) -> tuple[Look, Look, float]:
    """Look, wait, and look again. Return both looks and the seconds between them."""
    with progress.busy(f"looking, and looking again after {seconds:g} s …"):
        before, begun = client.expect(kind, query), time.monotonic()
        time.sleep(seconds)
        return before, client.expect(kind, query), time.monotonic() - begun
