"""The columns of the process tables: what each shows of a row, how wide it may be, and what it means.

A cell is a tuple of spans, each a text with its tone, that together are exactly as wide as the column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from observer.drawing.activity import activity
from observer.model.row_history import RowHistory
from observer.text import tones, units
from observer.text.budget import is_spent
from observer.text.safe_text import fit, fit_right, safe
from observer.text.sparkline import bar, mailbox_fraction, sparkline
from runtime.introspection.wire import GREENLETS, Row, Sort

Cell = tuple[tuple[str, str], ...]

HOGGING = 0.8
"""The share of a core from which it is drawn as trouble."""

CROWDED, OVERLOADED = 100, 1_000
"""Mailbox lengths from which a mailbox is drawn as a warning, and as trouble."""

STATUS = {
    "running": ("●", "running", "run", tones.GOOD),
    "runnable": ("◌", "runnable", "due", tones.GOOD),
    "waiting": ("·", "waiting", "wait", tones.MUTED),
    "suspended": ("‖", "suspended", "susp", tones.WARN),
    "exiting": ("✕", "exiting", "exit", tones.BAD),
    "starting": ("↑", "starting", "init", tones.WARN),
    "restarting": ("↻", "restarting", "redo", tones.WARN),
    "stopped": ("■", "stopped", "stop", tones.FAINT),
}
"""Each status as a sign, a word, a short word, and its tone."""

DELAYED = ("◔", "delayed", "wait", tones.MUTED)
"""The same for a greenlet that is to begin later."""


@dataclass(frozen=True)
class Column:
    """A column: `widths` are the widths it can take, the usual one first; `sort` is what the node sorts by for it."""

    id: str
    title: str
    widths: tuple[int, ...]
    sort: Sort | None
    meaning: str
    draw: Callable[[Row, RowHistory | None, int], Cell]
    right: bool = True
    short: str = ""
    """The title where the column is too narrow for the whole one."""

    def titled(self, width: int) -> str:
        """Return the title, or its short form where there is no room for it."""
        return self.title if not self.short or len(self.title) + 2 <= width else self.short


def _pid(row: Row, history: RowHistory | None, width: int) -> Cell:
    pid = row.pid or ("" if row.kind == "group" else "-")
    # A long pid is worth more without its brackets than without its end.
    return ((fit(pid if len(pid) <= width else pid.strip("<>"), width), tones.MUTED),)


def status_of(row: Row) -> tuple[str, str, str, str]:
    """Return the status of a row as a sign, a word, a short word, and its tone."""
    return STATUS[row.status] if row.starts_in is None else DELAYED


def _status(row: Row, history: RowHistory | None, width: int) -> Cell:
    if row.kind == "group":
        return ((" " * width, tones.MUTED),)
    sign, word, short, tone = status_of(row)
    return ((fit(f"{sign} {word if width >= 2 + len(word) else short}", width), tone),)


def mailbox_tone(length: int) -> str:
    """Return the tone of a mailbox of that length."""
    return tones.BAD if length >= OVERLOADED else tones.WARN if length >= CROWDED else tones.LINE


def _mailbox(row: Row, history: RowHistory | None, width: int) -> Cell:
    if row.kind == "greenlet" or (row.pid is None and not row.message_queue_len):
        return ((" " * width, tones.MUTED),)
    length, room = row.message_queue_len, width - 6
    tone = mailbox_tone(length)
    sign = "!" if length >= OVERLOADED else " "
    filled = bar(mailbox_fraction(length), room)
    spans = [(filled, tone)]
    peak = min(room - 1, int(mailbox_fraction(history.mailbox_peak) * room)) if history and history.mailbox_peak else -1
    if 0 <= peak < room and filled[peak] == " ":
        spans = [(filled[:peak], tone), ("╎", tones.MUTED), (filled[peak + 1 :], tone)]
    figure = (fit_right(units.count(length), 5), tone if length >= CROWDED else tones.TEXT if length else tones.FAINT)
    return (*spans, (sign, tone), figure)


def _messages(row: Row, history: RowHistory | None, width: int) -> Cell:
    if row.kind == "greenlet" or row.messages_in is None or (row.pid is None and not row.messages_in):
        return ((" " * width, tones.MUTED),)
    rate = history.messages.latest if history else None
    figure = (fit_right(units.rate(rate), 5), tones.TEXT if rate else tones.FAINT)
    if width <= 6:
        return (figure,)
    line = sparkline(history.messages.rates.values(width - 6), width - 6) if history else " " * (width - 6)
    return (figure, (" ", tones.TEXT), (line, tones.LINE))


def _memory(row: Row, history: RowHistory | None, width: int) -> Cell:
    if row.kind == "greenlet" or (row.pid is None and row.memory is None):
        return ((" " * width, tones.MUTED),)
    figure = (fit_right(units.size(row.memory), 5), tones.TEXT if row.memory is not None else tones.FAINT)
    if width <= 6:
        return (figure,)
    growth = history.growth if history else 0.0
    text = units.signed_size(growth) if worth_telling(growth, row.memory) else ""
    return (figure, (fit_right(text, width - 5), tones.WARN if growth > 0 else tones.MUTED))


def worth_telling(growth: float, memory: int | None) -> bool:
    """Return whether memory changed by more than small ups and downs: by 4 KiB and by a tenth."""
    return abs(growth) >= max(4_096, (memory or 0) / 10)


WORDED = 16
"""Cells from which on the restarts of a supervisor are written in words."""


def _restarts(row: Row, history: RowHistory | None, width: int) -> Cell:
    if row.kind == "greenlet" or (row.kind == "group" and not row.restarts):
        return ((" " * width, tones.MUTED),)
    if row.max_restarts is None:
        return ((fit_right(str(row.restarts) if row.restarts else "·", width), _restart_tone(row)),)
    used = row.restarts_used or 0
    text, left = f"{used}/{row.max_restarts}", ""
    if used and row.restarts_expire_in is not None:
        left = units.duration(row.restarts_expire_in)
    if width >= WORDED:
        text = f"{used} of {row.max_restarts}" + (f", {left} left" if left else "")
    elif width >= 9 and left:
        text = f"{left} {text}"
    spent = is_spent(used, row.max_restarts)
    tone = tones.BAD if spent else tones.WARN if used else tones.MUTED
    return ((fit_right(("!" if spent else "") + text, width), tone),)


def _restart_tone(row: Row) -> str:
    return tones.WARN if row.restarts else tones.FAINT


def _cpu(row: Row, history: RowHistory | None, width: int) -> Cell:
    share = history.cpu_share if history and row.cpu_time is not None else None
    if share is None:
        return ((" " * width, tones.FAINT),)
    much = share >= HOGGING
    tone = tones.BAD if much else tones.TEXT if share >= 0.0005 else tones.FAINT
    return ((fit_right(("!" if much else "") + units.percent(share), width), tone),)


def _uptime(row: Row, history: RowHistory | None, width: int) -> Cell:
    if row.started_at is None or history is None:
        return ((" " * width, tones.MUTED),)
    age = history.seen_at - row.started_at
    return ((fit_right(units.duration(age), width), tones.GOOD if age < 5 else tones.MUTED),)


def _at(row: Row, history: RowHistory | None, width: int) -> Cell:
    return _cut(activity(row, None if history is None else history.seen_at), width)


ALL: dict[str, Column] = {
    column.id: column
    for column in (
        Column("pid", "Pid", (9, 12), "pid", "The process's identity. A restarted process has a new one.", _pid, False),
        Column(
            "status",
            "State",
            (6, 12),
            "status",
            "● running now   ◌ runnable, waits for its turn   · waiting for a message   ‖ suspended   "
            "◔ delayed: a greenlet that is to start later   ✕ exiting   ↻ being restarted   "
            "■ stopped: a child without a process",
            _status,
            False,
        ),
        Column(
            "at",
            "At",
            (16, 24, 34, 48, 70),
            "at",
            "What it is doing, where its stack tells: a request with its path, a task with its id, and for how long. "
            "Then the line of the program's own code that it is in.",
            _at,
            False,
        ),
        Column(
            "mailbox",
            "Mailbox",
            (9, 14, 20),
            "message_queue_len",
            "Messages waiting to be received, and a bar (logarithmic: 10,000 fills it). ╎ is the peak since you "
            "began to watch. ! marks 1,000 messages or more",
            _mailbox,
        ),
        Column(
            "messages",
            "Msg/s",
            (9, 5, 18, 26),
            "messages_in",
            "Messages delivered to it a second, and the last minute of that as a line. Sorted by the total so far.",
            _messages,
        ),
        Column(
            "memory",
            "Memory",
            (5, 13),
            "memory",
            "An estimate of what only this process can reach, and how much it has grown since you began to watch.",
            _memory,
            short="Mem",
        ),
        Column(
            "restarts",
            "Restarts",
            (5, 10, WORDED),
            "restarts",
            "How often the child in this place was restarted. For a supervisor: restarts used of those allowed "
            "within its window, and when the oldest leaves it. ! means that the next one makes it give up.",
            _restarts,
            short="↻",
        ),
        Column(
            "cpu",
            "CPU",
            (5,),
            "cpu_time",
            "Share of one core over the last seconds, an estimate from samples; ! from 80% on. A node that is not in "
            "its program's main thread measures it only while rows are sorted by it.",
            _cpu,
        ),
        Column("uptime", "Uptime", (6,), "started_at", "How long this process has lived.", _uptime),
    )
}
"""All columns by id."""

CONCESSIONS = (
    ("at", 0),
    ("uptime", 0),
    ("messages", 5),
    ("cpu", 0),
    ("pid", 0),
    ("memory", 0),
    ("restarts", 0),
    ("status", 0),
    ("messages", 0),
    ("mailbox", 0),
)
"""What a table that is too narrow gives up, in order: a column, and the width that it keeps (0: it goes)."""

GROWN_FIRST = ("at", "restarts", "memory", "messages", "mailbox", "status", "pid")
"""In which order columns get more room."""

LONGEST_PID = 16
"""Cells that a pid has at most."""

COLUMN_GAP = 1
"""Cells before each column."""

LEAST_NAME, GOOD_NAME = 20, 33
"""Cells the name has at least, and cells it has before any other column gets more."""


OF_PROCESSES = ("mailbox", "messages", "memory", "restarts")
"""Columns that have no value for a greenlet."""


NOT_OF_A_BEAM = ("messages", "cpu", "uptime")
"""Columns of what a BEAM node tells of no process."""


def with_values(wanted: Sequence[str], rows: Iterable[Row], flat: bool) -> tuple[str, ...]:
    """Leave out the columns in which none of these rows has a value: they would take room for nothing.

    In a tree, whose names need the room, only greenlets are shown with where they are.
    """
    known = [*rows]
    if flat and known and all(row.kind == "group" for row in known):
        is_at = any(row.at or row.doing or row.doing_since is not None for row in known)
        return tuple(name for name in wanted if name not in ("pid", "status") and (is_at or name != "at"))
    seen = [row for row in known if row.kind != "group" or row.messages_in or row.memory]
    bare = bool(known) and all(row.kind == "greenlet" for row in seen)
    left_out = OF_PROCESSES if bare else () if flat else ("at",)
    if known and all(row.messages_in is None for row in known):  # a BEAM node
        left_out = (*left_out, *NOT_OF_A_BEAM)
    return tuple(name for name in wanted if name not in left_out)


@dataclass(frozen=True)
class Layout:
    """The columns of a table of some width: cells for the name, then each column with its cells (gaps excluded)."""

    name: int
    columns: tuple[tuple[Column, int], ...]


def longest_pid(rows: Iterable[Row]) -> int:
    """Return the cells of the longest pid of these rows."""
    return max((len(row.pid) for row in rows if row.pid), default=0)


def lay_out(width: int, wanted: Sequence[str], pid: int = 0) -> Layout:
    """Choose columns and widths for a table of `width` cells; `wanted` are ids in order, `pid` cells has a pid.

    All pids have room for their brackets, so that those of one column have one form.
    """
    sizes = {name: ALL[name].widths[0] for name in wanted}
    if "pid" in sizes:
        sizes["pid"] = max(sizes["pid"], min(pid, LONGEST_PID))

    def room(chosen: dict[str, int]) -> int:
        return width - sum(cells + COLUMN_GAP for cells in chosen.values())

    for name, left in CONCESSIONS:
        if room(sizes) >= LEAST_NAME:
            break
        if name in sizes:
            sizes[name] = left
        sizes = {column: cells for column, cells in sizes.items() if cells}
    for name in (*GROWN_FIRST * 2, "at", "at"):
        larger = [cells for cells in sorted(ALL[name].widths) if name in sizes and cells > sizes[name]]
        least = LEAST_NAME if name == "at" and "mailbox" not in sizes else GOOD_NAME
        if larger and room({**sizes, name: larger[0]}) >= least:
            sizes[name] = larger[0]
    columns = tuple((ALL[name], sizes[name]) for name in wanted if name in sizes)
    return Layout(max(0, room(sizes)), columns)


def name_cell(row: Row, guide: str, width: int, time: float, foldable: bool = True) -> Cell:
    """Draw the name with its place in the tree, what failed there lately, what looks wrong, and a note.

    The note says what a supervisor supervises, and in which state a machine is.
    """
    parent = row.is_parent
    foldable = foldable and parent
    sign = ("▸ " if row.folded else "▾ ") if foldable else "─ " if guide else ""
    failed = failure_tone(row, time)
    tone = failed or (tones.NAME if parent else tones.TEXT)
    if row.pid is None and not parent:
        tone = tones.FAINT
    spans = [
        (guide, tones.FAINT),
        (sign, tones.MUTED if foldable else tones.FAINT),
        (row.name or row.child_id or "?", tone),
    ]
    if failed is not None:
        spans.append((" ✗", failed))
    if row.lints:
        spans.append((f" ! {', '.join(row.lints)}", tones.BAD))
    if note := _note(row):
        spans.append((f" {note}", tones.MUTED))
    return _cut(spans, width)


FRESH, FADED = 5.0, 30.0
"""Seconds after a failure for which its colour is at its brightest, and after which it is gone."""


def failure_tone(row: Row, time: float) -> str | None:
    """Return the tone of a row where something failed lately, which fades with time; None when nothing did."""
    if row.last_failure_at is None:
        return None
    age = time - row.last_failure_at
    if age < FRESH:
        return tones.BAD
    return None if age >= FADED else f"{tones.TROUBLE} {100 - 12 * int((age - FRESH) / (FADED - FRESH) * 5)}%"


def group_text(row: Row) -> str:
    """Return what a group is, and how many rows it stands for."""
    if row.key.startswith(GREENLETS):
        thread = row.key.removeprefix(GREENLETS).removeprefix(":")
        return units.many(row.child_count, "greenlet", "greenlets") + (f" of thread {thread}" if thread else "")
    return f"{row.name}, {units.many(row.child_count, 'process', 'processes')}"


def _note(row: Row) -> str:
    if row.kind == "group":
        count = "" if row.machine_state and not row.child_count else f"({units.count(row.child_count)})"
        return " ".join(part for part in (count, row.machine_state) if part)
    if row.kind != "supervisor":
        return row.machine_state or ""
    parts = [f"■{row.not_running} down" if row.not_running else "", row.strategy or ""]
    if row.folded:
        parts.append(f"({units.count(row.child_count)})")
    return " ".join(part for part in parts if part)


def _cut(spans: list[tuple[str, str]], width: int) -> Cell:
    """Cut or pad spans to `width` cells; what does not fit loses its end, marked with an ellipsis."""
    cell: list[tuple[str, str]] = []
    left = width
    for text, tone in spans:
        shown = safe(text)
        if cell_len(shown) > left:
            shown = fit(shown, left)
        cell.append((shown, tone))
        left -= cell_len(shown)
        if left <= 0:
            return tuple(cell)
    return (*cell, (" " * left, tones.TEXT))
