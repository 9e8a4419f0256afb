"""Which node and which process a command is about."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from observer.cli.errors import CommandError, WrongUsageError, say
from observer.cli.progress import Tell, busy, nothing
from observer.node import discovery
from observer.node.client import Client
from observer.node.discovery import NodeNotFoundError
from observer.text import units
from observer.text.safe_text import safe
from runtime.introspection import kept_events, wire
from runtime.introspection.recording import frames, kept_boxes
from runtime.introspection.recording.frames import SUFFIX

MEASURE_TIMEOUT = 1.0
"""Seconds that a command waits at most for memory to be measured."""

ROUNDS = 10
"""How often a tree is asked for, each time with more of it unfolded. A node needs two."""

if TYPE_CHECKING:
    from observer.node.cluster.client import ClusterClient

Measured = TypeVar("Measured", wire.Window, wire.Details)

_PID = re.compile(r"<?(\d+\.\d+\.\d+)>?")
_PLAIN = re.compile(r"[\w.-]+")
_GREENLET = re.compile(r"g\d+")


def dial(node: str | None, takes_black_box: bool = True) -> Client:
    """Connect to the node called `node`, or without a name to the only one there is. A recording's file will do, too.

    So does the name of a node that has ended and left a black box, where the caller `takes_black_box`. Raises what
    `discovery.find`, `Client` and `RecordedClient` raise.
    """
    if node is not None and is_recording(node):
        return _recorded(Path(node))
    try:
        found = find(node)
    except NodeNotFoundError:
        box = _left_by(node)[1] if node is not None and takes_black_box else None
        if box is None:
            raise
        say(f"observer: {_state(box)}; this is the black box that it has left.")
        return _recorded(box.path)
    return Client(found.name, found.path)


def find(node: str | None) -> discovery.Found:
    """Return like `discovery.find`; of a node that has ended, its error says when, of what, and what it has left."""
    try:
        return discovery.find(node)
    except (NodeNotFoundError, discovery.NodeNameError) as error:
        kept, box = (None, None) if node is None else _left_by(node)
        if kept is not None:
            shown = "open" if box is not None else "events"
            what = "shows the black box that it has left" if box is not None else "prints its last events"
            raise NodeNotFoundError(f"{_ended(kept)}. 'observer {shown} {safe(node)}' {what}.") from error
        if box is not None:
            told = f"{_state(box)}. It has left a black box {_ago(box.written_at)}{_why(box.path)}."
            raise NodeNotFoundError(f"{told} 'observer open {safe(node)}' shows it.") from error
        raise


def dial_cluster(node: str | None) -> ClusterClient:
    """Connect to the node called `node` and to all others of its cluster. Raises what `discovery.find` raises.

    Says of each node that cannot be looked at why that is so.
    """
    from observer.node.cluster.client import ClusterClient

    if node is not None and is_recording(node):
        raise WrongUsageError(f"{node} is a recording of one node: leave --cluster out.")
    found = find(node)
    client = ClusterClient(found.name, found.path)
    for name, why in client.unseen():
        say(f"observer: {safe(name)} {safe(why)}")
    return client


def _recorded(path: Path) -> Client:
    from observer.node.recorded.node import RecordedClient

    with opening(path) as progress:
        return RecordedClient(path, _tell_damage, progress)


@contextmanager
def opening(path: Path) -> Iterator[Callable[[float], object]]:
    """Say how far a recording is read, once that takes a while. Yield what is called with the share that is read."""
    with busy(f"reading {path}; ctrl-c ends it") as tell:
        yield lambda share: tell(f"reading {path}, {share:.0%}; ctrl-c ends it")


def _tell_damage(damage: str) -> None:
    say(f"observer: {damage}")


def _left_by(node: str) -> tuple[kept_events.Kept | None, kept_boxes.KeptBox | None]:
    """Return the last events and the black box of one process that was called so, each None where it has left none."""
    kept, box = kept_events.find(node), kept_boxes.find(node)
    if kept is None or box is None or box.name == kept.name:
        return kept, box
    return (kept, None) if kept.ended_at >= box.written_at else (None, box)


def _state(box: kept_boxes.KeptBox) -> str:
    """Return whether the node that has left a black box has ended, as a sentence without its end."""
    lives = kept_events.lives(box.os_pid)
    return f"{safe(box.name)} {'cannot be reached, although its process runs' if lives else 'has ended'}"


def _ended(kept: kept_events.Kept) -> str:
    """Return that a node has ended, when and of what, as a sentence without its end."""
    why = ""
    with suppress(OSError):
        why = next((f": {event.message}" for event in reversed(kept.events()) if event.ends_program), "")
    return f"{safe(kept.name)} has ended, {_ago(kept.ended_at)}{safe(why)}"


def _why(box: Path) -> str:
    """Return why a black box was written, to be put behind a colon; empty when its file does not say."""
    with suppress(OSError, frames.RecordingError), box.open("rb") as file:
        header = frames.read_header(file, str(box))
        return f": {safe(header.why)}" if header.why else ""
    return ""


def _ago(moment: float) -> str:
    return f"{units.duration(max(0.0, time.time() - moment))} ago"


def dial_to_act(node: str | None) -> Client:
    """Connect like `dial`, to change something. Raises `CommandError` when the settings or the node are read-only."""
    from observer.model import settings

    if settings.load().read_only:
        raise CommandError(
            f"The settings say read_only = true ({settings.settings_path()}): nothing is changed from here."
        )
    client = dial(node, takes_black_box=False)
    if client.welcome.read_only:
        client.close()
        raise CommandError(f"{client.name} is read-only: it changes nothing for an observer.")
    return client


def is_recording(name: str) -> bool:
    """Return whether a NODE names a recording: it ends as their names do, or is the path of a file in a folder."""
    return name.endswith(SUFFIX) or ("/" in name and Path(name).exists())


def told(client: Client) -> str:
    """Say of a recording what it is and how it ended."""
    from observer.node.recorded.node import RecordedClient

    return client.told if isinstance(client, RecordedClient) else ""


def has_failed(client: Client) -> bool:
    """Return whether this is the black box of a program that has failed or hung: one that was written unasked."""
    from observer.node.recorded.node import RecordedClient

    return isinstance(client, RecordedClient) and client.has_failed


def now(client: Client) -> float:
    """Return the time that a node is shown at: for a recording, that of its end."""
    from observer.clock import SystemClock

    if not client.is_recorded:
        return SystemClock().now()
    return client.expect(wire.Stats, wire.GetStats()).stats.time


def exists(name: str) -> bool:
    """Return whether a word of the command line is a node that listens, a program with such nodes, or a recording."""
    if is_recording(name):
        return Path(name).exists()
    return discovery.exists(name) or discovery.is_program(name)


def is_pid(text: str) -> bool:
    """Return whether `text` is a pid: ``<0.17.0>``, or ``0.17.0`` which needs no quotes in a shell."""
    return _PID.fullmatch(text) is not None


def split(words: list[str], wanted: str) -> tuple[str | None, list[str]]:
    """Take an optional NODE from the front of a command's words, which `wanted` names (``"PID MESSAGE"``).

    Returns the node or None, and the other words. Raises `CommandError` when there are too few or too many.
    """
    count = len(wanted.split())
    if len(words) == count:
        if count == 1:
            _refuse_node(words[0])
        refuse_unknown(words[0])
        return None, words
    if len(words) == count + 1:
        return words[0], words[1:]
    raise WrongUsageError(f"Say [NODE] {wanted}: NODE may be left out when there is only one.")


def split_optional(words: list[str]) -> tuple[str | None, str | None]:
    """Take NODE and PID from a command's words, of which either may be left out; a single word may be either.

    Raises `WrongUsageError` when there are more than these two.
    """
    if len(words) > 2:
        raise WrongUsageError("Say [NODE] [PID]: NODE may be left out when there is only one.")
    if len(words) == 2:
        return words[0], words[1]
    if words and not is_pid(words[0]) and (exists(words[0]) or _has_ended(words[0])):
        return words[0], None
    if words:
        refuse_unknown(words[0])
    return None, words[0] if words else None


def _has_ended(word: str) -> bool:
    """Return whether a word names a node that has ended. While a node runs, the word may name a process of it."""
    return not discovery.sockets() and (kept_events.find(word) is not None or kept_boxes.find(word) is not None)


def split_targets(words: list[str]) -> tuple[str | None, list[str]]:
    """Take an optional NODE from the front of words that name one or more processes.

    The first word is a node's when a node of that name runs, or none runs and that one has ended, and other words
    follow. Raises `WrongUsageError` for a node alone, and `AmbiguousNodeError` for a program alone.
    """
    first, *others = words
    if others and not is_pid(first) and (exists(first) or _has_ended(first)):
        return first, others
    if not others:
        _refuse_node(first)
    refuse_unknown(first)
    return None, words


def refuse_unknown(word: str) -> None:
    """Raise `WrongUsageError` where a word is no node's name, and may name a process of several nodes."""
    if is_pid(word) or len(discovery.sockets()) < 2:
        return
    try:
        discovery.find(None)
    except discovery.AmbiguousNodeError as error:
        names = ", ".join(map(safe, error.names))
        told = f"There is no node called {safe(word)}. For a process of that name, say its node as well: {names}."
        raise WrongUsageError(told) from None
    except NodeNotFoundError:
        pass  # the command says so when it asks the node


def _refuse_node(word: str) -> None:
    """Raise `WrongUsageError` for a node without a process: its top supervisor may well have the same name."""
    if not is_pid(word) and exists(word):
        if discovery.is_program(word):
            discovery.find(word)  # says which nodes it has, where it has several
        raise WrongUsageError(
            f"{word} is a node: say which process of it, as in '{word} PID'. "
            f"A process that has that name too is '{word} {word}'."
        )


def pid_of(client: Client, text: str) -> str:
    """Return the pid that `text` means: a pid itself, a registered name, what a single process is called, a greenlet.

    Raises `CommandError` when no process is called so, or several are and none is registered by that name.
    """
    if match := _PID.fullmatch(text):
        return f"<{match[1]}>"
    called = []
    looked_at = []
    # The node searches by text; a name that might mean more than itself in a search is looked for here.
    for row in processes(client, filter=text if _PLAIN.fullmatch(text) else "", sort="name"):
        looked_at.append(row)
        if row.pid is not None and row.registered_name == text:
            return row.pid
        if row.pid is not None and text in (row.name, row.label, row.child_id):
            called.append(row.pid)
    if not called and _GREENLET.fullmatch(text):
        return text
    if not called:
        other = next(
            (row.name for row in looked_at if row.pid is not None and row.name.casefold() == text.casefold()), None
        )
        if other is not None:
            raise CommandError(f"{client.name} has no process called {text!r}. There is one called {other!r}.")
        gone = kept_events.find(text)
        meant = "" if gone is None else f" A node was called so: {_ended(gone)}."
        raise CommandError(f"{client.name} has no process called {text!r}. A pid looks like <0.17.0> or 0.17.0.{meant}")
    if len(called) > 1:
        shown = ", ".join(called[:8]) + (", ..." if len(called) > 8 else "")
        raise CommandError(f"{len(called)} processes of {client.name} are called {text!r}: say which one ({shown}).")
    return called[0]


def processes(
    client: Client,
    *,
    filter: str = "",
    sort: wire.Sort = "pid",
    descending: bool = False,
    limit: int | None = None,
    wait: float = 0.0,
    tell: Tell = nothing,
) -> Iterator[wire.Row]:
    """Yield the node's processes (at most `limit`) in that order, asking for as many at once as it gives.

    `wait` is how many seconds to wait, in all, for memory that is only being measured. `tell` is given how many of
    how many there are by now, in words.
    """
    until = time.monotonic() + wait
    seen: set[str] = set()
    offset = known = 0
    while limit is None or len(seen) < limit:
        size = wire.MAX_ROWS if limit is None else min(wire.MAX_ROWS, limit - len(seen))
        query = wire.GetProcesses(filter=filter, sort=sort, descending=descending, offset=offset, limit=size)
        window = measured(client, wire.Window, query, until)
        for row in window.rows:
            if row.key not in seen:  # the list may have moved between two windows
                seen.add(row.key)
                yield row
        offset += len(window.rows)
        tell(f"{offset:,} of {window.total:,} processes …")
        if len(seen) == known or offset >= window.total:  # nothing new: a list that is always said to go on ends here
            return
        known = len(seen)


def measured(client: Client, kind: type[Measured], query: wire.Query, until: float) -> Measured:
    """Ask the node, again and again up to the moment `until` (monotonic) while the memory of a process is not known.

    A node measures only while it is looked at, so the first answer after a while has no figures.
    """
    pause = 0.02
    while True:
        answer = client.expect(kind, query)
        rows = (answer.row,) if isinstance(answer, wire.Details) else answer.rows
        left = until - time.monotonic()
        if left <= 0 or all(row.memory is not None for row in rows if row.pid is not None and row.kind != "greenlet"):
            return answer
        time.sleep(min(pause, left))
        pause *= 2


def tree(client: Client, *, filter: str = "", fold_over: int, tell: Tell = nothing) -> list[wire.Row]:
    """Return the node's whole tree depth first; only supervisors with more than `fold_over` children stay folded.

    `tell` is given how many rows of how many there are by now, in words.
    """
    unfolded: tuple[str, ...] = ()
    for _ in range(ROUNDS):
        rows = _tree_once(client, filter, fold_over, unfolded, tell)
        more = [row.key for row in rows if row.folded and row.child_count <= fold_over and row.key not in unfolded]
        if not more:
            break
        unfolded += tuple(more)  # the group of processes under no supervisor comes folded unless it is asked for
    return rows


def _tree_once(client: Client, filter: str, fold_over: int, unfolded: tuple[str, ...], tell: Tell) -> list[wire.Row]:
    rows: dict[str, wire.Row] = {}
    offset = known = 0
    while True:
        query = wire.GetTree(filter=filter, fold_over=fold_over, unfolded=unfolded, offset=offset, limit=wire.MAX_ROWS)
        window = client.expect(wire.Window, query)
        for row in window.rows:
            rows.setdefault(row.key, row)
        offset += len(window.rows)
        tell(f"{offset:,} of {window.total:,} rows …")
        if len(rows) == known or offset >= window.total:
            return list(rows.values())
        known = len(rows)
