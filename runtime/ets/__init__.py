"""Tables that processes own, and that others may read or write without a message (OTP: ets).

Use the functions of this module as OTP's `ets` module::

    from runtime import ets

    ets.new("hits", access="public", named=True)
    ets.update_counter("hits", "/index", 1, default=("/index", 0))
    ets.lookup("hits", "/index")  # [("/index", 1)]

A table holds tuples; the item at `keypos`, the first, is the key, a hashable value. A table is named in every function
by what `new` returned, or by its name when it was made with ``named=True``. It is deleted when its owner dies, unless
it has an heir. What goes in and out is a copy, as of a message. The functions raise ValueError for a table that is gone
or that the caller may not use, as OTP's fail with `badarg`. They work in processes and in greenlets of the node's
thread.

The modules may import `runtime.otp` and what lies below it.
"""

from __future__ import annotations

from runtime.ets.objects import (
    delete,
    delete_all_objects,
    delete_object,
    insert,
    insert_new,
    lookup,
    lookup_element,
    member,
    take,
    update_counter,
    update_element,
)
from runtime.ets.queries import (
    first,
    last,
    match,
    match_object,
    next,
    prev,
    select,
    select_count,
    select_delete,
    tab2list,
)
from runtime.ets.table import Table as Table
from runtime.ets.tables import give_away, info, new, set_heir, tables, whereis

__all__ = [
    "delete",
    "delete_all_objects",
    "delete_object",
    "first",
    "give_away",
    "info",
    "insert",
    "insert_new",
    "last",
    "lookup",
    "lookup_element",
    "match",
    "match_object",
    "member",
    "new",
    "next",
    "prev",
    "select",
    "select_count",
    "select_delete",
    "set_heir",
    "tab2list",
    "tables",
    "take",
    "update_counter",
    "update_element",
    "whereis",
]
