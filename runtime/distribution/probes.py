"""What an observer asks of other nodes: how soon they answer, how many processes they have, and what they run.

A question costs the other node next to nothing. It is a monitor of a name that no process there has, so the answer
comes at once. A node of this package puts its figures into that answer. A BEAM node answers that there is no such
process, and runs a call of ``erlang:system_info`` for each figure.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runtime.distribution.figures import NAME
from runtime.distribution.remote_node import MONITOR_P, SPAWN_REQUEST, RemoteNode
from runtime.kernel.process import Process
from runtime.terms.atom import Atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.cluster import LocalNode

PERIOD = 0.5
"""Seconds between two questions to one node, at least, however many observers look."""

LONGEST = 200
"""Characters of a version that are kept."""


def ask_all(local: LocalNode) -> None:
    """Ask each connected node for its figures, unless it was asked a moment ago. In the hub."""
    now = time.monotonic()
    for remote in [*local.remotes.values()]:
        connection = remote.connection
        if connection is not None and now - remote.figures.asked_at >= PERIOD and not remote.figures.silent_for:
            remote.figures.asked_at = now
            _ask(remote)


def _ask(remote: RemoteNode) -> None:
    local, ref = remote.local, Ref()
    remote.named(NAME).adopt_watcher(ref.id, _Answer(remote))
    remote.signal((MONITOR_P, local.nobody, NAME, ref))
    if not remote.is_python:
        _ask_beam(remote, "process_count")
        if not remote.figures.version:
            _ask_beam(remote, "otp_release")


def _ask_beam(remote: RemoteNode, item: str) -> None:
    ref, result = Ref(), Ref()
    answer = _Item(remote, result, item)
    remote.spawning[ref.id] = answer
    remote.named("erpc").adopt_watcher(ref.id, answer)
    mfa = (Atom("erpc"), Atom("execute_call"), 4)
    nobody = remote.local.nobody
    remote.signal(
        (SPAWN_REQUEST, ref, nobody, nobody, mfa, [Atom("monitor")]),
        [result, Atom("erlang"), Atom("system_info"), [Atom(item)]],
    )


class _Answer:
    """What takes the answer to a question: an entry among those who watch the name."""

    watcher = None

    def __init__(self, remote: RemoteNode) -> None:
        self.remote = remote

    def fire(self, process: Process, reason: Term) -> None:
        """Take the answer, or that the connection is lost."""
        figures = self.remote.figures
        now = time.monotonic()
        sent, figures.answered_at = figures.asked_at, now
        if self.remote.connection is None:
            return
        figures.latency = now - sent
        match reason:
            case ("figures", str(version), int(processes)) if processes >= 0:
                figures.version, figures.processes = str(version)[:LONGEST], processes


class _Item:
    """What takes the result of a call on a BEAM node."""

    watcher = None

    def __init__(self, remote: RemoteNode, result: Ref, item: str) -> None:
        self.remote = remote
        self.result = result
        self.item = item

    def start_reply(self, outcome: Term) -> None:
        """Ignore the Pid of the process that runs it, or why there is none."""

    def refuse(self, error: TypeError) -> None:
        """Ignore why the request could not be sent."""

    def fire(self, process: Process, reason: Term) -> None:
        """Take the result."""
        figures = self.remote.figures
        match reason:
            case (ref, "return", value) if ref == self.result:
                if self.item == "process_count" and type(value) is int and value >= 0:
                    figures.processes = value
                elif isinstance(value, list) and all(type(each) is int and 32 < each < 127 for each in value):
                    figures.version = f"OTP {bytes(value).decode()}"[:LONGEST]
