"""epmd, Erlang's port mapper: a program on each host that knows which node listens on which port.

A node registers its name and port, and stays registered for as long as it holds the connection. Whoever wants to
connect to ``shop@host`` asks the epmd of that host for the port of ``shop``. All functions here wait, for a few seconds
at most; away from the local host they belong on a thread of their own.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import re
import struct
import sys
import time
from typing import NamedTuple, cast

from gevent.monkey import get_original

from runtime.distribution.errors import DistributionError
from runtime.distribution.transport import Closed, Transport
from runtime.kernel.threads import sleep
from runtime.terms.text import render

PORT = 4369
TIMEOUT = 7.0
"""Seconds that one request may take."""

STARTING = 20.0
"""Seconds that an epmd which was started here may take until it answers."""

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""

ALIVE2_REQ, ALIVE2_RESP, ALIVE2_X_RESP = 120, 121, 118
PORT_PLEASE2_REQ, PORT2_RESP = 122, 119
NAMES_REQ = 110

_posix_spawn, _waitpid = get_original("os", "posix_spawn"), get_original("os", "waitpid")

VISIBLE, HIDDEN = 77, 72
VERSION = 6
"""The version of the handshake that nodes of OTP 23 and later speak; the lowest that is spoken here, too."""


class Registration(NamedTuple):
    """A name that is registered while `transport` is open. `creation` tells this life of the name from others."""

    transport: Transport
    creation: int


class Found(NamedTuple):
    """Where a node listens."""

    port: int
    version: int


def port_of_epmd() -> int:
    """Return the port that epmd listens on here: ``ERL_EPMD_PORT``, or 4369."""
    text = os.environ.get("ERL_EPMD_PORT", "")
    if not text:
        return PORT
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DistributionError(f"ERL_EPMD_PORT is {render(text)}; it must be a port, from 1 to 65535")
    return int(text)


def address_of(host: str) -> str:
    """Return the address of a host, an IPv4 one where it has one. Raises DistributionError if it has none."""
    try:
        found = _socket.getaddrinfo(host, None, 0, _socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DistributionError(
            f"the host {render(host)} is not found ({reason}); check its name, or /etc/hosts"
        ) from None
    found.sort(key=lambda each: each[0] != _socket.AF_INET)
    return cast(str, found[0][4][0])


def dial(address: str, port: int, deadline: float) -> _socket.socket:
    """Return a socket that is connected. Raises OSError."""
    family = _socket.AF_INET6 if ":" in address else _socket.AF_INET
    sock = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        sock.settimeout(max(0.05, deadline - time.monotonic()))
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _ask(host: str, request: bytes) -> Transport:
    """Connect to the epmd of a host and send a request. Raises DistributionError where none answers."""
    deadline = time.monotonic() + TIMEOUT
    port = port_of_epmd()
    try:
        transport = Transport(dial(address_of(host), port, deadline))
    except DistributionError:
        raise
    except OSError as error:
        raise NoEpmdError(
            f"no epmd answers on {host}, port {port} ({error.strerror or error}), so no node there can be reached; "
            "start a node there, or check that its firewall lets the port through"
        ) from None
    try:
        transport.send_all(struct.pack(">H", len(request)) + request, deadline)
    except Closed as error:
        transport.close()
        raise NoEpmdError(f"the epmd on {host} does not answer: {error}") from None
    return transport


class NoEpmdError(DistributionError):
    """No epmd answers."""


def _read_all(transport: Transport) -> bytes:
    deadline = time.monotonic() + TIMEOUT
    answer = b""
    while len(answer) < LONGEST_ANSWER:
        data = transport.recv()
        if data is None:
            break
        if data:
            answer += data
        else:
            transport.wait(deadline, for_room=False)
    return answer


def find(name: str, host: str) -> Found:
    """Return where the node of that name listens. Raises DistributionError when it is not registered there."""
    transport = _ask(host, bytes((PORT_PLEASE2_REQ,)) + name.encode())
    try:
        answer = _read_all(transport)
    except Closed as error:
        raise NoEpmdError(f"the epmd on {host} does not answer: {error}") from None
    finally:
        transport.close()
    if len(answer) < 2 or answer[0] != PORT2_RESP:
        raise DistributionError(f"what answers on port {port_of_epmd()} of {host} is no epmd")
    if answer[1] != 0:
        known = ", ".join(sorted(names(host))) or "none"
        raise DistributionError(f"no node {render(name)} runs on {host}; registered there: {known}")
    try:
        port, _, _, version = struct.unpack_from(">HBBH", answer, 2)
    except struct.error:
        raise DistributionError(f"the epmd on {host} sent half an answer") from None
    return Found(port, version)


def names(host: str) -> dict[str, int]:
    """Return the names that are registered on a host, with their ports (OTP: erl_epmd:names)."""
    transport = _ask(host, bytes((NAMES_REQ,)))
    try:
        answer = _read_all(transport)
    except Closed as error:
        raise NoEpmdError(f"the epmd on {host} does not answer: {error}") from None
    finally:
        transport.close()
    lines = re.findall(r"^name (\S+) at port (\d{1,5})$", answer[4:].decode("utf-8", "replace"), re.MULTILINE)
    return {name: int(port) for name, port in lines}


def register(name: str, port: int, hidden: bool, everywhere: bool = False) -> Registration:
    """Register a name with the epmd of this host, which is started if none runs.

    `everywhere`: an epmd that is started also answers other hosts. Raises DistributionError when the name is taken.
    """
    kind = HIDDEN if hidden else VISIBLE
    encoded = name.encode()
    request = struct.pack(">BHBBHHH", ALIVE2_REQ, port, kind, 0, VERSION, VERSION - 1, len(encoded)) + encoded + b"\0\0"
    try:
        transport = _ask("localhost", request)
    except NoEpmdError:
        start_server(everywhere)
        transport = _ask("localhost", request)
    registration = _registration(transport, name)
    if registration is None:  # of a node that has just ended, epmd knows that once it has given an answer
        registration = _registration(_ask("localhost", request), name)
    if registration is None:
        raise DistributionError(
            f"a node named {render(name)} runs on this host already; choose another name, or stop that node"
        )
    return registration


def _registration(transport: Transport, name: str) -> Registration | None:
    """Return what epmd answers to the request for a name, None when it is taken. Raises DistributionError."""
    try:
        deadline = time.monotonic() + TIMEOUT
        tag, result = transport.recv_exactly(2, deadline)
        if tag not in (ALIVE2_RESP, ALIVE2_X_RESP):
            raise DistributionError(f"what answers on port {port_of_epmd()} of this host is no epmd")
        if result != 0:
            transport.close()
            return None
        size = 4 if tag == ALIVE2_X_RESP else 2
        creation = int.from_bytes(transport.recv_exactly(size, deadline), "big")
    except Closed as error:
        transport.close()
        raise DistributionError(f"epmd refused to register {render(name)}: {error}") from None
    except DistributionError:
        transport.close()
        raise
    return Registration(transport, creation)


def start_server(everywhere: bool) -> None:
    """Start an epmd of this package's, in a process of its own, and wait until it answers."""
    command = [sys.executable, "-m", "runtime.distribution.epmd_server", "--port", str(port_of_epmd())]
    if everywhere:
        command.append("--everywhere")
    _spawn_detached(command)
    ends = time.monotonic() + STARTING
    while True:
        try:
            names("localhost")
            return
        except NoEpmdError:
            if time.monotonic() > ends:
                raise DistributionError(
                    f"no epmd runs on this host, and none could be started on port {port_of_epmd()}; start one with "
                    "epmd -daemon"
                ) from None
            sleep(0.02)


def _spawn_detached(command: list[str]) -> None:
    """Start a program that outlives this one, without gevent's child watchers, which are for the hub's thread alone.

    The program forks once more, so that it is no child of this one that would stay behind as a zombie.
    """
    arguments = ["/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *command]
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    shell = _posix_spawn(arguments[0], arguments, os.environ, file_actions=nothing, setsid=True)
    with contextlib.suppress(ChildProcessError):  # gevent may have waited for it first
        _waitpid(shell, 0)
