"""What the commands print of processes."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, RenderableType

from observer.output import tables
from runtime.introspection import wire

DOOR = wire.Row(key="door", pid="<0.4.0>", name="door", machine_state="locked", initial_call="house.Door.init")


def printed(what: RenderableType) -> str:
    console = Console(width=120, file=StringIO())
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_the_state_of_a_machine_is_printed_by_every_command_that_shows_it() -> None:
    assert "door locked" in printed(tables.processes([DOOR], 0.0))
    assert "locked" in printed(tables.tree("node", [DOOR], 0.0))
    assert "machine state  locked" in printed(tables.details(wire.Details(row=DOOR), 0.0))
