"""What a recording consists of: a header that describes the node, and entries that each hold a part of one look."""

from __future__ import annotations

import platform
import sys
import time
from typing import Annotated, Literal, TypeAlias

import msgspec

from runtime.introspection import wire
from runtime.introspection.wire import MAX_ROWS, Count, Frozen, Key, Moment, Text, Word

FORMAT = 1
"""The version of the format. A file of a later version is refused with a sentence."""

MOST_ROWS = 10 * MAX_ROWS
"""Most rows of a look. Of a larger node, the first of its tree are recorded."""

Kind = Literal["recording", "black_box"]

Rows: TypeAlias = Annotated[tuple[wire.Row, ...], msgspec.Meta(max_length=MOST_ROWS)]
Keys: TypeAlias = Annotated[tuple[Key, ...], msgspec.Meta(max_length=2 * MOST_ROWS)]


class Header(Frozen, frozen=True):
    """The first frame of a recording."""

    format: Count
    kind: Kind
    made_at: Moment
    welcome: wire.Welcome
    """What the node said of itself: its name, its program, the versions of Python and gevent."""
    why: Text = ""
    """Why a black box was written, as the end of a sentence: ``main crashed: KeyError: 'port'``."""
    kernel: Word = ""
    """The operating system with its version, and the machine."""
    python: Text = ""
    """The whole version of the Python that has written it."""


class Figures(Frozen, tag_field="entry", tag="figures", frozen=True):
    """The figures of the node at one moment, its findings, and the events that are new since the last look."""

    stats: wire.NodeStats
    settings: dict[Text, Text] = {}
    lints: tuple[wire.Lint, ...] = ()
    events: wire.Events = wire.Events()


class AllRows(Frozen, tag_field="entry", tag="rows", frozen=True):
    """The whole tree, depth first."""

    rows: Rows
    total: Count = 0
    """How many lines the tree has. Rows beyond `MOST_ROWS` are left out."""


class ChangedRows(Frozen, tag_field="entry", tag="changes", frozen=True):
    """What differs from the rows of the look before. `order` has the keys of all rows where that has changed."""

    rows: Rows = ()
    order: Keys | None = None
    total: Count = 0


class Closer(Frozen, tag_field="entry", tag="closer", frozen=True):
    """Processes seen from near, and what takes long to ask for."""

    details: Annotated[tuple[wire.Details, ...], msgspec.Meta(max_length=MOST_ROWS)] = ()
    names: wire.Names | None = None
    memory: wire.Memory | None = None


class End(Frozen, tag_field="entry", tag="end", frozen=True):
    """The last entry of a recording that was ended properly; `why` ends a sentence."""

    why: Text


Entry: TypeAlias = Figures | AllRows | ChangedRows | Closer | End


def header_of(welcome: wire.Welcome, kind: Kind, why: str = "") -> Header:
    """Return the header of a recording that begins now."""
    system = platform.uname()
    kernel = " ".join((system.system, system.release, system.machine))
    return Header(
        format=FORMAT,
        kind=kind,
        made_at=time.time(),
        welcome=welcome,
        why=why,
        kernel=kernel.encode("ascii", "replace").decode()[:200],
        python=" ".join(sys.version.split()),
    )
