"""The observer of the soak run, a program of its own: looks on throughout, kills hogs, and sends garbage besides.

Reads ``hush``, ``go on`` and ``end`` from standard input and answers each with a line: while hushed it asks for nothing
and has no other connection than its own. The answer to ``end`` is what it did, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import select
import struct
import sys
from contextlib import suppress
from pathlib import Path

from runtime.introspection import wire
from tests.support.nodes import RawClient

QUESTIONS: tuple[wire.Query, ...] = (
    wire.GetTree(limit=60, sort="messages_in", descending=True),
    wire.GetProcesses(limit=60, sort="memory"),
    wire.GetProcesses(limit=60, group_by="initial_call"),
    wire.GetEvents(limit=200, after=-1),
)


class Watcher:
    """What the observer does, and how often it has done it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.client = RawClient(path)
        self.counts = {"answers": 0, "hogs killed": 0, "garbage": 0, "dropped": 0}

    def look(self) -> None:
        """Ask what a dashboard asks, and end who holds the hub."""
        try:
            answer = self.client.ask(wire.GetStats())
            assert isinstance(answer, wire.Stats)
            hog = answer.stats.hub_busy_with
            if hog is not None and (answer.stats.hub_busy_at or "").endswith("in handle_cast"):  # and no innocent
                self.counts["hogs killed"] += isinstance(self.client.ask(wire.Exit(pid=hog)), wire.Done)
            else:
                self.client.ask(random.choice(QUESTIONS))
            self.counts["answers"] += 2
        except (OSError, EOFError):
            self.counts["dropped"] += 1
            self.client = RawClient(self.path)

    def send_garbage(self) -> None:
        """Connect, send what is no frame or half of one, and go."""
        garbage = random.choice(
            (
                random.randbytes(200),
                b"",
                struct.pack(">I", 2**32 - 1) + b"x" * 1_000,
                wire.frame(wire.Hello())[:-2],
                wire.frame(wire.Hello()) + random.randbytes(50),
            )
        )
        with suppress(OSError), RawClient(self.path, hello=False) as client:
            client.write(garbage)
        self.counts["garbage"] += 1


def main() -> None:
    """Look on until told to end."""
    watcher = Watcher(Path(sys.argv[1]))
    hushed = False
    while True:
        if select.select([sys.stdin], [], [], 0.03)[0]:
            order = os.read(sys.stdin.fileno(), 100).decode().strip()
            if order in ("end", ""):
                print(json.dumps(watcher.counts), flush=True)
                return
            hushed = order == "hush"
            print(order, flush=True)
        if not hushed:
            watcher.look()
            watcher.send_garbage()


if __name__ == "__main__":
    main()
