"""The process that keeps the groups of one scope, and tells those of its name on other nodes about its members."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from runtime.distribution.cluster import local_node
from runtime.distribution.node_monitors import NodeUp, subscribe_lasting
from runtime.distribution.nodes import nodes
from runtime.distribution.remote_process import RemoteProcess
from runtime.kernel.caught import caught_reason
from runtime.kernel.mailbox import send
from runtime.kernel.node import current_process
from runtime.kernel.process import Pid
from runtime.kernel.processes import demonitor as drop_monitor
from runtime.kernel.processes import monitor as watch
from runtime.kernel.processes import self_
from runtime.kernel.signals import Down
from runtime.otp.always_starts import AlwaysStarts
from runtime.otp.calls import CAST, From
from runtime.otp.child_spec import ChildSpec, id_from_name
from runtime.terms.atom import Atom
from runtime.terms.log import Log
from runtime.terms.reason import is_same
from runtime.terms.ref import Ref
from runtime.terms.tag import matchable, tagged
from runtime.terms.term import Term

logger = Log("runtime.pg")

DEFAULT = "pg"
"""The name of the scope that is meant where none is named."""

Group = Hashable
"""What names a group."""


class Scope(AlwaysStarts):
    """The process that keeps the groups of one scope: ``Scope.start_link(name="rooms")``, ``(pg.Scope,)`` as a child.

    A scope that ends forgets its groups; their members live on, and join again when they want to.
    """

    @classmethod
    def child_spec(cls, name: str = DEFAULT) -> ChildSpec:
        """Return the spec by which a supervisor starts the scope of that name."""
        spec = super().child_spec()
        return replace(spec, id=id_from_name(name, spec.id), start=(start_link, name))

    def init(self) -> None:
        """Start without groups."""
        self.groups: dict[Group, list[Pid]] = {}
        self.joined: dict[Pid, list[Group]] = {}
        """The groups of each member, once for each time that it has joined."""
        self.monitors: dict[Pid, Ref] = {}
        self.listeners: dict[Ref, tuple[Pid, Group | None, Ref]] = {}
        """Those who monitor a group, or with None all of them: with the monitor that is set on them."""
        self.remote: dict[Pid, tuple[Ref, dict[Group, list[Pid]]]] = {}
        """The scopes of this name on other nodes, with the monitors set on them, and their members."""
        process = current_process("pg.start_link")
        local = local_node(process.node)
        subscribe_lasting(process, None if local is None else local.node_monitors)
        for name in () if local is None else nodes():
            self._discover(name)

    def handle_call(self, request: Term, caller: From) -> Term:
        """Serve a request of the functions of this module."""
        match tagged(request):
            case "join", (group, list(pids)):
                return self._join(group, pids)
            case "leave", (group, list(pids)):
                return self._leave(group, pids)
            case "monitor", (Pid() as pid, group):
                return self._listen(pid, group)
            case "monitor_scope", (Pid() as pid,):
                return self._listen(pid, None)
            case "demonitor", (Ref() as ref,):
                return self._stop_listening(ref)
        return super().handle_call(request, caller)

    def handle_cast(self, message: Term) -> None:
        """Take the members of a scope on another node, all at once."""
        match matchable(message):
            case "sync", (Pid() as peer, list(groups)):
                self._sync(peer, self._groups_in(groups))

    def handle_info(self, message: Term) -> None:
        """Let a member that died leave its groups, forget a listener that died, and hear other nodes."""
        if type(message) is NodeUp:
            self._discover(message.name)
        elif type(message) is Down and issubclass(type(message.pid), Pid) and issubclass(type(message.ref), Ref):
            self._down(message.ref, message.pid)
        match matchable(message):
            case "discover", (Pid() as peer, *_):
                local = self._local_groups()
                self._tell_peer(
                    peer, [*local], lambda told: (CAST, (Atom("sync"), self_(), [(g, local[g]) for g in told]))
                )
                if peer not in self.remote:
                    self.remote[peer] = (watch(peer), {})
                    send(peer, (Atom("discover"), self_()))
            case "join", (Pid() as peer, group, pids) if peer in self.remote:
                if self._can_keep(group):
                    self._join_remote(peer, group, _pids_in(pids))
            case "leave", (Pid() as peer, pids, list(groups)) if peer in self.remote:
                for group in filter(self._can_keep, groups):
                    self._leave_remote(peer, group, _pids_in(pids))

    def _down(self, ref: Ref, pid: Pid) -> None:
        if pid in self.remote and self.remote[pid][0] == ref:
            for group, pids in [*self.remote[pid][1].items()]:
                self._leave_remote(pid, group, [*pids])
            del self.remote[pid]
            return
        for listener in [key for key, (_, _, watch_of) in self.listeners.items() if watch_of == ref]:
            del self.listeners[listener]
        if self.monitors.get(pid) == ref:
            del self.monitors[pid]
            groups = self.joined.pop(pid, [])
            for group in groups:
                self._take_out(group, pid)
                self._tell("leave", group, [pid])
            self._tell_all(groups, lambda told: (Atom("leave"), self_(), pid, told))

    # -- Other nodes ----------------------------------------------------------------------------------------------

    def _discover(self, node: str) -> None:
        """Ask for the scope of this name on another node; it asks back."""
        name = current_process("pg.start_link").name
        if name is not None:
            send((name, node), (Atom("discover"), self_()))

    def _local_groups(self) -> dict[Group, list[Pid]]:
        found = {group: [pid for pid in pids if pid.node == 0] for group, pids in self.groups.items()}
        return {group: pids for group, pids in found.items() if pids}

    def _tell_all(self, groups: list[Group], message_of: Callable[[list[Group]], Term]) -> None:
        for peer in [*self.remote]:
            self._tell_peer(peer, groups, message_of)

    def _tell_peer(self, peer: Pid, groups: list[Group], message_of: Callable[[list[Group]], Term]) -> None:
        """Tell a scope on another node of groups, without those whose names cannot be sent there."""
        try:
            send(peer, message_of(groups))
        except TypeError as error:
            logger.warning("a group of processes stays unknown on another node: %s", error)
            told = [group for group in groups if _can_tell(peer, group)]
            if told:
                send(peer, message_of(told))

    def _join_remote(self, peer: Pid, group: Group, pids: list[Pid]) -> None:
        if not pids:
            return
        known = self.remote[peer][1]
        known[group] = [*pids, *known.get(group, ())]
        self.groups[group] = [*pids, *self.groups.get(group, ())]
        self._tell("join", group, pids)

    def _can_keep(self, group: Term) -> bool:
        """Return whether a group of another node can be kept here: Erlang takes any term for a name, even a list."""
        try:
            self.groups.get(group)
        except Exception:  # it has no hash, or its `__eq__` raises
            logger.warning("a group of processes of another node stays unknown here, as its name is %r", group)
            return False
        return True

    def _groups_in(self, groups: list[Term]) -> dict[Group, list[Pid]]:
        """Return the groups that a scope on another node has told, those that can be kept."""
        pairs = [entry for entry in groups if type(entry) is tuple and len(entry) == 2]
        return {group: _pids_in(pids) for group, pids in pairs if self._can_keep(group)}

    def _leave_remote(self, peer: Pid, group: Group, pids: list[Pid]) -> None:
        known = self.remote[peer][1]
        gone = []
        for pid in pids:
            if pid in known.get(group, ()):
                known[group].remove(pid)
                self._take_out(group, pid)
                gone.append(pid)
        if not known.get(group):
            known.pop(group, None)
        if gone:
            self._tell("leave", group, gone)

    def _sync(self, peer: Pid, groups: dict[Group, list[Pid]]) -> None:
        """Make the members of a scope on another node those that it has told."""
        if peer not in self.remote:
            self.remote[peer] = (watch(peer), {})
        known = self.remote[peer][1]
        for group in [*known]:
            self._leave_remote(peer, group, _without(known[group], groups.get(group, [])))
        for group, pids in groups.items():
            self._join_remote(peer, group, _without(pids, known.get(group, [])))

    # -- Members --------------------------------------------------------------------------------------------------

    def _join(self, group: Group, pids: list[Pid]) -> Term:
        try:
            self.groups[group] = [*pids, *self.groups.get(group, ())]
        except Exception as error:  # the `__eq__` of a group that there was none of when the caller looked
            return "refused", caught_reason(error)
        for pid in pids:
            if pid not in self.monitors:
                self.monitors[pid] = watch(pid)
            self.joined.setdefault(pid, []).insert(0, group)
        self._tell("join", group, pids)
        self._tell_all([group], lambda told: (Atom("join"), self_(), group, pids))
        return True

    def _leave(self, group: Group, pids: list[Pid]) -> bool:
        gone = [pid for pid in pids if self._leave_once(group, pid)]
        if gone:
            self._tell("leave", group, gone)
            self._tell_all([group], lambda told: (Atom("leave"), self_(), gone, told))
        return bool(gone)

    def _leave_once(self, group: Group, pid: Pid) -> bool:
        groups = self.joined.get(pid, [])
        at = next((at for at, joined in enumerate(groups) if joined is group or is_same(joined, group)), None)
        if at is None:
            return False
        self._take_out(groups.pop(at), pid)
        if not groups:
            del self.joined[pid]
            drop_monitor(self.monitors.pop(pid), flush=True)
        return True

    def _take_out(self, group: Group, pid: Pid) -> None:
        members = self.groups[group]
        members.remove(pid)
        if not members:
            del self.groups[group]

    def _listen(self, pid: Pid, group: Group | None) -> tuple[Ref, Term]:
        ref = Ref()
        self.listeners[ref] = (pid, group, watch(pid))
        found: Term = {name: [*pids] for name, pids in self.groups.items()}
        return ref, found if group is None else found.get(group, [])

    def _stop_listening(self, ref: Ref) -> bool:
        listener = self.listeners.pop(ref, None)
        if listener is None:
            return False
        drop_monitor(listener[2], flush=True)
        return True

    def _tell(self, what: str, group: Group, pids: list[Pid]) -> None:
        for ref, (pid, wanted, _) in self.listeners.items():
            if wanted is None or is_same(wanted, group):
                send(pid, (ref, what, group, [*pids]))


def start_link(scope: str = DEFAULT) -> Pid:
    """Start a scope linked with the caller, and return its Pid (OTP: pg:start_link/1).

    Raises StartError ``("already_started", pid)`` when it runs.
    """
    return Scope.start_link(name=scope)


def start(scope: str = DEFAULT) -> Pid:
    """Start a scope without a link, and return its Pid (OTP: pg:start/1)."""
    return Scope.start(name=scope)


def _can_tell(peer: Pid, group: Group) -> bool:
    """Return whether the name of a group can be sent to a scope on another node."""
    process = peer.process
    return not isinstance(process, RemoteProcess) or process.remote.takes(group)


def _without(pids: list[Pid], others: list[Pid]) -> list[Pid]:
    """Return `pids` without one of each of the others."""
    left = [*others]
    kept = []
    for pid in pids:
        if pid in left:
            left.remove(pid)
        else:
            kept.append(pid)
    return kept


def _pids_in(pids: Term) -> list[Pid]:
    return [pid for pid in (pids if isinstance(pids, list) else [pids]) if isinstance(pid, Pid)]
