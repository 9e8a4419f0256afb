"""Makes the pictures of this folder: drives the real dashboard on real demos and writes what it shows as SVG.

``.venv/bin/python screenshots/make.py [NAME ...]`` makes the pictures of these names, or all of them. Each demo is
started as ``observer demo`` starts it and left to work for some seconds, so that there is something to see.
The demos are reached through links in a folder of their own, whose name is replaced by another one of the same length,
so that no picture shows where somebody keeps the project.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
STAGE, SHOWN = Path(f"/tmp/{secrets.token_hex(2)}"), "/srv/shop"
"""Where the demos are while pictures are taken, and what the pictures say instead: lines break alike."""

sys.path.insert(0, str(FOLDER.parent))

from observer.app import ObserverApp  # noqa: E402  # the path comes first
from observer.model.settings import Settings  # noqa: E402
from observer.node.child import Child, ChildNode  # noqa: E402
from observer.node.client import Client  # noqa: E402
from observer.node.recorded.node import RecordedNode  # noqa: E402
from observer.node.recorded.recording import RecordedFile  # noqa: E402
from observer.node.recorded.seen import remembering  # noqa: E402
from observer.node.source import Source  # noqa: E402
from observer.patches.svg import portable  # noqa: E402
from runtime.introspection import wire  # noqa: E402
from runtime.introspection.recording import files, looks  # noqa: E402
from runtime.introspection.recording.entries import header_of  # noqa: E402
from screenshots.moving import Frame, moving_picture  # noqa: E402
from screenshots.printed import picture_of, picture_of_agent  # noqa: E402
from tests.support.shown import shown  # noqa: E402


@dataclass(frozen=True)
class Until:
    """Waits until a text stands on the screen: on a busy machine a demo takes its time. Raises `TimeoutError`."""

    text: str
    seconds: float = 120.0

    async def wait(self, app: ObserverApp) -> None:
        """Look at the screen again and again."""
        async with asyncio.timeout(self.seconds):
            while self.text not in shown(app):
                await asyncio.sleep(0.1)


@dataclass(frozen=True)
class Picture:
    """One picture: what the demo is, and what is done before it is taken.

    `script` holds keys to press and, as numbers, seconds to wait between them.
    """

    demo: str
    script: tuple[str | float | Until, ...]
    size: tuple[int, int] = (120, 34)
    theme: str = "observer-dark"
    opened: float = 0.0
    """Seconds after which a black box of the demo is written, which is shown instead of the demo."""


ADA = ("j", "j", "j")
"""From the top of the chat's tree down to Ada."""

KILL = ("x", 0.6, "enter")

LINES = ("pid = spawn(lambda: print('Hello'))", "alive(pid)", "send(self_(), ('ping', pid))", "flush()", "tree()")

CONSOLE = tuple(key for line in LINES for key in (*line, "enter", 1.0))
"""What is typed into the console."""

SPANS = (
    "from collections import Counter",
    "from runtime import spans",
    "from opentelemetry.sdk.trace import TracerProvider",
    "from opentelemetry.sdk.trace.export import SimpleSpanProcessor",
    "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter",
    "provider, seen = TracerProvider(), InMemorySpanExporter()",
    "provider.add_span_processor(SimpleSpanProcessor(seen))",
    "spans.start(provider)",
)
"""What is typed to have spans made in a program that runs."""

COUNTED = "Counter(each.name for each in seen.get_finished_spans()).most_common(5)"

PICTURES = {
    "tree": Picture("chat", (8.0, *ADA, *KILL, 1.2)),
    "light": Picture("chat", (8.0, *ADA, *KILL, 1.2), theme="observer-light"),
    "before-a-kill": Picture("strategies", (4.0, *"jjjjjjj", "x", 0.8)),
    "processes": Picture("overload", (12.0, "2", 1.5)),
    "process": Picture("chat", (8.0, *ADA, *KILL, 3.0, "enter", 2.0), size=(120, 40)),
    "events": Picture("crash_loop", (32.5, "4", 0.5, "f", 0.5, "k", 1.0)),
    "node": Picture("leak", (30.0, "5", 2.0), size=(120, 40)),
    "names": Picture("chat", (4.0, "6", 1.5)),
    "console": Picture("chat", (6.0, "8", 1.0, *CONSOLE, 1.5)),
    "spans": Picture(
        "web_shop",
        (6.0, "8", 1.0, *(key for line in SPANS for key in (*line, "enter", 1.0)), 9.0, *COUNTED, "enter", 1.5),
    ),
    "cluster": Picture("cluster", (9.0, "7", 1.0, *KILL, 0.8)),
    "trace": Picture("chat", (6.0, "T", 9.0, *"kkkkkk", 0.5)),
    "chaos": Picture("swarm", (4.0, "c", 0.5, "tab", "ctrl+a", "ctrl+k", *"20s", "enter", 9.0)),
    "help": Picture("chat", (3.0, "question_mark", 0.5)),
    "small": Picture("overload", (14.0, "j", "j", 1.0), size=(80, 24)),
    "crash-loop": Picture("crash_loop", (14.0, "j", "j", 1.0)),
    "leak": Picture("leak", (25.0, Until("memory of cache"), "j", "enter", 2.5), size=(120, 40)),
    "hog": Picture("hog", (Until("HUB STUCK"), 0.8)),
    "deadlock": Picture("deadlock", (Until("Deadlock: "), 3.0, "5", 1.5), size=(120, 40)),
    "greenlets": Picture("plain", (12.5, "j", "j", 1.5)),
    "rewound": Picture("crash_loop", (22.0, *["left_square_bracket"] * 6, 1.5)),
    "black-box": Picture("deadlock", (2.0, "j", "j", 1.5), opened=20.0),
    "escalation": Picture("strategies", (9.0, "G", 1.0, "k", 1, "X", 2, "X", 2, "enter", 2, "4", 1, "f", 1)),
}


class Printed(NamedTuple):
    """One picture of what a command prints about a demo that has run for some seconds."""

    demo: str
    words: tuple[str, ...]
    """The command, and what stands behind the name of the node."""
    after: float
    columns: int = 110


PRINTED = {
    "waits": Printed("deadlock", ("waits",), 12.0),
    "memory": Printed("leak", ("memory", "cache", "--for", "4"), 6.0, 100),
    "metrics": Printed("crash_loop", ("metrics",), 8.0),
    "mcp": Printed("deadlock", ("mcp", "findings"), 13.0),
}
"""What commands print. That of ``mcp`` is the answer of a tool, as an agent gets it."""


class Shot(NamedTuple):
    """One frame of the moving picture: a key to press, for how long to wait, what is written above, seconds shown."""

    key: str | None
    wait: float
    caption: str
    seconds: float


TOUR = (
    Shot(None, 8.0, "observer demo chat", 2.5),
    Shot("j", 0.3, "j", 0.4),
    Shot("j", 0.3, "j", 0.4),
    Shot("j", 1.0, "j: Ada, a client", 1.5),
    Shot("x", 1.0, "x: what would a kill do?", 3.0),
    Shot("enter", 0.25, "enter: kill her", 0.6),
    Shot(None, 0.6, "enter: kill her", 0.8),
    Shot(None, 1.5, "killed, and restarted by her supervisor", 3.0),
    Shot("enter", 1.5, "enter: all about Ada", 3.0),
    Shot("4", 1.2, "4: what happened, and why", 3.0),
    Shot("1", 0.5, "1: back to the tree", 1.0),
    Shot("k", 0.2, "k", 0.4),
    Shot("k", 0.6, "k: the server", 1.0),
    Shot("x", 1.0, "x: all that was started after it depends on it", 3.0),
    Shot("enter", 0.4, "enter", 0.6),
    Shot(None, 1.6, "rest_for_one: all of them came back", 3.5),
)
"""The moving picture: `tour.svg`."""


async def film() -> None:
    """Start the chat and the dashboard, follow the tour, and write all of it as one picture."""
    frames = []
    with Child("chat", ["-m", "demos.chat"], environment={"OBSERVER": "1"}) as child:
        app = ObserverApp(ChildNode(child), Settings(theme="observer-dark"))
        async with app.run_test(size=(100, 28)) as pilot:
            for shot in TOUR:
                if shot.key is not None:
                    await pilot.press(shot.key)
                await asyncio.sleep(shot.wait)
                await pilot.pause()
                svg = portable(app.export_screenshot()).replace(str(STAGE), SHOWN)
                frames.append(Frame(svg, shot.caption, shot.seconds))
    path = FOLDER / "tour.svg"
    path.write_text(moving_picture(frames), encoding="utf-8")
    print(path.relative_to(FOLDER.parent))


def black_box(name: str, path: Path) -> RecordedNode:
    """Write a black box of a node, and return it in the place of a node."""
    file = STAGE / "box.observed"
    with Client(name, path) as client:
        client.expect(wire.Lints, wire.GetLints())
        header = header_of(client.welcome, "black_box", "asked for with 'observer dump'")
        files.write_black_box(file, header, looks.black_box(client.ask, 2.0, state=True), time.time())
    return RecordedNode(RecordedFile(file))


async def take(name: str, picture: Picture) -> None:
    """Start the demo and the dashboard, follow the script, write the picture."""
    program = ["-m", f"demos.{picture.demo}"]
    with Child(picture.demo, program, environment={"OBSERVER": "1"}) as child:
        source: Source = remembering(ChildNode(child))
        if picture.opened:
            await asyncio.sleep(picture.opened)
            source = black_box(child.name, child.path)
        app = ObserverApp(source, Settings(theme=picture.theme))
        async with app.run_test(size=picture.size) as pilot:
            for step in picture.script:
                if isinstance(step, Until):
                    await step.wait(app)
                elif isinstance(step, str):
                    await pilot.press(step)
                else:
                    await asyncio.sleep(step)
            await pilot.pause()
            path = FOLDER / f"{name}.svg"
            command = f"open {picture.demo}.observed" if picture.opened else f"demo {picture.demo}"
            drawn = app.export_screenshot(title=f"observer {command}")
            path.write_text(portable(drawn).replace(str(STAGE), SHOWN), encoding="utf-8")
            print(path.relative_to(FOLDER.parent))


def print_one(name: str, picture: Printed) -> None:
    """Start the demo, wait, and write what the command prints about it."""
    with Child(picture.demo, ["-m", f"demos.{picture.demo}"], environment={"OBSERVER": "1"}) as child:
        time.sleep(picture.after)
        command, *others = picture.words
        if command == "mcp":
            svg = picture_of_agent(child.name, *others, picture.columns)
        else:
            svg = picture_of((command, child.name, *others), picture.columns)
    path = FOLDER / f"{name}.svg"
    path.write_text(svg.replace(str(STAGE), SHOWN), encoding="utf-8")
    print(path.relative_to(FOLDER.parent))


def main() -> None:
    """Make the pictures that the command line names."""
    known = ["tour", *PICTURES, *PRINTED]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(known)}; all when left out")
    names = parser.parse_args().names or known
    if unknown := set(names) - {*known}:
        parser.error(f"there is no picture called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    STAGE.mkdir(mode=0o700)
    try:
        for package in ("demos", "runtime"):
            STAGE.joinpath(package).symlink_to(FOLDER.parent / package)
        os.chdir(STAGE)
        os.environ["OBSERVER_DIR"] = str(STAGE)
        for name in names:
            if name in PRINTED:
                print_one(name, PRINTED[name])
            else:
                asyncio.run(film() if name == "tour" else take(name, PICTURES[name]))
    finally:
        shutil.rmtree(STAGE)


if __name__ == "__main__":
    main()
