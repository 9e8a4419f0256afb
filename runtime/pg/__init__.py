"""Process groups: a name for any number of processes, which leave at their death (OTP: pg).

Use the functions of this module as OTP's `pg` module::

    from runtime import pg

    pg.start_link()
    pg.join("workers", self_())
    for pid in pg.get_members("workers"):
        send(pid, "news")

Groups belong to a scope, a process that keeps them; ``pg.Scope`` is the class to put under a supervisor. Another scope
than ``"pg"`` is the first argument of every function, as in OTP: ``pg.join("rooms", "workers", self_())``. It may be
given as ``scope=`` as well. They raise CallError ``"noproc"`` when the scope does not run.

The scopes of one name on connected nodes tell one another of their members, by the protocol of OTP's `pg`: so a group
has members on several nodes, also on Erlang's and Elixir's. A group of theirs that an atom names is ``Atom("workers")``
here.

The modules may import `runtime.distribution` and what lies below it.
"""

from __future__ import annotations

from runtime.pg.groups import (
    demonitor,
    get_local_members,
    get_members,
    join,
    leave,
    monitor,
    monitor_scope,
    which_groups,
)
from runtime.pg.scope import DEFAULT as DEFAULT
from runtime.pg.scope import Group as Group
from runtime.pg.scope import Scope, start, start_link

__all__ = [
    "Scope",
    "demonitor",
    "get_local_members",
    "get_members",
    "join",
    "leave",
    "monitor",
    "monitor_scope",
    "start",
    "start_link",
    "which_groups",
]
