"""Joining and leaving groups, asking for their members, and following their changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

from runtime.kernel.names import whereis
from runtime.kernel.node import current_process
from runtime.kernel.process import Destination, Pid
from runtime.otp.calls import call
from runtime.pg.scope import DEFAULT, Group, Scope
from runtime.terms.errors import CallError
from runtime.terms.ref import Ref
from runtime.terms.text import render


@overload
def join(group: Group, pids: Pid | Iterable[Pid], /, *, scope: Destination = DEFAULT) -> None: ...
@overload
def join(scope: Destination, group: Group, pids: Pid | Iterable[Pid], /) -> None: ...
def join(*place: Any, scope: Destination = DEFAULT) -> None:
    """Let a process, or several, join a group, which is made with its first member (OTP: pg:join/3).

    A process that joins twice is a member twice, and has to leave twice. One that is dead leaves at once. Only
    processes of this node join here: CallError ``("nolocal", pid)`` for another.
    """
    scope, group, pids = _place("join", place, scope, 2)
    listed = _listed(pids, "join")
    for pid in listed:
        if pid.node != 0:
            raise CallError(("nolocal", pid), "join", (scope, group, pid), "pg")
    answer = call(scope, ("join", _checked(scope, group), listed), timeout=None)
    if type(answer) is tuple:
        raise CallError(answer[1], "join", (scope, group, pids), "pg")


@overload
def leave(group: Group, pids: Pid | Iterable[Pid], /, *, scope: Destination = DEFAULT) -> bool: ...
@overload
def leave(scope: Destination, group: Group, pids: Pid | Iterable[Pid], /) -> bool: ...
def leave(*place: Any, scope: Destination = DEFAULT) -> bool:
    """Let a process, or several, leave a group once; return whether one of them was a member (OTP: pg:leave/3)."""
    scope, group, pids = _place("leave", place, scope, 2)
    left: bool = call(scope, ("leave", _checked(scope, group), _listed(pids, "leave")), timeout=None)
    return left


@overload
def get_members(group: Group, /, *, scope: Destination = DEFAULT) -> list[Pid]: ...
@overload
def get_members(scope: Destination, group: Group, /) -> list[Pid]: ...
def get_members(*place: Any, scope: Destination = DEFAULT) -> list[Pid]:
    """Return the members of a group, who joined last first; those that joined twice, twice (OTP: pg:get_members/2).

    Reads without a message, so a member that has just died may still be among them.
    """
    scope, group = _place("get_members", place, scope, 1)
    return [*_server(scope, "get_members").groups.get(_checked(scope, group), ())]


@overload
def get_local_members(group: Group, /, *, scope: Destination = DEFAULT) -> list[Pid]: ...
@overload
def get_local_members(scope: Destination, group: Group, /) -> list[Pid]: ...
def get_local_members(*place: Any, scope: Destination = DEFAULT) -> list[Pid]:
    """Return the members of a group that are processes of this node (OTP: pg:get_local_members/2)."""
    scope, group = _place("get_local_members", place, scope, 1)
    return [pid for pid in get_members(scope, group) if pid.node == 0]


def which_groups(scope: Destination = DEFAULT) -> list[Group]:
    """Return the names of the groups that have members (OTP: pg:which_groups/1)."""
    return [*_server(scope, "which_groups").groups]


@overload
def monitor(group: Group, /, *, scope: Destination = DEFAULT) -> tuple[Ref, list[Pid]]: ...
@overload
def monitor(scope: Destination, group: Group, /) -> tuple[Ref, list[Pid]]: ...
def monitor(*place: Any, scope: Destination = DEFAULT) -> tuple[Ref, list[Pid]]:
    """Have the caller hear who joins and leaves a group; return a reference and the members (OTP: pg:monitor/2).

    It receives ``(ref, "join", group, pids)`` and ``(ref, "leave", group, pids)`` until `demonitor`.
    """
    scope, group = _place("monitor", place, scope, 1)
    if group is None:
        raise ValueError("monitor() takes a group; monitor_scope() is for all of them")
    caller = current_process("pg.monitor").pid
    found: tuple[Ref, list[Pid]] = call(scope, ("monitor", caller, _checked(scope, group)), timeout=None)
    return found


def monitor_scope(scope: Destination = DEFAULT) -> tuple[Ref, dict[Group, list[Pid]]]:
    """Monitor every group of a scope; return a reference and the members by group (OTP: pg:monitor_scope/1)."""
    caller = current_process("pg.monitor_scope").pid
    found: tuple[Ref, dict[Group, list[Pid]]] = call(scope, ("monitor_scope", caller), timeout=None)
    return found


@overload
def demonitor(ref: Ref, /, *, scope: Destination = DEFAULT) -> bool: ...
@overload
def demonitor(scope: Destination, ref: Ref, /) -> bool: ...
def demonitor(*place: Any, scope: Destination = DEFAULT) -> bool:
    """Take a monitor away; return whether it was there (OTP: pg:demonitor/2).

    What it has delivered stays in the mailbox.
    """
    scope, ref = _place("demonitor", place, scope, 1)
    if not isinstance(ref, Ref):
        raise TypeError(f"demonitor() takes a reference that monitor() gave, not {render(ref)}")
    was_there: bool = call(scope, ("demonitor", ref), timeout=None)
    return was_there


def _server(scope: Destination, function: str) -> Scope:
    """Return the server itself, to read without a message."""
    pid = scope if isinstance(scope, Pid) else whereis(scope)
    server = None if pid is None or pid.process is None else pid.process.body
    if not isinstance(server, Scope):
        raise CallError("noproc", function, (scope,), "pg")
    return server


def _place(function: str, place: tuple[Any, ...], scope: Destination, count: int) -> tuple[Any, ...]:
    """Return the scope and the other arguments, of which there are `count`; the scope may stand before them."""
    if len(place) == count:
        return (scope, *place)
    if len(place) == count + 1 and scope is DEFAULT:
        return place
    raise TypeError(f"{function}() takes {count} arguments, and a scope before them or as scope=, not {len(place)}")


def _checked(scope: Destination, group: Group) -> Group:
    """Return a group. One that cannot be compared with the others raises here, in the caller, and not in the scope."""
    try:
        hash(group)
    except TypeError:
        raise TypeError(
            f"a group is named by a hashable value, such as a str or a tuple, not {render(group)}"
        ) from None
    pid = scope if isinstance(scope, Pid) else whereis(scope)
    server = None if pid is None or pid.process is None else pid.process.body
    if isinstance(server, Scope):
        server.groups.get(group)
    return group


def _listed(pids: Pid | Iterable[Pid], function: str) -> list[Pid]:
    listed: list[Any] = [*pids] if isinstance(pids, Iterable) and not isinstance(pids, (Pid, str)) else [pids]
    for pid in listed:
        if not isinstance(pid, Pid):
            raise TypeError(
                f"{function}() takes a Pid or a list of them, not {render(pid)}; whereis(name) finds one by name"
            )
    return listed
