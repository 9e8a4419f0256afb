"""The tables of this node, for the table viewer of OTP's observer (OTP: ets)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.distribution.spawn_requests import BadArgumentError
from runtime.ets.table import Table, all_tables, is_there, tables_of
from runtime.ets.tables import estimate_memory
from runtime.kernel.mailbox import send, sleep
from runtime.kernel.process import Pid
from runtime.kernel.processes import link, self_, spawn
from runtime.otp_modules.described import UNDEFINED, atom, told
from runtime.terms.atom import Atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

CHUNK = 200
"""Objects in one message."""

END = Atom("$end_of_table")


def _list_tables(remote: RemoteNode, kind: Term, options: Term) -> Term:
    if kind != "ets":
        return Atom("error"), f"There is no {kind} on {remote.local.name}."
    hides_private = (Atom("unread_hidden"), False) not in (options if isinstance(options, list) else ())
    shown = [each for each in all_tables(remote.node) if not (hides_private and each.access == "private")]
    return [_line(table) for table in shown]


def _line(table: Table) -> Term:
    owner = table.owner
    figures: dict[str, Term] = {
        "name": atom(table.name),
        "id": Atom("ignore") if table.named else table.ref,
        "protection": atom(table.access),
        "owner": owner.pid,
        "size": len(table.contents),
        "reg_name": Atom("ignore") if owner.name is None else atom(owner.name),
        "type": atom(table.type),
        "keypos": table.contents.keypos + 1,
        "heir": Atom("none") if table.heir is None else table.heir[0],
        "memory": estimate_memory(table),
        "compressed": False,
        "fixed": False,
    }
    return [(Atom(key), value) for key, value in figures.items()]


def _table(remote: RemoteNode, wanted: Term) -> Table | None:
    if not isinstance(wanted, (str, Ref)):
        raise BadArgumentError
    found = tables_of(remote.node).get(wanted if isinstance(wanted, Ref) else str(wanted))
    return found if found is not None and is_there(found) else None


def _info(remote: RemoteNode, wanted: Term, *item: Term) -> Term:
    table = _table(remote, wanted)
    if table is None:
        return UNDEFINED
    items = [(Atom(key), value) for key, value in _line(table) if key not in ("id", "reg_name")]
    if not item:
        return items
    known = dict(items)
    if item[0] not in known:
        raise BadArgumentError
    return known[item[0]]


def _get_table(remote: RemoteNode, parent: Pid, wanted: Term, kind: Term) -> Pid:
    """Start the process that sends the objects of a table to `parent`, and return its Pid."""
    return spawn(_send_objects, remote, parent, wanted)


def _send_objects(remote: RemoteNode, parent: Pid, wanted: Term) -> None:
    link(parent)
    table = _table(remote, wanted)
    rows = [] if table is None or table.access == "private" else [*table.contents]
    for start in range(0, len(rows), CHUNK):
        send(parent, (self_(), [[told(row)] for row in rows[start : start + CHUNK]]))
        sleep(0.0)  # others have their turn
    send(parent, (self_(), END))


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("observer_backend", "get_table_list"): _list_tables,
    ("observer_backend", "get_table"): _get_table,
    ("ets", "info"): _info,
    ("ets", "all"): lambda remote: [atom(each.name) if each.named else each.ref for each in all_tables(remote.node)],
}
"""What this module answers, by module and name of OTP."""
