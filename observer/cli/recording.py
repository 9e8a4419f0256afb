"""The commands that record a node over time, and show what was recorded: record, replay."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options
from observer.cli.black_box import Force, Output, check_free, default_path, open_recording
from observer.cli.errors import CommandError, WrongUsageError, say
from observer.text import units
from runtime.introspection.recording.files import LARGEST_RECORDING

if TYPE_CHECKING:
    from observer.node.client import Client
    from runtime.introspection.recording.files import RecordingFile
    from runtime.introspection.recording.looks import Looker

SHARE = 0.05
"""The share of its time that a node may work for this: a large one is looked at less often."""

MEGABYTE = 1 << 20


def record(
    node: options.Node = None,
    output: Output = None,
    length: Annotated[
        float | None, options.time_option("--for", least=0.001, help="Record for so long; until ctrl-c when left out.")
    ] = None,
    every: Annotated[
        float, options.time_option("--every", least=0.2, most=600, default="1s", help="Look once in so long.")
    ] = 1.0,
    limit: Annotated[
        int, typer.Option("--limit", metavar="MB", min=1, max=4_096, help="End when the file has so many megabytes.")
    ] = LARGEST_RECORDING // MEGABYTE,
    state: Annotated[
        bool, typer.Option("--state", help="Ask servers for their states, too, by a message each.")
    ] = False,
    force: Force = False,
) -> None:
    """Record a node into a file. 'observer replay FILE' shows it as it was, with all views.

    It ends at the end of the time, at ctrl-c, when the node ends, and when the file is full: of 64 MB, unless told
    otherwise. A file that is cut short can be replayed as far as it goes. It takes a twentieth of the
    node's time at most.
    """
    from observer.cli import lookup
    from runtime.introspection.recording.entries import header_of
    from runtime.introspection.recording.files import RecordingFile
    from runtime.introspection.recording.looks import Looker

    with lookup.dial(node) as client:
        if client.is_recorded:
            raise WrongUsageError("A recording cannot be recorded: name a node that runs.")
        path = output or default_path(client.name)
        check_free(path, force)
        try:
            file = RecordingFile(path, header_of(client.welcome, "recording"), limit * MEGABYTE, replaces=force)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from None
        recorder = _Recorder(client, file, Looker(state=state), every)
        why = recorder.run(None if length is None else time.monotonic() + length)
    looks = "1 look" if recorder.looks == 1 else f"{recorder.looks:,} looks"
    say(f"observer: {looks} in {units.size(file.size)}; ended: {why}.")
    print(path)
    if recorder.failed:
        raise typer.Exit(1)


class _Recorder:
    """Looks at a node and writes what it sees, until there is a reason to end."""

    def __init__(self, client: Client, file: RecordingFile, looker: Looker, every: float) -> None:
        self._client = client
        self._file = file
        self._looker = looker
        self._every = every
        self.looks = 0
        self.failed = False
        """Whether the file could not be written to its end."""

    def run(self, until: float | None) -> str:
        """Record up to a moment (monotonic), or without an end; return why it has ended."""
        begun = time.monotonic()
        before = signal.signal(signal.SIGTERM, _as_interrupt)
        try:
            why = self._run(begun, until)
        except KeyboardInterrupt:
            why = "stopped by its user"
        finally:
            signal.signal(signal.SIGTERM, before)
            self._progress(None)
        with suppress(OSError):
            self._file.end(self._looker.time, why)
        return why

    def _run(self, begun: float, until: float | None) -> str:
        from observer.node.source import NodeLostError
        from runtime.introspection.recording.files import FileFullError
        from runtime.introspection.recording.looks import drive

        while True:
            started = time.monotonic()
            try:
                for entry in drive(self._looker.look(), self._client.ask):
                    self._file.add(self._looker.time, entry)
            except NodeLostError:
                return "the node has ended"
            except FileFullError:
                return "the file is full"
            except OSError as error:
                self.failed = True
                return f"the file could not be written: {error.strerror or error}"
            self.looks += 1
            present = time.monotonic()
            self._progress(present - begun)
            pause = max(0.0, self._looker.pause(self._every, SHARE) - (present - started))
            if until is not None and present + pause > until:
                time.sleep(max(0.0, until - present))
                return "its time was over"
            time.sleep(pause)

    def _progress(self, seconds: float | None) -> None:
        """Say on a terminal how far it is; None takes that away."""
        if not sys.stderr.isatty():
            return
        told = (
            ""
            if seconds is None
            else (f"recording {units.duration(seconds)}, {units.size(self._file.size)}; ctrl-c ends it")
        )
        print(f"\r\x1b[2K{told}", end="", file=sys.stderr, flush=True)


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What 'observer record' has written.")],
) -> None:
    """Open the dashboard on a recording. '[' and ']' step, the mouse drags, '{' and '}' go to failures, space plays."""
    open_recording(file, at_the_beginning=True)
