"""Recordings for tests: of a node in memory, and of rows that are written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from observer.node.recorded.recording import RecordedFile
from observer.node.source import Source
from runtime.introspection import wire
from runtime.introspection.recording import files, kept_boxes
from runtime.introspection.recording.entries import AllRows, Entry, Figures, header_of
from runtime.introspection.recording.files import RecordingFile
from runtime.introspection.recording.looks import Looker, drive
from tests.support.welcome import welcome

WELCOME = welcome()


def stats_at(time: float) -> wire.NodeStats:
    """Return the figures of a node at a time."""
    return wire.NodeStats(name="shop", time=time, started_at=90.0, os_pid=7)


def figures_at(time: float, *events: wire.Event) -> Figures:
    """Return the figures of a look at which some events were new."""
    last = events[-1].id if events else 0
    return Figures(stats=stats_at(time), events=wire.Events(events=events, last=last))


def rows_named(*names: str) -> AllRows:
    """Return rows of processes under no supervisor."""
    rows = tuple(wire.Row(key=name, pid=f"<0.{number}.0>", name=name) for number, name in enumerate(names, 1))
    return AllRows(rows=rows, total=len(rows))


def written(path: Path, entries: Iterable[tuple[float, Entry]], ended: bool = True) -> Path:
    """Write a recording of these entries."""
    file = RecordingFile(path, header_of(WELCOME, "recording"), files.LARGEST_RECORDING)
    at = 0.0
    for at, entry in entries:
        file.add(at, entry)
    if ended:
        file.end(at, "its time was over")
    file.close()
    return path


def recorded(path: Path, source: Source, looks: int, between: Callable[[], object] = lambda: None) -> RecordedFile:
    """Look at a node so often and write it down; open that. `between` is called before each further look."""
    loop = asyncio.new_event_loop()
    looker, entries = Looker(), list[tuple[float, Entry]]()
    try:
        for number in range(looks):
            if number:
                between()
            made = drive(looker.look(), lambda query: loop.run_until_complete(source.ask(query)))
            entries += [(looker.time, entry) for entry in made]
    finally:
        loop.close()
    return RecordedFile(written(path, entries))


GONE = 4_194_300
"""The id of no process: it is past the greatest that Linux gives by default."""


def leave_black_box(why: str = "the program failed: boom", os_pid: int = GONE) -> None:
    """Leave a black box of a node called `shop`, with a process called ``ada``. The node has ended, unless told."""
    over = wire.Event(id=9, time=1.0, kind="report", message="the program ends: boom", ends_program=True)
    header = header_of(welcome(os_pid=os_pid), "black_box", why)
    entries: list[Entry] = [figures_at(1.0, over), rows_named("ada")]
    files.write_black_box(kept_boxes.place("shop", os_pid, None), header, entries, 1.0)
