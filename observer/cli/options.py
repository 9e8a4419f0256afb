"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer


def _node_names(incomplete: str) -> list[str]:
    from observer import discovery
    from runtime.introspection import address

    return [
        name for path in discovery.sockets() if (name := path.name.removesuffix(address.SUFFIX)).startswith(incomplete)
    ]


def _demo_names(incomplete: str) -> list[tuple[str, str]]:
    from observer import catalogue

    return [(demo.name, demo.summary) for demo in catalogue.demos() if demo.name.startswith(incomplete)]


Node = Annotated[
    str | None,
    typer.Argument(metavar="NODE", help="Name of the node; the only one when left out.", autocompletion=_node_names),
]
Demo = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Which demo; chat when left out.", autocompletion=_demo_names)
]
Words = Annotated[list[str], typer.Argument(metavar="[NODE] PID", autocompletion=_node_names, show_default=False)]
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
    typer.Option(
        "--time-slice", metavar="SECONDS", min=0.0005, max=10.0, help="No process holds the hub longer than this."
    ),
]
NoState = Annotated[bool, typer.Option("--no-state", help="Never show the state of servers.")]
