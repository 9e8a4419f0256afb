"""The commands that keep what a node is like now, and open what was kept: dump, open."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options
from observer.cli.errors import CommandError, WrongUsageError
from observer.text.safe_text import safe
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.node.client import Client

SECONDS = 2.0
"""Seconds for which the node is asked for what goes into the file."""

LOOK_EVERY = 0.5
"""Seconds between two looks for findings that show over time."""

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The file to write; else NODE-TIME.observed here."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def dump(
    node: options.Node = None,
    output: Output = None,
    seconds: Annotated[
        float, options.time_option("--for", most=60, default="4.5s", help="Look for findings for so long first.")
    ] = 4.5,
    force: Force = False,
) -> None:
    """Write a black box: one file with all that can be seen of a node now. 'observer open FILE' shows it.

    It has the tree, processes with their mailboxes and stacks, the last 10,000 events, findings, names and versions.
    Up to twenty servers are asked for their states, by a message each. Writing takes two seconds at most, and the file
    has 32 MB at most and is readable by you alone.
    """
    from observer.cli import lookup
    from runtime.introspection.recording import files, looks
    from runtime.introspection.recording.entries import header_of

    with lookup.dial(node) as client:
        path = output or default_path(client.name)
        check_free(path, force)
        _find(client, 0.0 if client.is_recorded else seconds)
        stats = client.expect(wire.Stats, wire.GetStats()).stats
        header = header_of(client.welcome, "black_box", "asked for with 'observer dump'")
        try:
            files.write_black_box(path, header, looks.black_box(client.ask, SECONDS, state=True), stats.time)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from None
    print(path)


def default_path(node: str) -> Path:
    """Return where to write what is kept of a node, unless the user says."""
    called = Path(node).stem if "/" in node else node
    return Path(f"{called}-{time.strftime('%Y%m%d-%H%M%S')}.observed")


def check_free(path: Path, force: bool) -> None:
    """Raise `CommandError` when a file must not be written there."""
    if path.is_dir():
        raise WrongUsageError(f"{path} is a folder: name a file.")
    if not force and os.path.lexists(path):
        raise CommandError(f"{path} exists: choose another name with -o, or say --force to replace it.")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"There is no folder {path.absolute().parent}.")


def _find(client: Client, seconds: float) -> None:
    """Have the node look for what is wrong, and measure memory; both show only over time, while it is asked."""
    until = time.monotonic() + seconds
    while True:
        client.ask(wire.GetLints())  # a BEAM node is not searched for it
        client.expect(wire.Window, wire.GetTree(limit=wire.MAX_ROWS))
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(LOOK_EVERY, left))


def open_(
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="A recording; or a node that has ended; the last black box when left out."),
    ] = None,
) -> None:
    """Open the dashboard on a black box or a recording, with all views. Nothing can be done to what is over."""
    open_recording(file)


def open_recording(file: str | None, at_the_beginning: bool = False) -> None:
    """Open the dashboard on a recording, at its end or at its beginning."""
    from observer.cli import lookup
    from observer.cli.watching import require_terminal, settings_of
    from observer.dashboard import watch
    from observer.node.recorded.node import RecordedNode
    from observer.node.recorded.recording import RecordedFile

    path = path_of(file)
    with lookup.opening(path) as progress:
        opened = RecordedFile(path, progress)
    with opened as recording:
        require_terminal(f"observer diagnose {path}")
        status = watch(RecordedNode(recording, at_the_beginning), settings_of(read_only=False))
    if status:
        raise typer.Exit(status)


def path_of(file: str | None) -> Path:
    """Return the path of a recording that was named, or of the last black box. Raises `CommandError`."""
    from runtime.introspection.recording import kept_boxes

    if file is not None and Path(file).exists():
        return Path(file)
    box = None if file is not None and "/" in file else kept_boxes.find(file)
    if box is not None:
        return box.path
    if file is None:
        raise CommandError(f"No node has left a black box in {kept_boxes.folder()}. 'observer dump NODE' writes one.")
    raise CommandError(f"There is no file {safe(file)}, and no node of that name has left a black box.")
