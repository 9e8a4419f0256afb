"""What a peer runs: `main`, started by `runtime.peer`.

Its standard input is a socket of its owner. The first line says what the node is to be; the answer is a line, too. At
the end of the input the owner is gone, or wants the peer to stop, and it stops: in order if it can, at once if not.
"""

from __future__ import annotations

import json
import multiprocessing.spawn
import os
import signal
import socket
import sys
from typing import Any

from runtime.boot.run import run
from runtime.distribution.nodes import connect_node, start_distribution
from runtime.kernel.mailbox import receive
from runtime.kernel.node import Node, this_node
from runtime.kernel.processes import exit, self_
from runtime.kernel.threads import sleep, start_thread
from runtime.terms.errors import RuntimeFault
from runtime.terms.text import render

GRACE = 5.0
"""Seconds that a peer has to stop in order when its owner is gone."""

GUARD = "each peer imports the program's main module, so call run() there below `if __name__ == '__main__':`"
"""What is most often wrong when the main module cannot be imported."""


class MainModuleError(Exception):
    """The main module cannot be imported; the text says why and what to do."""


def main() -> None:
    """Become a node, tell the owner, and wait for the end."""
    sys.argv[:] = [""]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of a terminal's programs; the owner decides
    owner = socket.socket(fileno=os.dup(0))
    os.register_at_fork(after_in_child=owner.close)  # else the owner sees no end while a forked child runs
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    wanted = json.loads(_first_line(owner))
    run(_live, owner, wanted)
    os._exit(0)


def _first_line(owner: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = owner.recv(65_536)
        if not piece:
            os._exit(1)
        line += piece
    return line


def _line(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _live(owner: socket.socket, wanted: dict[str, Any]) -> None:
    try:
        _import_main(wanted["main"])
        start_distribution(wanted["name"], wanted["cookie"], **wanted["options"])
        if wanted["origin"] is not None and not connect_node(wanted["origin"]):
            raise ConnectionError(f"{wanted['name']} cannot connect to {wanted['origin']}, which has started it")
    except BaseException as error:
        is_told = type(error) is MainModuleError
        problem = str(error) if is_told else f"{type(error).__name__}: {render(str(error))}"
        owner.sendall(_line({"error": problem}))
        return
    start_thread(_watch_owner, (owner, this_node(), self_()))
    owner.sendall(_line({"pid": os.getpid()}))
    receive("stop")


def _import_main(prepared: dict[str, Any]) -> None:
    """Import the owner's main module under another name, so that what it defines is found here (as multiprocessing)."""
    try:
        multiprocessing.spawn.prepare(prepared)
    except RuntimeFault:  # of its run(), in a process that runs already
        raise MainModuleError(GUARD) from None
    except SystemExit as error:
        raise MainModuleError(f"the main module ended with {error}; {GUARD}") from None
    except Exception as error:
        why = render(f"{type(error).__name__}: {error}")
        raise MainModuleError(f"the main module cannot be imported in the peer: {why}; {GUARD}") from error


def _watch_owner(owner: socket.socket, node: Node, first: Any) -> None:
    """Wait, on a thread of its own, until the owner is gone: a hub that is busy does not keep the peer alive."""
    try:
        while owner.recv(1_024):
            pass
    except OSError:
        pass
    node.call_soon_threadsafe(exit, first, "shutdown")
    sleep(GRACE)
    os._exit(1)
