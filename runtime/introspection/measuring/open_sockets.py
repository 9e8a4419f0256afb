"""The program's open sockets, each asked for its addresses.

The system's lists go through the connections of the whole machine, closed ones included that it still remembers. That
takes a tenth of a second beside a busy server. So on Linux the sockets themselves are asked, and a list is read only
where there is no such way.
"""

from __future__ import annotations

import _socket
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import psutil

SHARE = 0.01
"""The share of a processor that listing them may take."""

LONGEST = 120.0
"""Seconds after which they are listed again, whatever that takes."""

DESCRIPTORS = "/proc/self/fd"

STATUSES = dict(
    enumerate(
        (
            psutil.CONN_ESTABLISHED,
            psutil.CONN_SYN_SENT,
            psutil.CONN_SYN_RECV,
            psutil.CONN_FIN_WAIT1,
            psutil.CONN_FIN_WAIT2,
            psutil.CONN_TIME_WAIT,
            psutil.CONN_CLOSE,
            psutil.CONN_CLOSE_WAIT,
            psutil.CONN_LAST_ACK,
            psutil.CONN_LISTEN,
            psutil.CONN_CLOSING,
        ),
        start=1,
    )
)
"""The states of a connection, by the numbers that Linux gives them."""


class OpenSocket(NamedTuple):
    """An open socket: its descriptor, the numbers of its family and type, its addresses as text, and its status.

    An address that it does not have is empty, and so is the status of a socket without connections.
    """

    fd: int
    family: int
    type: int
    local: str
    remote: str
    status: str


class OpenSockets:
    """Lists the sockets of this program, as often as its share of time allows. One thread at a time."""

    def __init__(self) -> None:
        self._found: list[OpenSocket] = []
        self._next_at = 0.0

    def look(self) -> list[OpenSocket]:
        """Return the sockets of TCP, of UDP and of Unix; none where the system does not tell.

        Those that were closed since they were listed are left out.
        """
        present = time.monotonic()
        if present >= self._next_at:
            begun = time.thread_time()
            self._found = [*(_asked() if sys.platform == "linux" else _listed())]
            self._next_at = present + min(LONGEST, (time.thread_time() - begun) / SHARE)
            return self._found
        self._found = [each for each in self._found if _is_socket(each.fd)]
        return self._found


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


class _Borrowed(_socket.socket):
    """A socket of the program's, by its descriptor, which stays the program's.

    The descriptor is not duplicated: an address would be in use for a moment after the program has closed its socket.
    """

    def __del__(self) -> None:
        """Leave the descriptor open, where `_socket.socket` closes it."""


def _asked() -> Iterator[OpenSocket]:
    """Ask each socket of this process. On Linux."""
    try:
        descriptors = sorted(map(int, os.listdir(DESCRIPTORS)))
    except OSError:
        return
    for fd in descriptors:
        # A type that is said not to block has Python leave the socket as it is. Else it would be kept from blocking
        # where the program has set a default timeout, for whoever else reads from it too.
        try:
            found = _described(fd, _Borrowed(-1, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0, fd))
        except OSError:  # it is no socket, or has been closed
            continue
        if found is not None:
            yield found


def _described(fd: int, borrowed: _Borrowed) -> OpenSocket | None:
    """Return what a socket says of itself; None for one of another kind, and for one without an address yet."""
    family = borrowed.family
    if family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        return None
    local = borrowed.getsockname()
    kind, status = borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE), ""
    if family != socket.AF_UNIX and (not local[1] or kind not in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
        return None
    if family != socket.AF_UNIX and kind == socket.SOCK_STREAM:
        with suppress(OSError, IndexError):  # it may be a stream of another protocol, such as SCTP
            status = STATUSES.get(borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0], "")
    try:
        remote = borrowed.getpeername()
    except OSError:  # it is not connected
        remote = ""
    return OpenSocket(fd, family, kind, _text(local), _text(remote), status)


def _listed() -> Iterator[OpenSocket]:
    """Take them from the system's list."""
    try:
        connections = psutil.Process().net_connections("all")
    except (psutil.Error, OSError):
        return
    for each in connections:
        status = "" if each.status == psutil.CONN_NONE else each.status
        yield OpenSocket(each.fd, each.family, each.type, _text(each.laddr), _text(each.raddr), status)


def _text(address: object) -> str:
    """Return an address as text. One of a Unix socket that has no file begins with ``@``."""
    if isinstance(address, bytes):
        return os.fsdecode(address).replace("\0", "@", 1)
    if isinstance(address, str):
        return address.replace("\0", "@", 1)
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) and address else ""
