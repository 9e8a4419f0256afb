"""Standard output while consoles are open: what a console's processes print goes to the console.

`sys.stdout` is replaced while there is a console, and put back when the last one has closed. Everything else that is
printed goes where it went before.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol, TextIO, cast

from runtime.introspection.console.transcript import Transcript
from runtime.kernel.node import current
from runtime.kernel.process import Process


class Reader(Protocol):
    """Whoever wants what some processes print."""

    transcript: Transcript

    def owns(self, process: Process | None) -> bool:
        """Return whether what the process prints is for this reader."""


class _Output:
    """Stands where `sys.stdout` stood."""

    def __init__(self, original: TextIO, readers: list[Reader]) -> None:
        self._original = original
        self._readers = readers

    def write(self, text: str) -> int:
        """Write a text to the console of the process that prints it, or to where it would have gone."""
        process = current()
        for reader in self._readers:
            if reader.owns(process):
                reader.transcript.write("output", str(text))
                return len(text)
        return self._original.write(text)

    def writelines(self, lines: Any) -> None:
        """Write texts one after another."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


class CapturedOutput:
    """The readers of what is printed. In the node's thread."""

    def __init__(self) -> None:
        self._readers: list[Reader] = []
        self._output: _Output | None = None

    def add(self, reader: Reader) -> None:
        """Begin to hand a reader what its processes print."""
        self._readers.append(reader)
        if self._output is None or sys.stdout is not cast(TextIO, self._output):
            self._output = _Output(sys.stdout, self._readers)
            sys.stdout = cast(TextIO, self._output)

    def remove(self, reader: Reader) -> None:
        """Stop handing a reader what its processes print. Does nothing for one that was not added."""
        if reader in self._readers:
            self._readers.remove(reader)
        if not self._readers and self._output is not None and sys.stdout is cast(TextIO, self._output):
            sys.stdout = self._output._original
            self._output = None


captured = CapturedOutput()
