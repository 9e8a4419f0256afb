"""What `observer waits` prints: what each waiting process waits for, to the end of the chain."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from observer.output.records import Record, RelatedRecord
from observer.output.tables import plain_table
from observer.text.safe_text import safe
from runtime.introspection import wire

WORDS = {
    "reply": "a reply",
    "message": "a message",
    "lock": "a lock",
    "socket": "a socket",
    "timer": "a timer",
    "other": "something of gevent's",
}
"""What each kind is called."""


class WaitRecord(Record, frozen=True):
    """What a process waits for, and the processes that it waits for, one behind the other.

    With `cycle` they wait for each other; else `end` is what the last one waits for, null when it does not wait.
    """

    pid: str
    name: str
    kind: str
    what: str
    chain: list[RelatedRecord]
    cycle: bool
    end: str | None
    end_what: str
    at: str | None


def of_wait(wait: wire.Wait) -> WaitRecord:
    """Return a wait as a record."""
    return WaitRecord(
        pid=wait.pid,
        name=wait.name,
        kind=wait.kind,
        what=wait.what,
        chain=[RelatedRecord(pid=each.pid, name=each.name) for each in wait.chain],
        cycle=wait.cycle,
        end=wait.end,
        end_what=wait.end_what,
        at=wait.at,
    )


def sentence(wait: wire.Wait) -> str:
    """Return what a process waits for as a part of a sentence: ``a reply of bank, which waits for a timer``."""
    text = WORDS[wait.kind]
    if wait.chain:
        text += " of " if wait.kind == "reply" else " held by "
        text += ", which waits for ".join(safe(each.name or each.pid) for each in wait.chain)
    if wait.what:
        text += f" ({safe(wait.what)})"
    if wait.cycle:
        return f"{text}: a cycle"
    if wait.end is None:
        return text
    return f"{text}, which waits for {WORDS[wait.end]}{f' ({safe(wait.end_what)})' if wait.end_what else ''}"


def table(waits: tuple[wire.Wait, ...]) -> Table:
    """Return the waits as a table."""
    found = plain_table("PROCESS", "PID", "WAITS FOR", "AT")
    for wait in waits:
        tone = "red" if wait.cycle else ""
        at = Text(safe(wait.at or ""), "dim")
        found.add_row(Text(safe(wait.name), "bold"), Text(wait.pid), Text(sentence(wait), tone), at)
    return found
