"""The endpoint: a Unix socket on native threads, where observers connect.

Nothing here runs in the hub, so it answers while the hub is stuck. What a client can do to the program is bounded: how
many may be connected, how long a frame may be, how long one may take to send it or to read the answer. A client that
breaks a rule is dropped with a line in the log.
"""

from __future__ import annotations

import _socket
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from runtime.introspection import wire
from runtime.introspection.endpoint.session import Client, Dropped, send_frame
from runtime.kernel.threads import new_lock, start_thread

MAX_CLIENTS = 32
"""Clients that are served at a time; one more is refused with a sentence."""

BACKLOG = 128

Serve = Callable[[Client], None]


class Endpoint:
    """Listens at `path` and serves each client on a thread of its own with `serve`; `log` takes lines for the log."""

    def __init__(self, path: Path, serve: Serve, log: Callable[[str], None]) -> None:
        self.path = path
        self._serve = serve
        self._log = log
        self._os_pid = os.getpid()
        self._lock = new_lock()
        self._clients: set[Client] = set()
        self._closed = False
        self._listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            self._listener.bind(str(path))
            os.chmod(path, 0o600)
            self._listener.listen(BACKLOG)
        except BaseException:
            self._listener.close()
            raise
        os.set_inheritable(self._listener.fileno(), False)
        self._inode = os.stat(path).st_ino

    def start(self) -> None:
        """Begin to accept clients."""
        start_thread(self._accept, ())

    def clients(self) -> list[Client]:
        """Give those that are served now."""
        with self._lock:
            return [*self._clients]

    def close(self) -> None:
        """Stop listening, hang up on every client, and remove the socket. May be called twice, and in a fork."""
        if self._closed:
            return
        self._closed = True
        if os.getpid() != self._os_pid:
            return  # the socket is the parent's
        with contextlib.suppress(OSError):
            self._listener.shutdown(_socket.SHUT_RDWR)
        self._listener.close()
        for client in self.clients():
            client.hang_up()
        with contextlib.suppress(OSError):
            if os.stat(self.path).st_ino == self._inode:
                self.path.unlink()

    def _accept(self) -> None:
        while not self._closed:
            try:
                descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]
            except OSError as error:
                if self._closed:
                    return
                self._log(f"accepting an observer failed: {error}")
                self._rest()
                continue
            connection = _socket.socket(fileno=descriptor)
            os.set_inheritable(descriptor, False)
            self._welcome(connection)

    def _welcome(self, connection: _socket.socket) -> None:
        client = Client(connection)
        problem = client.foreign()
        if problem is not None:
            self._log(f"dropped an observer: {problem}")
            client.hang_up()
            return
        with self._lock:
            room = len(self._clients) < MAX_CLIENTS
            if room:
                self._clients.add(client)
        if room:
            try:
                start_thread(self._run, (client,))
                return
            except RuntimeError as error:
                self._log(f"dropped an observer: {error}")
                with self._lock:
                    self._clients.discard(client)
        why = f"This node serves {MAX_CLIENTS} observers already; close one of them."
        with contextlib.suppress(OSError, Dropped):
            connection.setblocking(False)
            send_frame(connection, wire.Refused(why=why))
        client.hang_up()

    def _run(self, client: Client) -> None:
        try:
            self._serve(client)
        except Dropped as problem:
            if str(problem):
                self._log(f"dropped an observer: {problem}")
        except Exception as error:
            self._log(f"dropped an observer: {type(error).__name__}: {error}")
        finally:
            client.hang_up()
            with self._lock:
                self._clients.discard(client)

    def _rest(self) -> None:
        """Wait a little when the system has run out of something, so as not to spin."""
        from runtime.kernel.threads import sleep

        sleep(0.1)
