"""A small epmd, for hosts where Erlang is not installed: ``python -m runtime.distribution.epmd_server``.

It speaks the protocol of Erlang's epmd, so that BEAM nodes can register with it, too. It ends by itself once no node
has been registered for a while, and what a client may hold and send is bounded.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import select
import socket
import struct
import time
from collections.abc import Callable
from itertools import count

from runtime.distribution.epmd import (
    ALIVE2_REQ,
    ALIVE2_X_RESP,
    NAMES_REQ,
    PORT,
    PORT2_RESP,
    PORT_PLEASE2_REQ,
)

MOST_CLIENTS = 2_000
"""Connections that are held at a time; one more is closed at once."""

LONGEST_REQUEST = 2_048
"""Bytes of a request."""

PATIENCE = 5.0
"""Seconds in which a client must have sent its request."""

LONELY = 60.0
"""Seconds without a registered node after which the program ends."""

_NAME = re.compile(rb"[^\s@\x00-\x1f]{1,255}")


class Client:
    """One connection: what it has sent so far, and the node that it has registered."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = b""
        self.since = time.monotonic()
        self.name: bytes | None = None
        """The name of its node, None before it has registered one."""
        self.record = b""
        """What is answered when its node is asked for."""
        self.port = 0


class Server:
    """Knows the nodes of this host. `run` serves them until none has been there for `lonely` seconds."""

    def __init__(self, addresses: list[str], port: int, lonely: float = LONELY) -> None:
        self._lonely = lonely
        self._clients: dict[int, Client] = {}
        self._nodes: dict[bytes, Client] = {}
        self._creations = count(int(time.time()) % 0xFFFF_0000 + 4)
        self._listeners: dict[int, socket.socket] = {}
        self._poll = select.poll()
        for address in addresses:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen(128)
            listener.setblocking(False)
            self._listeners[listener.fileno()] = listener
            self._poll.register(listener.fileno(), select.POLLIN)
            port = port or listener.getsockname()[1]
        self.port = port

    def run(self, may_go_on: Callable[[], bool] = lambda: True, period: float = 1.0) -> None:
        """Serve until no node has been registered for a while, or `may_go_on`, asked each period, says no."""
        alone_since = time.monotonic()
        while may_go_on():
            for descriptor, _ in self._poll.poll(period * 1000):
                if descriptor in self._listeners:
                    self._accept(self._listeners[descriptor])
                elif descriptor in self._clients:
                    self._read(self._clients[descriptor])
            present = time.monotonic()
            self._drop_slow_ones(present)
            if self._nodes:
                alone_since = present
            elif present - alone_since > self._lonely:
                break
        self.close()

    def close(self) -> None:
        """Hang up on all."""
        for listener in self._listeners.values():
            listener.close()
        for client in [*self._clients.values()]:
            self._drop(client)

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            time.sleep(0.05)  # the system has run out of something, and would say so again at once
            return
        if len(self._clients) >= MOST_CLIENTS:
            sock.close()
            return
        sock.setblocking(False)
        self._clients[sock.fileno()] = Client(sock)
        self._poll.register(sock.fileno(), select.POLLIN)

    def _drop(self, client: Client) -> None:
        with contextlib.suppress(KeyError, OSError):
            self._poll.unregister(client.sock.fileno())
        self._clients.pop(client.sock.fileno(), None)
        if client.name is not None and self._nodes.get(client.name) is client:
            del self._nodes[client.name]
        client.sock.close()

    def _drop_slow_ones(self, present: float) -> None:
        for client in [*self._clients.values()]:
            if client.name is None and present - client.since > PATIENCE:
                self._drop(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.sock.recv(LONGEST_REQUEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        if client.name is not None:
            return  # a registered node has nothing more to say
        client.received += data
        if len(client.received) < 2:
            return
        size = int.from_bytes(client.received[:2], "big")
        if not 0 < size <= LONGEST_REQUEST:
            self._drop(client)
        elif len(client.received) >= size + 2:
            self._answer(client, client.received[2 : size + 2])

    def _answer(self, client: Client, request: bytes) -> None:
        kind, rest = request[0], request[1:]
        if kind == ALIVE2_REQ:
            self._register(client, rest)
            return
        if kind == PORT_PLEASE2_REQ:
            found = self._nodes.get(rest)
            answer = bytes((PORT2_RESP, 1)) if found is None else bytes((PORT2_RESP, 0)) + found.record
        elif kind == NAMES_REQ:
            lines = [b"name %s at port %d\n" % (name, node.port) for name, node in self._nodes.items()]
            answer = struct.pack(">I", self.port) + b"".join(lines)
        else:
            answer = b""
        client.sock.settimeout(PATIENCE / 5)
        with contextlib.suppress(OSError):
            client.sock.sendall(answer)
        self._drop(client)

    def _register(self, client: Client, rest: bytes) -> None:
        try:
            port, _, _, _, _, size = struct.unpack_from(">HBBHHH", rest)
        except struct.error:
            self._drop(client)
            return
        name = rest[10 : 10 + size]
        is_free = len(name) == size and _NAME.fullmatch(name) is not None and name not in self._nodes
        creation = next(self._creations) & 0xFFFF_FFFF
        try:
            client.sock.sendall(struct.pack(">BBI", ALIVE2_X_RESP, 0 if is_free else 1, creation))
        except OSError:
            is_free = False
        if not is_free:
            self._drop(client)
            return
        client.name, client.port, client.record, client.received = name, port, rest, b""
        self._nodes[name] = client


def main() -> None:
    """Serve the nodes of this host."""
    parser = argparse.ArgumentParser(description="A small epmd: it tells which node of this host listens where.")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--everywhere", action="store_true", help="answer other hosts, too")
    arguments = parser.parse_args()
    try:
        server = Server(["0.0.0.0" if arguments.everywhere else "127.0.0.1"], arguments.port)
    except OSError as error:
        raise SystemExit(f"cannot listen on port {arguments.port}: {error.strerror}; another epmd runs there") from None
    server.run()


if __name__ == "__main__":
    main()
