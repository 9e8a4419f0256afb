"""Stopping a node from another one (OTP: init:stop/0)."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from runtime.distribution.spawn_requests import SERVICES, check_allowed
from runtime.terms.atom import Atom
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

STOP = ("init", "stop")
"""What another node calls to stop this one. With ``trust="terms"``, `allow` must list it as ``init:stop``."""


def stop_program(remote: RemoteNode, status: Term = 0) -> Atom:
    """Stop this program in order, as SIGTERM does, and return at once."""
    check_allowed(remote, *STOP)
    os.kill(os.getpid(), signal.SIGTERM)
    return Atom("ok")


def serve() -> None:
    """Let other nodes stop this one."""
    SERVICES[STOP] = stop_program
