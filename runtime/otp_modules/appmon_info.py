"""The applications of this node and their trees, for the view of them in OTP's observer (OTP: appmon_info).

The program itself is one of them, named after the node. A tree goes from a process to those that it has started.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.application.controller import CONTROLLER
from runtime.kernel.mailbox import send
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, Pid, Process
from runtime.kernel.processes import flag, link, self_
from runtime.kernel.send_after import send_after
from runtime.kernel.signals import Exit
from runtime.otp.calls import call
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import Stop
from runtime.otp_modules.described import atom, chars
from runtime.otp_modules.erlang import application_line, applications
from runtime.terms.atom import Atom
from runtime.terms.tag import tagged
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

NAME = "appmon_info"

PERIOD = 2.0
"""Seconds between two looks, as in OTP."""

LARGEST = 2_000
"""Processes of a tree that are told; it is drawn as a whole."""

AVOIDED = (CONTROLLER, "net_kernel", NAME)
"""Names of processes that belong to no application."""

NOTHING: Term = ([], [], [], [])


class AppmonInfo(GenServer):
    """Tells its clients of the applications and the trees that they have asked for, whenever these have changed."""

    def init(self, node: Node, program: str, client: Pid) -> None:
        """Begin with one client. It ends with the last one."""
        flag(trap_exit=True)
        self.node = node
        self.program = program
        self.clients = [client]
        self.wanted: dict[tuple[Pid, str, Term], Term] = {}
        """What was told last, by client, kind and what it is about."""
        link(client)
        send_after(self_(), "look", PERIOD)

    def handle_call(self, request: Term, caller: Term) -> Term:
        """Take one more client."""
        match tagged(request):
            case "register_client", (Pid() as client,):
                if client not in self.clients:
                    self.clients.append(client)
                    link(client)
        return Atom("ok")

    def handle_cast(self, message: Term) -> None:
        """Begin to tell a client of something, or stop."""
        match message:
            case (Pid() as client, "app" | "app_ctrl" as kind, str(about), is_wanted, _):
                key = (client, str(kind), about)
                self.wanted.pop(key, None)
                if is_wanted is True:
                    self.wanted[key] = None
                    self._tell(key)

    def handle_info(self, message: Term) -> Term:
        """Look again, or forget a client that has gone."""
        if isinstance(message, Exit):
            gone = message.pid
            self.clients = [each for each in self.clients if each != gone]
            self.wanted = {key: old for key, old in self.wanted.items() if key[0] != gone}
            return None if self.clients else Stop("normal")
        if message == "look":
            for key in [*self.wanted]:
                self._tell(key)
            send_after(self_(), "look", PERIOD)
        return None

    def _tell(self, key: tuple[Pid, str, Term]) -> None:
        client, kind, about = key
        found = self._applications() if kind == "app_ctrl" else self._tree(about)
        if found != self.wanted[key]:
            self.wanted[key] = found
            send(client, (Atom("delivery"), self_(), Atom(kind), about, found))

    def _tops(self) -> dict[str, tuple[Pid, Term]]:
        """Return the process at the top of each application, and the line about it, by name."""
        tops: dict[str, tuple[Pid, Term]] = {}
        first = next((each for each in self.node.processes() if _begins_a_program(each)), None)
        if first is not None:
            line = (atom(self.program), chars(f"the program of {self.program}"), chars(""))
            tops[self.program] = (first.pid, line)
        for name, (found, master) in applications(self.node).items():
            tops[name] = (master, application_line(name, found))
        return tops

    def _applications(self) -> Term:
        return [(pid, atom(name), line) for name, (pid, line) in self._tops().items()]

    def _tree(self, name: Term) -> Term:
        top = self._tops().get(str(name))
        process = None if top is None else top[0].process
        return NOTHING if process is None else tree_of(self.node, process)


def _begins_a_program(process: Process) -> bool:
    return process.parent is None and process.body is not None and not process.detached and process.name not in AVOIDED


def tree_of(node: Node, top: Process) -> Term:
    """Return a tree as the observer draws it: its top, the Pid of each text, who has started whom, and other links.

    A process whose starter is dead hangs from one that it is linked with.
    """
    started: dict[Process, list[Process]] = {}
    for process in node.processes():
        parent = process.parent.process if process.parent is not None else None
        if parent is not None and process.name not in AVOIDED and process.body is not None:
            started.setdefault(parent, []).append(process)
    seen: dict[Process, None] = {top: None}
    edges: list[tuple[Process, Process]] = []
    waiting = [top]
    for process in waiting:  # which grows
        adopted = [each for each in process.links if _is_orphan(node, each)]
        for child in (*started.get(process, ()), *adopted):
            if child not in seen and len(seen) < LARGEST:
                seen[child] = None
                edges.append((process, child))
                waiting.append(child)
    drawn = {*edges}
    others = [
        (process, other)
        for process in seen
        for other in process.links
        if other in seen and process.pid < other.pid and not {(process, other), (other, process)} & drawn
    ]
    text = {process: chars(_text(process)) for process in seen}
    return (
        text[top],
        [(process.pid, text[process]) for process in seen],
        [(text[parent], text[child]) for parent, child in edges],
        [(text[one], text[other]) for one, other in others],
    )


def _is_orphan(node: Node, process: Process) -> bool:
    """Return whether a linked process of this node has a starter that is dead."""
    if process.node is not node or process.state is DEAD or process.name in AVOIDED or process.body is None:
        return False
    return process.parent is not None and process.parent.node == 0 and process.parent.process is None


def _text(process: Process) -> str:
    """Return the text of a box. One that begins with ``<`` is shown as a pid of this node as others write it."""
    return str(process.pid) if process.name is None else str(process.name)


def _start_link2(remote: RemoteNode, starter: Pid, client: Pid, options: Term) -> Term:
    """Start the server, or have the one that runs take one more client."""
    running = remote.node.names.get(NAME)
    if running is None:
        program = remote.local.name.partition("@")[0]
        return Atom("ok"), AppmonInfo.start(remote.node, program, client, name=NAME)
    call(running.pid, ("register_client", client))
    return Atom("ok"), running.pid


FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {("appmon_info", "start_link2"): _start_link2}
"""What this module answers, by module and name of OTP."""
