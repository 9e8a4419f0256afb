"""What stands for a process of another node: a record with the slots of a local one, whose tables send signals.

The kernel links, monitors and sends as it does at home. It puts entries into the tables of the target, and takes them
out: here each of these steps is also a signal to the other node. So there is one way for local and remote signals, and
no branch on it where processes are local.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import unwrap
from typing import TYPE_CHECKING, Any, TypeVar

from runtime.compiled.choice import compiled
from runtime.distribution.parts import ID_BITS
from runtime.kernel.process import REMOTE, ForeignPid, Pid, Process
from runtime.kernel.roles import Watcher
from runtime.kernel.signals import exit_signal
from runtime.terms.atom import Atom
from runtime.terms.own_repr import bounded
from runtime.terms.ref import Ref, next_number
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

T = TypeVar("T")

exit_by_source = unwrap(exit_signal)
"""`exit_signal`, not compiled: after a function of C's Python runs the handlers of signals. Where one raises, the exit
would be delivered again."""


class _RemoteBody:
    """What a process of another node runs, as far as it is known here."""

    initial_call = "unknown"

    def _run_process(self, process: Process, worker: Any) -> None:
        """Never called: it runs elsewhere."""


class Watchers(dict[int, Watcher]):
    """The watchers of a remote process, which learn of its death. Each entry is a monitor at the other node."""

    def __init__(self, process: RemoteProcess) -> None:
        self.process = process

    @compiled("runtime.distribution._exchange", "set_watcher")
    def __setitem__(self, number: int, entry: Watcher) -> None:
        super().__setitem__(number, entry)
        self.process.remote.begin_monitor(self.process, number, entry)

    def adopt(self, number: int, entry: Watcher) -> None:
        """See `RemoteProcess.adopt_watcher`."""
        super().__setitem__(number, entry)
        self.process.remote.local.monitors[number] = (self.process, entry)

    def __delitem__(self, number: int) -> None:
        entry = super().pop(number)
        process = self.process
        if not self:
            process.forget_watchers()
        process.remote.end_monitor(process, number, entry)

    def pop(self, number: int, default: Any = None) -> Any:
        """Take an entry out, and its monitor away."""
        entry = self.get(number, default)
        if number in self:
            del self[number]
        return entry

    def take(self, number: int) -> Watcher | None:
        """See `RemoteProcess.take_watcher`."""
        entry = super().pop(number, None)
        if not self:
            self.process.forget_watchers()
        return entry


class Links(dict[Process, "tuple[Process] | None"]):
    """The local processes that are linked with a remote one. Each entry is a link at the other node."""

    def __init__(self, process: RemoteProcess) -> None:
        self.process = process

    def __setitem__(self, local: Process, nothing: tuple[Process] | None) -> None:
        if local not in self:
            super().__setitem__(local, None)
            self.process.remote.begin_link(self.process, local)

    def __delitem__(self, local: Process) -> None:
        if local in self:
            self.drop(local)
            self.process.remote.end_link(self.process, local)

    def add(self, local: Process) -> None:
        """Take up a link that the other node has set."""
        super().__setitem__(local, None)

    def drop(self, local: Process) -> None:
        """Forget a link that is over."""
        super().pop(local, None)
        if not self:
            self.process.forget_links()


class RemoteProcess(Process):
    """A process of another node. `pid` is made anew each time: the two must not hold one another.

    What it has in common with all others of its kind is an attribute of the class.
    """

    __slots__ = ("__weakref__", "_links", "_watchers", "number", "origin", "remote", "serial")

    body = _RemoteBody()
    parent = None
    started_at = 0.0
    state = REMOTE
    worker = None
    saved = None
    loop = None
    needs_cleanup = False
    wakes_slowly = False
    waiting_for = None
    reason = None
    monitors = None
    name = None
    trap_exit = True
    ancestors = None

    remote: RemoteNode
    origin: int
    """The number of the node in this life of it, as its pids print it."""

    def __init__(self, remote: RemoteNode, origin: int, number: int, serial: int) -> None:
        self.remote = remote
        self.node = remote.node
        self.origin = origin
        self.number = number
        self.serial = serial
        self.messages_in = 0
        self._links: Links | None = None
        self._watchers: Watchers | None = None

    @property
    def pid(self) -> Pid:  # type: ignore[override]
        """Its Pid."""
        return ForeignPid(self.number, self, node=self.origin, serial=self.serial)

    @property
    def address(self) -> Term:
        """What names it in a signal to its node."""
        return self.pid

    def send_at_once(self, sending: Callable[[], object], noconnect: bool) -> bool:
        """See `RemoteTarget.send_at_once`."""
        return self.remote.send_at_once(sending, noconnect)

    def short_address(self) -> str | int | None:
        """Return what names it in a short entry; None where it is of another life of its node."""
        return self.number | self.serial << ID_BITS if self.origin == self.remote.life else None

    @property
    def pid_there(self) -> str:
        """Its pid as its own node prints it."""
        if self.remote.is_python:
            return f"<0.{self.number | self.serial << ID_BITS}.0>"
        return f"<0.{self.number}.{self.serial}>"

    @property
    def place(self) -> str:
        """Where it is, as observers show it."""
        return f"on {self.remote.name}"

    @bounded
    def __repr__(self) -> str:
        return f"RemoteProcess({self.pid} on {self.remote.name})"

    @property
    def mailbox(self) -> RemoteProcess:  # type: ignore[override]
        """What takes the messages to it: itself."""
        return self

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())

    def append(self, message: Term) -> None:
        """Send it a message."""
        self.remote.send(self, message)

    def exit(self, sender: Pid, reason: Term, linked: bool) -> None:
        """Send it an exit signal."""
        self.remote.send_exit(self, sender, reason, linked)

    @property
    def watchers(self) -> Watchers | None:
        """Who watches it from here, None while nothing does."""
        return self._watchers

    @watchers.setter
    def watchers(self, entries: dict[int, Watcher] | None) -> None:
        """Each entry that is set is a monitor at the other node."""
        self._watchers = watchers = Watchers(self)
        for number, entry in (entries or {}).items():
            watchers[number] = entry

    def adopt_watcher(self, number: int, entry: Watcher) -> None:
        """Take up a monitor that the other node has already."""
        if self._watchers is None:
            self._watchers = Watchers(self)
        self._watchers.adopt(number, entry)

    @compiled("runtime.distribution._exchange")
    def take_watcher(self, number: int) -> Watcher | None:
        """Take an entry out whose monitor is over; `LocalNode.monitors` has it until it is told."""
        return None if self._watchers is None else self._watchers.take(number)

    @property
    def links(self) -> Links:
        """Who is linked with it here."""
        found = self._links
        if found is None:
            found = self._links = Links(self)
        return found

    @links.setter
    def links(self, links: Links) -> None:
        """Nothing changes: the tables change themselves."""

    def forget_watchers(self) -> None:
        """Drop a table that is empty."""
        self._watchers = None

    def forget_links(self) -> None:
        """Drop a table that is empty."""
        self._links = None

    def links_for(self, other: Process) -> tuple[Links, Links]:
        """See `Process.links_for`: an entry that is set is a LINK to the other node."""
        return self.links, self.links

    def links_without(self, other: Process) -> tuple[Links, Links]:
        """See `Process.links_without`: an entry that is deleted is an UNLINK to the other node."""
        return self.links, self.links

    def drop_link(self, other: Process) -> None:
        """Forget a link that is over."""
        self.links.drop(other)

    def lose(self, watch_reason: Any) -> None:
        """Tell those linked and watching that its node cannot be reached. `watch_reason(entry)` is what each hears."""
        pid, monitors = self.pid, self.remote.local.monitors
        for local in [*(self._links or ())]:
            self.lose_link(local, pid, "noconnection")
        for number, entry in [*(self._watchers or {}).items()]:
            entry.fire(self, watch_reason(entry))
            self.take_watcher(number)
            monitors.pop(number, None)

    def lose_link(self, local: Process, pid: Pid, reason: Term) -> None:
        """Deliver the exit signal that comes through a link, which is over then.

        Done again, it goes on where an exception has ended it: the half of the link that is here goes last.
        """
        links = self.links
        local.drop_link(self)
        if local in links:
            exit_by_source(local, pid, reason, linked=True)  # no handler runs from its end to the next step
            dict.pop(links, local, None)
        if not links:
            self.forget_links()


class RemoteName(RemoteProcess):
    """A name on another node, and whatever process is registered there when a signal arrives."""

    __slots__ = ("_address", "key")

    def __init__(self, remote: RemoteNode, key: str) -> None:
        super().__init__(remote, 0, 0, 0)
        self.key = str.__str__(key)  # no string of a class of the program's, which the other node may not have
        self._address = Atom(self.key)

    @property
    def pid(self) -> Any:  # type: ignore[override]
        """Its destination: it has no Pid."""
        return (self.key, self.remote.name)

    @property
    def place(self) -> str:
        """The name, and where it is, as observers show them."""
        return f"{self.key} on {self.remote.name}"

    def short_address(self) -> str | int | None:
        """Return the name."""
        return self.key

    @property
    def address(self) -> Term:
        """The name, as an atom."""
        return self._address


class RemoteAlias(RemoteProcess):
    """An alias of a process of another node: messages go to it, and nothing else does."""

    __slots__ = ("ref",)

    def __init__(self, remote: RemoteNode, ref: Ref) -> None:
        super().__init__(remote, 0, 0, 0)
        self.ref = ref

    @property
    def pid(self) -> Any:  # type: ignore[override]
        """The alias: whose it is stays unknown."""
        return self.ref

    def append(self, message: Term) -> None:
        """Send it a message."""
        self.remote.send_alias(self.ref, message)


class RemoteWatch:
    """A monitor that a process of another node has set on a local one."""

    __slots__ = ("key", "name", "ref", "remote", "watcher")

    def __init__(self, remote: RemoteNode, watcher: RemoteProcess, ref: Ref, name: str | None) -> None:
        self.remote = remote
        self.watcher = watcher
        self.ref = ref
        self.name = name
        """The name by which the monitor was set."""
        self.key = -next_number()
        """Its number among the watchers, which no local reference has."""

    def fire(self, process: Process, reason: Term) -> None:
        """Tell the other node that `process` is dead."""
        self.remote.watches.pop(self.ref, None)
        address = process.pid if self.name is None else Atom(self.name)
        self.remote.tell_down(address, self.watcher.pid, self.ref, reason)
