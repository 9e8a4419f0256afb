"""The process that stands for a peer in this node, and owns its operating-system process."""

from __future__ import annotations

import json
import multiprocessing.process
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from os import environ, path
from typing import Any
from weakref import WeakSet

import gevent
from gevent import socket as gevent_socket

from runtime.distribution.cluster import local_node
from runtime.kernel.node import current_process, this_node
from runtime.kernel.process import DEAD, Process
from runtime.kernel.processes import flag, spawn_link
from runtime.kernel.signals import Exit
from runtime.otp.calls import From
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import Stop
from runtime.terms.log import Log
from runtime.terms.reason import is_atom
from runtime.terms.tag import tagged
from runtime.terms.term import Term

logger = Log("runtime.peer")

LONGEST_NAME = 30
"""Characters of a peer's name that observers know it by."""

STARTING = 60.0
"""Seconds that a peer may take to start, if not told otherwise: on a busy machine a start that takes one takes ten."""

LONGER = "timeout= of peer.start_link, or start_timeout= of a pool, gives it longer"

ENDED = "the program ended; what it wrote says why"
"""What went wrong where a peer has not said so."""

STOPPING = 5.0
"""Seconds that a peer has to stop in order before it is killed."""

_FOLDER = path.dirname(path.dirname(path.dirname(path.abspath(__file__))))
"""Where the package `runtime` is: a peer runs the same one, wherever the program has gone since it began."""

_PROGRAM = """\
import sys
if (folder := sys.argv.pop()) not in sys.path:
    sys.path.insert(0, folder)
from runtime.boot.peer_program import main
main()"""
"""What a peer runs. It is not run by ``-m``: that would look for it in the working directory first."""


class Peer(GenServer):
    """The process that stands for a peer here, and owns it."""

    def init(self, name: str, env: Mapping[str, str], options: dict[str, Any], timeout: float | None) -> Stop | None:
        """Start the other operating-system process and wait until it is a node."""
        flag(trap_exit=True)
        self.name = name
        local = local_node(this_node())
        assert local is not None
        options = {"net_ticktime": local.net_kernel.net_ticktime, **options}  # else one of the two takes it for gone
        wanted = {"name": name, "cookie": local.cookie, "origin": local.name, "options": options}
        line = json.dumps({**wanted, "main": _main_module()}).encode() + b"\n"
        _await_predecessor(name)
        ours, theirs = socket.socketpair()
        with theirs:
            self.program = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, _FOLDER],
                stdin=theirs.fileno(),
                env={**environ, **_observed_as(name), **env},
                start_new_session=False,
            )
        _programs[self.program] = name, current_process("peer")
        self.socket = gevent_socket.socket(fileno=ours.detach())
        _sockets.add(self.socket)
        problem = f"it was no node within {timeout} s; {LONGER}"
        try:
            with gevent.Timeout(timeout, False):  # type: ignore[arg-type]  # the stubs do not know that False is silent
                problem = self._answer_to(line)
        except BaseException:  # it is killed while it waits, so `terminate` does not come
            self._end(0.0)
            raise
        if problem:
            self._end(0.0)
            logger.error("the peer %s did not start: %s", name, problem)  # before the reports of all that fails with it
            return Stop(("peer_did_not_start", problem))
        self.reader = spawn_link(_wait_for_end, self.socket)
        local.peers[name] = current_process("peer")
        return None

    def _answer_to(self, wanted: bytes) -> str:
        """Say what the node is to be, and wait for the answer. Returns what went wrong, an empty text for nothing."""
        line = b""
        try:
            self.socket.sendall(wanted)
            while not line.endswith(b"\n"):
                piece = self.socket.recv(65_536)
                if not piece:
                    return ENDED
                line += piece
        except ConnectionError:  # it has ended before it has read all
            return ENDED
        return str(json.loads(line).get("error", ""))

    def handle_call(self, request: Term, caller: From) -> Term:
        """Tell the name of the node, or the number of the operating-system process."""
        match tagged(request):
            case "name", ():
                return self.name
            case "os_pid", ():
                return self.program.pid
        return super().handle_call(request, caller)

    def handle_info(self, message: Term) -> Stop | None:
        """End when the peer has ended, or when what it is linked with has."""
        if type(message) is not Exit:
            return None
        if message.pid == self.reader:  # also when it was killed: then it has closed the socket, and so the peer stops
            self._reap(STOPPING)
            return Stop(("nodedown", self.name))
        return None if is_atom(message.reason, "normal") else Stop(message.reason)

    def terminate(self, reason: Term) -> None:
        """Let the peer stop in order; after a time it is killed."""
        self._end(STOPPING)

    def _end(self, seconds: float) -> None:
        if self.program.returncode is None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            self._reap(seconds)

    def _reap(self, seconds: float) -> None:
        _await_end(self.program, seconds)
        _programs.pop(self.program, None)
        self.socket.close()


_programs: dict[subprocess.Popen[bytes], tuple[str, Process]] = {}
"""The operating-system processes of peers that are not known to have ended: the names of their nodes, their owners."""

_sockets: WeakSet[gevent_socket.socket] = WeakSet()
"""The ends of peers' sockets here."""


def _close_copies() -> None:
    """Close the copies of these sockets in the child of a fork: a peer would take it for its owner."""
    for each in _sockets:
        each._sock.close()  # type: ignore[attr-defined]  # by `close` itself gevent would turn to the hub, which is the parent's


os.register_at_fork(after_in_child=_close_copies)


def _await_predecessor(name: str) -> None:
    """Wait for the end of a peer of that name whose owner was killed: it keeps the name while it stops in order."""
    for program, (other, owner) in [*_programs.items()]:
        if owner.state is DEAD:
            if other == name:
                _await_end(program, STOPPING)
            if program.poll() is not None:
                _programs.pop(program, None)


def _await_end(program: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the end of an operating-system process, and kill it after a time."""
    ends = gevent.get_hub().loop.now() + seconds
    while program.poll() is None:
        if gevent.get_hub().loop.now() >= ends:
            program.send_signal(signal.SIGKILL)
            program.wait()
            break
        gevent.sleep(0.005)


def _observed_as(name: str) -> dict[str, str]:
    """Return what makes a peer a node that observers find, under its own name, where this program is one."""
    if environ.get("OBSERVER") != "1":
        return {"OBSERVER": ""}
    return {"OBSERVER_NAME": re.sub(r"[^A-Za-z0-9_.-]", "-", name.partition("@")[0])[:LONGEST_NAME]}


def _wait_for_end(connection: gevent_socket.socket) -> None:
    """Wait until the other operating-system process is gone. The owner learns of it by its link with this process.

    When the owner is killed, the socket is closed here, and so the peer stops.
    """
    with connection, suppress(OSError):
        while connection.recv(1_024):
            pass


def _main_module() -> dict[str, Any]:
    """Return how the peer finds the program's main module, as multiprocessing takes it.

    It is found by its name where it was run by ``-m``, else by its file. A program without a file, as one of ``-c`` or
    of the standard input, has none that a peer could import. Nor is the ``__main__`` of a package or a folder imported.
    """
    # multiprocessing's own answer also names the working directory: that may be gone, and the peer has it anyway
    began_in = getattr(multiprocessing.process, "ORIGINAL_DIR", None) or ""
    main = sys.modules["__main__"]
    found: dict[str, Any] = {"sys_path": [entry or began_in for entry in sys.path if isinstance(entry, str)]}
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    if spec is not None:
        found["init_main_from_name"] = spec.name
    elif file is not None and path.isfile(file := path.join(began_in, file)):
        found["init_main_from_path"] = path.normpath(file)
    return found
