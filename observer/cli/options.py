"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from observer.cli import completion
from observer.text import quantity

OFFERED = 200
"""How many processes of a node are looked at for names that complete."""


def _node_names(incomplete: str) -> list[str]:
    from observer.node import discovery
    from runtime.introspection import address

    return [
        name for path in discovery.sockets() if (name := path.name.removesuffix(address.SUFFIX)).startswith(incomplete)
    ]


def complete_process(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a node, or the name of a process there."""
    before = ctx.params.get("words") or []
    nodes = _node_names("")
    if before and before[0] in nodes:
        return _process_names(before[0], incomplete) if len(before) == 1 else []
    found = _node_names(incomplete) if not before else []
    return found + (_process_names(nodes[0], incomplete) if len(nodes) == 1 and not before else [])


def complete_processes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a node, or the name of a process after others."""
    before = ctx.params.get("words") or []
    nodes = _node_names("")
    if before and before[0] in nodes:
        return _process_names(before[0], incomplete)
    found = _node_names(incomplete) if not before else []
    return found + (_process_names(nodes[0], incomplete) if len(nodes) == 1 else [])


def _process_names(node: str, incomplete: str) -> list[str]:
    from observer.cli import lookup
    from observer.node.client import NodeRefusedError
    from observer.node.discovery import NodeNotFoundError
    from observer.node.source import NodeLostError

    try:
        with lookup.dial(node) as client:
            rows = lookup.processes(client, sort="name", limit=OFFERED)
            names = {name for row in rows for name in (row.registered_name or "", row.name)}
    except (NodeLostError, NodeRefusedError, NodeNotFoundError):
        return []  # a key that completes is no place to complain
    return completion.offered(names, incomplete)


def _demo_names(incomplete: str) -> list[tuple[str, str]]:
    from observer.cli import demos

    return [(demo.name, demo.summary) for demo in demos.demos() if demo.name.startswith(incomplete)]


def _seconds(least: float, most: float) -> Callable[[object], float]:
    def read(typed: object) -> float:
        from observer.text import units

        try:
            found = quantity.seconds(str(typed))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        if not least <= found <= most:
            allowed = f"at least {least:g}s" if found < least else f"at most {units.duration(most)}"
            raise typer.BadParameter(f"{typed} is not allowed; it should be {allowed}")
        return found

    return read


def time_option(*names: str, help: str, least: float = 0.0, most: float = quantity.LONGEST, default: str = "") -> Any:
    """Return an option for a length of time such as ``90``, ``90s``, ``1.5m``, ``500ms`` or ``2h``.

    Its value is in seconds, from `least` to `most`. `default` is how the help shows what it is when left out.
    """
    left_out = f"; {default} when left out" if default else ""
    return typer.Option(
        *names,
        metavar="TIME",
        parser=_seconds(least, most),
        help=f"{help} Such as 500ms, 90s, 5m or 2h{left_out}.",
        show_default=False,
    )


Node = Annotated[
    str | None,
    typer.Argument(metavar="NODE", help="Name of the node; the only one when left out.", autocompletion=_node_names),
]
NodeOrProgram = Annotated[
    str | None,
    typer.Argument(
        metavar="NODE",
        help="Name of a node, or of a program for all its workers; the only one when left out.",
        autocompletion=_node_names,
    ),
]
Demo = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Which demo; chat when left out.", autocompletion=_demo_names)
]
Word = Annotated[list[str], typer.Argument(metavar="[NODE] PID", autocompletion=complete_process, show_default=False)]
Words = Annotated[
    list[str], typer.Argument(metavar="[NODE] PID...", autocompletion=complete_processes, show_default=False)
]
Cluster = Annotated[bool, typer.Option("--cluster", help="Take in the processes of all other nodes of its cluster.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Filter = Annotated[
    str, typer.Option("--filter", "-f", metavar="EXPR", help="Text, or fields such as 'mailbox>100 and sup~pool'.")
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Refuse everything that would change the program.")]
NodeName = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="What to call the node; made from the program's name.")
]
TimeSlice = Annotated[
    float | None,
    time_option("--time-slice", least=0.0005, most=10.0, help="No process holds the hub longer than this."),
]
DistributedAs = Annotated[
    str | None,
    typer.Option(
        "--node",
        metavar="NAME",
        help="The name by which other nodes reach it, Erlang's too: shop@127.0.0.1.",
    ),
]
CookieFile = Annotated[
    str | None,
    typer.Option("--cookie-file", metavar="FILE", help="With --node: the file of the cookie, not ~/.erlang.cookie."),
]
BeamCookieFile = Annotated[
    str | None,
    typer.Option("--cookie-file", metavar="FILE", help="The file of its cookie, not ~/.erlang.cookie."),
]
NoState = Annotated[
    bool, typer.Option("--no-state", help="Never show what processes hold: states, dictionaries, messages.")
]

NoExceptionTexts = Annotated[
    bool, typer.Option("--no-exception-texts", help="Never show what exceptions and exit reasons say.")
]
