"""The command that tells what processes wait for: waits."""

from __future__ import annotations

from typing import Annotated

import typer

from observer.cli import options, output
from observer.cli.errors import say
from observer.text.safe_text import safe
from runtime.introspection import wire


def waits(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NODE] [PID]", autocompletion=options.complete_process, show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that wait for a message.")] = False,
    json: options.AsJson = False,
) -> None:
    """Print what processes wait for: whose reply, a lock and its owner, a socket, a timer; to the end of the chain.

    Exits with 1 when some wait for each other in a cycle.
    """
    from observer.cli import lookup
    from observer.output import waits as drawn

    node, who = lookup.split_optional(words or [])
    with lookup.dial(node) as client:
        pid = None if who is None else lookup.pid_of(client, who)
        found = client.expect(wire.Waits, wire.GetWaits(pid=pid, all=everything))
        stats = client.expect(wire.Stats, wire.GetStats()).stats
    if json:
        output.show_json([drawn.of_wait(wait) for wait in found.waits])
    elif not found.waits:
        print("It does not wait." if pid is not None else "No process waits for anything but its next message.")
    else:
        output.show(drawn.table(found.waits))
        if found.total > len(found.waits):
            print(f"... and {found.total - len(found.waits):,} more.")
    if stats.hub_busy_at is not None:
        holder = "something that is no process" if stats.hub_busy_with in (None, "?") else stats.hub_busy_with
        say(f"observer: All wait for the hub: {holder} holds it, at {safe(stats.hub_busy_at)}.")
    if any(wait.cycle for wait in found.waits):
        raise typer.Exit(1)
