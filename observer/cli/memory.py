"""The command that tells what grows: memory."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from observer.cli import options, output, progress
from runtime.introspection import wire


def memory(
    node: options.Node = None,
    seconds: Annotated[
        float, typer.Option("--for", metavar="SECONDS", min=0, max=3_600, help="Seconds between the two looks.")
    ] = 5.0,
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=1, max=1_000, help="Print so many of each.")
    ] = 15,
    json: options.AsJson = False,
) -> None:
    """Print what grew in a program's memory between two looks: variables of modules, and types of objects.

    Sizes are estimates from samples. The program works on meanwhile: it is looked at a millisecond at a time.
    """
    from observer.cli import lookup
    from observer.output import memory_growth

    with lookup.dial(node) as client:
        with progress.busy(f"looking, and looking again after {seconds:g} s …"):
            before, begun = client.expect(wire.Memory, wire.GetMemory()), time.monotonic()
            time.sleep(seconds)
            after = client.expect(wire.Memory, wire.GetMemory())
        found = memory_growth.of_memory(before, after, time.monotonic() - begun, limit)
    output.show_json(found) if json else output.show(memory_growth.table(found))
