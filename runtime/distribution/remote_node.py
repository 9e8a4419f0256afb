"""One other node: the connection to it, what waits for one, and the processes of it that are known here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from gevent.event import Event

from runtime.compiled.choice import compiled
from runtime.distribution.connection import Connection
from runtime.distribution.figures import Figures
from runtime.distribution.parts import ABSENT, ID_BITS, ID_MASK
from runtime.distribution.pickled import SHORT_CALL, SHORT_CAST, SHORT_REPLY, SHORT_SEND
from runtime.distribution.reasons import instead_of, outgoing_reason
from runtime.distribution.remote_calls import ShortFrom, call_in, outgoing_message, report_lost_call
from runtime.distribution.remote_process import RemoteName, RemoteProcess, RemoteWatch
from runtime.kernel.node import Node, current
from runtime.kernel.process import OUTSIDE, RUNNING, WAITING, Pid, Process
from runtime.kernel.roles import Watcher
from runtime.kernel.signals import watchers_of
from runtime.otp.calls import CALL, CAST, SYSTEM, Failure, From
from runtime.terms.atom import Atom
from runtime.terms.log import Log
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.cluster import LocalNode
    from runtime.distribution.spawn_requests import Start

logger = Log("runtime.distribution")

LINK, SEND, EXIT, UNLINK = 1, 2, 3, 4
REG_SEND, EXIT2 = 6, 8
MONITOR_P, DEMONITOR_P, MONITOR_P_EXIT = 19, 20, 21
SPAWN_REQUEST, SPAWN_REPLY = 29, 31
ALIAS_SEND, UNLINK_ID, UNLINK_ID_ACK = 33, 35, 36

_WITHOUT_NOTE = {SEND: 3, REG_SEND: 4}
"""The parts of these control messages in OTP's protocol. Nodes of this package may add a note, and ignore one."""

UNUSED = Atom("")
"""Stands where a control message once had the cookie."""

MOST_WAITING = 1_000
"""Signals that wait for a connection at most before those who send more of them have to wait, too."""


MOST_RECENT = 200
"""Names that are kept; when there are more, all are let go."""


class RemoteNode:
    """Another node, by name: through all its lives, connected or not."""

    def __init__(self, local: LocalNode, name: str) -> None:
        self.local = local
        self.node: Node = local.node
        self.name = name
        self.connection: Connection | None = None
        self.is_connecting = False
        self.settled = Event()
        """Set while no attempt to connect runs."""
        self.settled.set()
        self.waiting: deque[tuple[tuple[Any, ...], Any]] = deque()
        """Signals for the next connection."""
        self.held: dict[Process, None] = {}
        """Processes that wait until the connection takes more."""
        self.unheld: Process | None = None
        """A process that does not wait at this moment, whatever it sends."""
        self.processes: WeakValueDictionary[tuple[int, int, int], RemoteProcess] = WeakValueDictionary()
        """By the number of the life, and the two numbers of the pid."""
        self.names: WeakValueDictionary[str, RemoteName] = WeakValueDictionary()
        self.recent_names: dict[str, RemoteName] = {}
        """Those of `names` that were used last, which are kept: one cast follows another."""
        self.watches: dict[Ref, tuple[Process, RemoteWatch]] = {}
        """The monitors from there."""
        self.calls: dict[int, ShortFrom] = {}
        """The calls from there that came as short entries, by number, until they are answered."""
        self.life = 0
        """The number of the life that it is connected in, as its pids print it."""
        self.recent: dict[int, RemoteProcess] = {}
        """Processes of that life that signals came from last, by number: one call follows another."""
        self.unsent: tuple[RemoteProcess, int, Watcher] | None = None
        """The monitor of a call that begins: where the request goes as a short entry, it stands for both."""
        self.unlinking: dict[tuple[Pid, RemoteProcess], int] = {}
        """Links taken away here, which the other node has not confirmed yet; no exit signal comes through them."""
        self.unlinks = 0
        self.spawning: dict[int, Any] = {}
        """Requests to start a process there, by the numbers of their references."""
        self.starts: dict[Ref, Start] = {}
        """Processes that are being started here for one there, by its reference."""
        self.leaves: tuple[Connection, str] | None = None
        """The connection that has ended, and why, until all have been told."""
        self.last: Connection | None = None
        """The last connection, which may be over."""
        self.ended_at: float | None = None
        """When that ended, or when a connection could last not be made; None while neither has happened."""
        self.end_reason = ""
        self.figures = Figures()

    @property
    def is_python(self) -> bool:
        """Whether it is connected, and one of this package's."""
        return self.connection is not None and self.connection.is_python

    # -- What goes out ------------------------------------------------------------------------------------------

    def signal(self, control: tuple[Any, ...], payload: Any = ABSENT) -> None:
        """Send a control message, once there is a connection; a caller that sends too much has to wait."""
        if self.unsent is not None:
            self._send_unsent()
        connection = self.connection
        if connection is None:
            self._wait_for_connection(control, payload)
        else:
            connection.send(control, payload)
            if connection.is_busy():
                self._hold(connection)

    def _wait_for_connection(self, control: tuple[Any, ...], payload: Any) -> None:
        self.waiting.append((control, payload))
        self.connect()
        if len(self.waiting) > MOST_WAITING:
            process = current()
            if process is not None and process.state is RUNNING and process is not self.unheld:
                self.settled.wait()

    def connect(self) -> None:
        """Begin to connect, unless it is connected or being connected."""
        if self.connection is None and not self.is_connecting:
            self.local.net_kernel.connect(self.name)  # whose outcome comes in a later turn of the hub
            self.settled.clear()
            self.is_connecting = True

    def _hold(self, connection: Connection) -> None:
        """Let the calling process wait until the connection takes more (OTP: busy_dist_port)."""
        process = current()
        if process is None or process.state is not RUNNING or process is self.unheld:
            return
        while connection.is_up and connection.is_busy():
            self.held[process] = None
            try:
                self.node.scheduler.park(process, WAITING)
            finally:
                self.held.pop(process, None)

    def send_at_once(self, sending: Callable[[], object], noconnect: bool) -> bool:
        """Do what sends a message there, unless the caller would have to wait: then return False, with nothing done."""
        connection = self.connection
        if (noconnect or len(self.waiting) > MOST_WAITING) if connection is None else connection.is_busy():
            return False
        self.unheld = current()
        try:
            sending()
        finally:
            self.unheld = None
        return True

    def _has_room(self, connection: Connection) -> None:
        self.go_on()

    def go_on(self) -> None:
        """Let those go on that wait for the connection."""
        for process in [*self.held]:  # each takes itself out
            if process.state is WAITING:
                self.node.scheduler.wake(process)

    @compiled("runtime.distribution._exchange", "send_there")
    def send(self, target: RemoteProcess, message: Term) -> None:
        """Send a message to a process or a name."""
        connection = self.connection
        if connection is not None and connection.pickles and self._send_shortly(connection, target, message):
            if connection.is_busy():
                self._hold(connection)
            return
        self.signal(self._sending(target), outgoing_message(message, self))

    def takes(self, value: Term) -> bool:
        """Return whether a value can be sent there; True while it is not connected."""
        return self.connection is None or self.connection.takes(value)

    def send_noted(self, target: RemoteProcess, message: Term, note: Term) -> None:
        """Send a message with a note beside it. A node of Erlang or Elixir gets the message alone."""
        control = self._sending(target)
        if self.connection is None or self.connection.is_python:  # `up` looks again
            control = (*control, note)
        self.signal(control, outgoing_message(message, self))

    def _sending(self, target: RemoteProcess) -> tuple[Any, ...]:
        """Return the control message that a message to a process or a name goes with."""
        if type(target) is not RemoteName:
            return (SEND, UNUSED, target.pid)
        sender = current()
        return (REG_SEND, self.local.nobody if sender is None else sender.pid, UNUSED, target.address)

    def _send_shortly(self, connection: Connection, target: RemoteProcess, message: Term) -> bool:
        """Send a message as a short entry. Returns False, with nothing done, if it does not fit into one."""
        receiver = target.short_address()
        if receiver is None:
            return False
        unsent = self.unsent
        if type(message) is tuple and message:
            tag = message[0]
            if tag is CALL and unsent is not None and len(message) == 3:
                origin: From = message[1]
                if unsent[0] is not target or unsent[2] is not origin:
                    return False
                if not connection.send_short((SHORT_CALL, receiver, origin.watcher.pid.id, unsent[1], message[2])):
                    return False
                self.unsent = None
                return True
            if tag is CALL or tag is SYSTEM:
                return False
            if tag is CAST and len(message) == 2:
                if unsent is not None:
                    self._send_unsent()
                return connection.send_in_run(SHORT_CAST, receiver, message[1])
        if unsent is not None:
            self._send_unsent()
        return connection.send_in_run(SHORT_SEND, receiver, message)

    def go_on_sending(self, connection: Connection) -> None:
        """See that what was taken into a batch is sent; a caller that sends too much has to wait."""
        connection.send_queued()
        if connection.keeps_much():
            self._hold(connection)

    def reply_shortly(self, call: int, reply: Term) -> bool:
        """Send a reply as a short entry. Returns False, with nothing done, if it does not fit into one."""
        connection = self.connection
        if connection is None or not connection.pickles or not connection.send_short((SHORT_REPLY, call, reply)):
            return False
        if connection.is_busy():
            self._hold(connection)
        return True

    def send_alias(self, ref: Ref, message: Term) -> None:
        """Send a message to an alias."""
        sender = current()
        self.signal((ALIAS_SEND, self.local.nobody if sender is None else sender.pid, ref), message)

    def send_exit(self, target: RemoteProcess, sender: Pid, reason: Term, linked: bool) -> None:
        """Send an exit signal."""
        if sender is OUTSIDE:
            sender = self.local.nobody
        self._send_reason((EXIT if linked else EXIT2, sender, target.pid), reason)

    def tell_down(self, address: Term, watcher: Pid, ref: Ref, reason: Term) -> None:
        """Tell a process there of the death of one here that it monitors."""
        self._send_reason((MONITOR_P_EXIT, address, watcher, ref), reason)

    def _send_reason(self, control: tuple[Any, ...], reason: Term) -> None:
        """Send a reason; one that does not travel goes as a text: the other side must hear in any case."""
        connection = self.connection
        if connection is None:
            if control[0] == EXIT2:
                self.signal((*control, outgoing_reason(reason, is_python=False)))
            return  # whoever was linked or watching there has learned of the lost connection
        try:
            self.signal((*control, outgoing_reason(reason, connection.is_python)))
        except (TypeError, RecursionError) as error:
            self.signal((*control, instead_of(reason, error, connection.is_python)))

    def begin_link(self, target: RemoteProcess, local: Process) -> None:
        """Link a process there with a local one."""
        self.signal((LINK, local.pid, target.pid))

    def end_link(self, target: RemoteProcess, local: Process) -> None:
        """Take a link away."""
        if self.connection is None and not self.is_connecting:
            return
        self.unlinks += 1
        self.unlinking[local.pid, target] = self.unlinks
        self.signal((UNLINK_ID, self.unlinks, local.pid, target.pid))

    def begin_monitor(self, target: RemoteProcess, number: int, entry: Watcher) -> None:
        """Monitor a process there."""
        watcher = entry.watcher
        assert watcher is not None
        self.local.monitors[number] = (target, entry)
        if isinstance(entry, From) and self.connection is not None and self.connection.pickles:
            if self.unsent is not None:
                self._send_unsent()
            self.unsent = (target, number, entry)
        else:
            self.signal((MONITOR_P, watcher.pid, target.address, Ref(number)))

    def _send_unsent(self) -> None:
        assert self.unsent is not None
        (target, number, entry), self.unsent = self.unsent, None
        assert entry.watcher is not None
        self.signal((MONITOR_P, entry.watcher.pid, target.address, Ref(number)))

    def end_monitor(self, target: RemoteProcess, number: int, entry: Watcher) -> None:
        """Take a monitor away."""
        if self.unsent is not None and self.unsent[1] == number:
            self.unsent = None
            self.local.monitors.pop(number, None)
            return
        if self.local.monitors.pop(number, None) is None or (self.connection is None and not self.is_connecting):
            return
        watcher = entry.watcher
        assert watcher is not None
        self.signal((DEMONITOR_P, watcher.pid, target.address, Ref(number)))

    # -- What is known of it --------------------------------------------------------------------------------------

    def process(self, origin: int, number: int, serial: int) -> RemoteProcess:
        """Return what stands for one of its processes."""
        key = (origin, number, serial)
        found = self.processes.get(key)
        if found is None:
            found = self.processes[key] = RemoteProcess(self, origin, number, serial)
        return found

    def named(self, name: str) -> RemoteName:
        """Return what stands for whatever is registered there under `name`."""
        found = self.recent_names.get(name)
        if found is not None:
            return found
        found = self.names.get(name)
        if found is None:
            found = self.names[name] = RemoteName(self, name)
        if len(self.recent_names) >= MOST_RECENT:
            self.recent_names.clear()
        self.recent_names[name] = found
        return found

    def watch(self, process: Process, watcher: RemoteProcess, ref: Ref, name: str | None) -> None:
        """Take up a monitor that a process there sets on a local one."""
        known, entry = self.watches.get(ref, (None, None))  # there already where an exception has struck after that
        if known is not process or entry is None:
            entry = RemoteWatch(self, watcher, ref, name)
        self.watches[ref] = (process, entry)
        watchers_of(process)[entry.key] = entry

    def own_ref(self, number: int) -> Ref:
        """Return one of its references, as this node has it, by the number that it has there."""
        return self.local.foreign_ref(number, self.life)

    def sender(self, number: int) -> RemoteProcess:
        """Return what stands for one of its processes in this life, by the number that it has there."""
        found = self.recent.get(number)
        if found is None:
            if len(self.recent) >= MOST_RECENT:
                self.recent.clear()
            found = self.recent[number] = self.process(self.life, number & ID_MASK, number >> ID_BITS)
        return found

    def watch_call(self, origin: ShortFrom) -> None:
        """Take up a call that is the monitor of its server as well."""
        self.calls[origin.call] = origin
        watchers_of(origin.server)[-origin.number] = origin

    def drop_watch(self, ref: Ref) -> None:
        """Take a monitor of a process there away."""
        process, entry = self.watches.pop(ref, (None, None))
        if process is None and self.calls and ref.node == self.life:
            call = self.calls.pop(self.local.number_there(ref), None)
            if call is not None:
                call.stop_watching()
        if process is not None and entry is not None and process.watchers is not None:
            process.watchers.pop(entry.key, None)

    # -- The connection -------------------------------------------------------------------------------------------

    def up(self, connection: Connection) -> None:
        """Begin with a new connection: what waited goes first. Done again, it goes on where an exception has ended it.

        Until all has gone, what is sent meanwhile waits as well.
        """
        self.last = connection
        self.figures = Figures()
        self.life = self.local.number_of(connection.name, connection.creation)
        connection.on_idle = self._has_room
        waiting = self.waiting
        while waiting:
            control, payload = waiting[0]
            if not connection.is_python:
                control = control[: _WITHOUT_NOTE.get(control[0])]
            try:  # in one line: no handler of a signal comes in between
                _, _ = connection.send(control, payload), waiting.popleft()
            except TypeError as error:
                waiting.popleft()
                logger.error("a message to %s was dropped: %s", self.name, error)
                self._refuse(control, payload, error)
        self.is_connecting = False
        self.settled.set()
        self.connection = connection

    def _refuse(self, control: tuple[Any, ...], payload: Any, error: TypeError) -> None:
        """Tell who waits for the outcome of a signal that has turned out to be one that cannot be sent."""
        if control[0] == SPAWN_REQUEST:
            request = self.spawning.pop(control[1].id, None)
            if request is not None:
                request.refuse(error)
        else:
            call = call_in(payload, self)
            if call is not None:
                call.settle(Failure(("badarg", str(error))))

    def note_end(self, reason: str) -> None:
        """Remember when and why the connection has ended, or could not be made."""
        self.ended_at, self.end_reason = time.time(), reason

    def down(self) -> None:
        """Tell all that have to do with processes there that these cannot be reached, once.

        Done again, it goes on where an exception has ended it: each entry goes after it was told.
        """
        self.connection = None
        self.is_connecting = False
        self.waiting.clear()
        self.unsent = None
        self.unlinking.clear()
        self.recent.clear()
        for call in [*self.calls.values()]:
            call.stop_watching()
        self.calls.clear()
        for process, watch in [*self.watches.values()]:
            if process.watchers is not None:
                process.watchers.pop(watch.key, None)
        self.watches.clear()
        for process in [*self.processes.values(), *self.names.values()]:
            process.lose(self._lost)
        for request in [*self.spawning.values()]:
            request.start_reply("noconnection")
        self.spawning.clear()
        self.starts.clear()
        self.settled.set()
        self.go_on()

    def _lost(self, entry: Watcher) -> Term:
        return report_lost_call(entry, self.name) if isinstance(entry, From) else "noconnection"

    def lose_link(self, local: Process, target: RemoteProcess, reason: Term) -> None:
        """Deliver the exit signal that came through a link, which is over."""
        if (local.pid, target) not in self.unlinking:
            target.lose_link(local, target.pid, reason)
