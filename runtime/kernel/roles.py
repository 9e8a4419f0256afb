"""The roles that other layers play for a process: what it runs, what it waits in, what watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.kernel.process import Destination, Pid, Process, Worker
    from runtime.terms.ref import Ref


class Body(Protocol):
    """What a process runs."""

    @property
    def initial_call(self) -> str:
        """What the process was started with, as ``module.function``."""

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Run on the stack of `worker`, to the end of the process or until it waits without a stack."""


class NameTable(Protocol):
    """The body of a registry: what ``("via", registry, key)`` names need of it."""

    def whereis_name(self, key: Term, /) -> Pid | None:
        """Return the Pid that has the key."""

    def register_name(self, where: Destination, key: Term, pid: Pid, value: Term = None, /) -> object:
        """Register a starting server under the key. `where` is how the registry was named."""

    def unregister_name(self, where: Destination, key: Term, /) -> object:
        """Take the key back from a server that did not start."""


class Tree(Protocol):
    """The body of a process that stops others before itself: a supervisor's, or the application controller's."""

    def shutdown_time(self) -> float:
        """Return the seconds that its tree may take to shut down, infinity for no limit."""


class Waiter(Protocol):
    """A call that a process waits in."""

    @property
    def server(self) -> Process:
        """The process that is to answer."""

    def forget(self) -> None:
        """Drop the call: its caller no longer waits."""


class Watcher(Protocol):
    """An entry among the watchers of a process: a monitor, a call, or what waits for the end of the first process."""

    @property
    def watcher(self) -> Process | None:
        """The process that watches, None for code outside any process."""

    def fire(self, process: Process, reason: Term) -> None:
        """Tell the watcher that `process` is dead."""


class RemoteTarget(Protocol):
    """The record of a process of another node, beyond what it shares with `Process`."""

    def exit(self, sender: Pid, reason: Term, linked: bool) -> None:
        """Send it an exit signal: from exit/2, or through a link, which ends with it."""

    def send_at_once(self, sending: Callable[[], object], noconnect: bool) -> bool:
        """Do what sends it a message, unless the caller would have to wait: then return False, with nothing done."""


class Cluster(Protocol):
    """The other nodes, as the kernel sees them: what `node=` and ``(name, node)`` need."""

    name: str
    """The name of this node."""

    def resolve(self, name: str, node: str) -> Process | None:
        """Return what stands for the process registered as `name` on that node; None for a free name of this node."""

    def cast(self, dest: tuple[object, ...], message: Term) -> bool:
        """Cast a small message that cannot change to a name on another node. Returns False, with nothing done, if that
        is not what it is: the usual way is the one to take then.
        """

    def send(self, dest: object, message: Term) -> bool:
        """Send to a process or a name on another node. Returns False, with nothing done, as `cast` does."""

    def alias(self, ref: Ref) -> Process | None:
        """Return what stands for the process behind an alias of another node."""

    def abandon(self) -> None:
        """Drop the other nodes, in the child of a fork."""

    def name_of(self, pid: Pid) -> str:
        """Return the name of the node that a pid belongs to."""

    def spawn(
        self, node: str, fn: object, args: tuple[Term, ...], kwargs: dict[str, Term], name: str | None, kind: str
    ) -> tuple[Pid, Ref | None]:
        """Start a process on another node; `kind` is ``"spawn"``, ``"link"`` or ``"monitor"``."""

    def whereis(self, name: str, node: str) -> Pid | None:
        """Ask another node for the process that is registered as `name`."""
