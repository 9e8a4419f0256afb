"""Peers: nodes of their own that belong to a process of this one (OTP: peer).

    from runtime import peer

    pid, name = peer.start_link()
    spawn(work, node=name)
    peer.stop(pid)

A peer is another operating-system process on this machine, so it runs on another core. It dies with its owner, also
when that is killed by SIGKILL. Its own death ends the process that stands for it here, with ``("nodedown", name)``: an
exit signal for who is linked. `child_spec` puts a peer under a supervisor, which starts it again.

What `spawn` and `erpc` run there are functions of modules that it can import, those of the program's main module among
them: that is imported there under another name, so it must start its node below ``if __name__ == "__main__":``.
"""

from __future__ import annotations

import multiprocessing.spawn
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from os import environ, getpid
from typing import Any

import gevent
from gevent import socket as gevent_socket
from msgspec import json

from runtime.distribution.cluster import LocalNode, local_node
from runtime.distribution.errors import DistributionError
from runtime.distribution.nodes import start_distribution
from runtime.kernel.mailbox import send
from runtime.kernel.node import current_process, this_node
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import flag, self_, spawn_link
from runtime.kernel.signals import Exit
from runtime.otp.calls import From, call
from runtime.otp.child_spec import ChildSpec
from runtime.otp.gen_server import GenServer
from runtime.otp.gen_server import stop as stop_server
from runtime.otp.returns import Stop
from runtime.terms.errors import StartError
from runtime.terms.term import Term
from runtime.terms.timeout import TimeoutArgument, seconds_of

LONGEST_NAME = 30
"""Characters of a peer's name that observers know it by."""

STARTING = 60.0
"""Seconds that a peer may take to start, if not told otherwise: on a busy machine a start that takes one takes ten."""

LONGER = "timeout= of peer.start_link, or start_timeout= of a pool, gives it longer"

STOPPING = 5.0
"""Seconds that a peer has to stop in order before it is killed."""

_numbers = count(1)


class Peer(GenServer):
    """The process that stands for a peer here, and owns it."""

    def init(self, name: str, env: Mapping[str, str], options: dict[str, Any], timeout: float | None) -> Stop | None:
        """Start the other operating-system process and wait until it is a node."""
        flag(trap_exit=True)
        self.name = name
        local = local_node(this_node())
        assert local is not None
        ours, theirs = socket.socketpair()
        with theirs:
            self.program = subprocess.Popen(
                [sys.executable, "-m", "runtime.boot.peer_program"],
                stdin=theirs.fileno(),
                env={**environ, **_observed_as(name), **env},
                start_new_session=False,
            )
        self.socket = gevent_socket.socket(fileno=ours.detach())
        wanted = {"name": name, "cookie": local.cookie, "origin": local.name, "options": options}
        wanted["main"] = _main_module()
        self.socket.sendall(json.encode(wanted) + b"\n")
        problem = f"it was no node within {timeout} s; {LONGER}"
        try:
            with gevent.Timeout(timeout, False):  # type: ignore[arg-type]  # the stubs do not know that False is silent
                problem = self._answer()
        except BaseException:  # it is killed while it waits, so `terminate` does not come
            self._end(0.0)
            raise
        if problem:
            self._end(0.0)
            return Stop(("peer_did_not_start", problem))
        self.reader = spawn_link(_wait_for_end, self.socket, self_())
        local.peers[name] = current_process("peer")
        return None

    def _answer(self) -> str:
        """Wait for the peer's line. Returns what went wrong, an empty text if nothing did."""
        line = b""
        while not line.endswith(b"\n"):
            piece = self.socket.recv(65_536)
            if not piece:
                return "the program ended; what it wrote says why"
            line += piece
        return str(json.decode(line).get("error", ""))

    def handle_call(self, request: Term, caller: From) -> Term:
        """Tell the name of the node, or the number of the operating-system process."""
        match request:
            case "name":
                return self.name
            case "os_pid":
                return self.program.pid
        return super().handle_call(request, caller)

    def handle_info(self, message: Term) -> Stop | None:
        """End when the peer has ended, or when what it is linked with has."""
        if message == "ended":
            self._reap(STOPPING)
            return Stop(("nodedown", self.name))
        if isinstance(message, Exit) and message.pid != self.reader and message.reason != "normal":
            return Stop(message.reason)
        return None

    def terminate(self, reason: Term) -> None:
        """Let the peer stop in order; after a time it is killed."""
        self._end(STOPPING)

    def _end(self, seconds: float) -> None:
        if self.program.returncode is None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            self._reap(seconds)

    def _reap(self, seconds: float) -> None:
        ends = gevent.get_hub().loop.now() + seconds
        while self.program.poll() is None:
            if gevent.get_hub().loop.now() >= ends:
                self.program.send_signal(signal.SIGKILL)
                self.program.wait()
                break
            gevent.sleep(0.005)
        self.socket.close()


def _observed_as(name: str) -> dict[str, str]:
    """Return what makes a peer a node that observers find, under its own name, where this program is one."""
    if environ.get("OBSERVER") != "1":
        return {"OBSERVER": ""}
    return {"OBSERVER_NAME": re.sub(r"[^A-Za-z0-9_.-]", "-", name.partition("@")[0])[:LONGEST_NAME]}


def _wait_for_end(connection: gevent_socket.socket, owner: Pid) -> None:
    """Wait until the other operating-system process is gone, and tell the owner.

    It is linked with the owner: when that is killed, the socket is closed here, and so the peer stops.
    """
    with connection, suppress(OSError):
        while connection.recv(1_024):
            pass
    send(owner, "ended")


def _main_module() -> dict[str, Any]:
    """Return how the peer finds the program's main module, as multiprocessing says it."""
    data = multiprocessing.spawn.get_preparation_data("peer")
    kept = ("sys_path", "dir", "init_main_from_name", "init_main_from_path")
    return {key: value for key, value in data.items() if key in kept}


def start_link(
    name: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    timeout: TimeoutArgument = STARTING,
    **options: Any,
) -> tuple[Pid, str]:
    """Start a peer that is linked with the caller, and wait until it is connected (OTP: peer:start_link/1).

    Returns the Pid of the process that stands for it, and the name of the node. `name` is made up where none is given;
    one without ``@`` is on this host's loopback address. `env` are variables of its environment beside this program's.
    The `options` are those of `start_distribution`: ``hidden``, ``trust``, ``net_ticktime`` and so on. A node without a
    name gets one first, with a cookie that no other program knows. Raises StartError when the peer does not start
    within `timeout` seconds, with what it said; None is no limit.
    """
    return _start(name, env, timeout, options, link=True)


def start(
    name: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    timeout: TimeoutArgument = STARTING,
    **options: Any,
) -> tuple[Pid, str]:
    """Start a peer without a link (OTP: peer:start/1); otherwise as `start_link`."""
    return _start(name, env, timeout, options, link=False)


def _start(
    name: str | None, env: Mapping[str, str] | None, timeout: TimeoutArgument, options: dict[str, Any], link: bool
) -> tuple[Pid, str]:
    seconds = seconds_of(timeout)
    local = named_node()
    full = name or f"{local.name.partition('@')[0]}-peer{next(_numbers)}"
    if "@" not in full:
        full = f"{full}@{local.name.partition('@')[2]}"
    starter = Peer.start_link if link else Peer.start
    pid = starter(full, dict(env or {}), options, seconds)
    if pid is None:
        raise StartError("ignore")
    return pid, full


def named_node() -> LocalNode:
    """Return this node as others reach it; one without a name gets one now, and a cookie of its own."""
    node = current_process("peer.start").node
    local = local_node(node)
    if local is None:
        try:
            start_distribution(f"node{getpid()}@127.0.0.1", secrets.token_hex(16))
        except DistributionError:
            if local_node(node) is None:  # else another process has just given it one
                raise
        local = local_node(node)
    assert local is not None
    return local


def stop(pid: Destination, timeout: TimeoutArgument = None) -> None:
    """Stop a peer and wait until it has ended (OTP: peer:stop/1). Raises CallError."""
    stop_server(pid, "normal", timeout)


def name_of(pid: Destination) -> str:
    """Return the name of the node that a peer's process stands for. Raises CallError."""
    return str(call(pid, "name"))


def os_pid(pid: Destination) -> int:
    """Return the number of a peer's operating-system process. Raises CallError."""
    return int(call(pid, "os_pid"))


def child_spec(name: str | None = None, **options: Any) -> ChildSpec:
    """Return the spec by which a supervisor starts a peer, with the arguments of `start_link`; its id is the name.

    Without a name each start makes one up.
    """
    return ChildSpec(id=name or "peer", start=(_Start(options), name), shutdown=2 * STOPPING, modules=[Peer])


class _Start:
    """Starts a peer with options; compares and prints well, for a child spec."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def __call__(self, name: str | None) -> tuple[Pid, str]:
        return start_link(name, **self.options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Start) and self.options == other.options

    def __hash__(self) -> int:
        return hash(_Start)

    def __repr__(self) -> str:
        return "peer.start_link"


__all__ = ["Peer", "child_spec", "name_of", "os_pid", "start", "start_link", "stop"]
