"""A chat: one server, one process for each client, and a door for more clients over TCP.

Alone, ``python -m demos.chat`` lets Ada, Bob and Charles join and write a line each, which all three of them print.
In the observer they talk on, and so can you: the row ``nc localhost PORT`` tells where. Type that in another terminal,
or, without ``nc``, ``python -m demos.chat --join PORT``. What you write comes back to you too, as to all the others; a
line that begins with ``/others`` goes to all but you.

- Press ``x`` on Ada: the supervisor ``clients`` starts her again, she registers again under a new pid, and talks on.
- Press ``x`` on a connection: that one closes, and no other client notices. Close one from your side: its process ends.
- Press ``x`` on ``server``: all that was started after it is started again too, since it has to register again
  (rest_for_one). Connections from outside are lost with it: only the person who typed can connect again.
- Press ``enter`` on ``server``: its state is the register of clients. A monitor tells it which client has gone.
- Press ``x`` on clients four times within five seconds: ``clients`` gives up, and ``chat`` starts it again.
"""

from __future__ import annotations

import random
import socket as blocking
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from threading import Thread

from gevent import socket

from demos._stage import play
from runtime import (
    ChildSpec,
    Down,
    DynamicSupervisor,
    GenServer,
    Pid,
    Ref,
    Supervisor,
    demonitor,
    exit,
    monitor,
    receive,
    self_,
    send,
    send_after,
    set_label,
    spawn_link,
    start_child,
)

LINES = {"Ada": "Hello, everybody!", "Bob": "Hi Ada.", "Charles": "Is this thing on?"}
TALK = ["I agree.", "No, really?", "Tell me more.", "Anybody for tea?", "Who left the window open?", "As I always say."]
PORT = 4321
"""The port at which clients from outside can join; when it is taken, any free port."""

LONGEST_LINE = 1_000

OTHERS = "/others"
"""What a line begins with that is not to come back to the one who wrote it."""


class Server(GenServer):
    """Keeps the register of clients, and passes on to all what one writes."""

    def init(self) -> None:
        """Begin without clients."""
        self.clients: dict[Pid, tuple[str, Ref]] = {}

    def handle_info(self, message: object) -> None:
        """Register a client, pass its message on, or forget it."""
        match message:
            case ("register", Pid() as pid, str(name)):
                self.clients[pid] = (name, monitor(pid))
            case ("message", Pid() as pid, str(text)) if pid in self.clients:
                self.broadcast(pid, text, self.clients)
            case ("message_to_others", Pid() as pid, str(text)) if pid in self.clients:
                self.broadcast(pid, text, [client for client in self.clients if client != pid])
            case ("unregister", Pid() as pid) if pid in self.clients:
                demonitor(self.clients.pop(pid)[1], flush=True)
            case Down(_, pid, _):  # it ended without unregistering
                self.clients.pop(pid, None)

    def broadcast(self, sender: Pid, text: str, clients: Iterable[Pid]) -> None:
        """Pass on to these clients what one of them has written."""
        name, _ = self.clients[sender]
        for client in clients:
            send(client, ("message", name, text))


def client(name: str, show: Callable[[str], None], talkative: bool = False) -> None:
    """Register with the server, show what it passes on, and send it what this client is told to write."""
    send("server", ("register", self_(), name))
    show(f"* {name} joins")
    if talkative:
        send_after(self_(), "talk", random.uniform(0, 2))
    while True:
        match receive(("message", str, str), ("send", str), "talk"):
            case ("message", sender, text):
                show(f"{sender}: {text}")
            case ("send", text) if text.startswith(OTHERS):
                send("server", ("message_to_others", self_(), text.removeprefix(OTHERS).strip()))
            case ("send", text):
                send("server", ("message", self_(), text))
            case "talk":
                send("server", ("message", self_(), random.choice(TALK)))
                send_after(self_(), "talk", random.uniform(0.3, 2))


def session() -> None:
    """Let three clients join and write a line each; the next one writes when all have printed the last."""
    Server.start_link(name="server")
    main = self_()

    def show(name: str, line: str) -> None:
        print(f"[{name}] {line}")
        send(main, "shown")

    clients = {name: spawn_link(client, name, partial(show, name), label=name) for name in LINES}
    for _ in clients:
        receive("shown")
    for name, line in LINES.items():
        send(clients[name], ("send", line))
        for _ in clients:
            receive("shown")


def start_client(name: str) -> Pid:
    """Start a client that talks by itself and prints nothing: the observer shows its mailbox and counters."""
    return spawn_link(client, name, lambda line: None, talkative=True, label=name)


def connection(peer: socket.socket) -> None:
    """Act for a person who has joined over TCP. However this process ends, the connection is closed."""
    with peer:
        peer.sendall(b"What is your name? ")
        spawn_link(reader, self_(), peer, label="reads what they type")
        name = receive(("send", str))[1].strip() or "stranger"
        set_label(name)
        client(name, lambda line: peer.sendall(f"{line}\n".encode()))


def reader(owner: Pid, peer: socket.socket) -> None:
    """Send each line that comes in to the process that owns the connection; end with that process or the connection."""
    with suppress(ConnectionError), peer.makefile("rb") as lines:
        while line := lines.readline(LONGEST_LINE):
            send(owner, ("send", line.decode(errors="replace").rstrip()))
    exit(("shutdown", "disconnected"))


def start_connection(peer: socket.socket, address: tuple[str, int]) -> Pid:
    """Start the process of one connection."""
    return spawn_link(connection, peer, label=f"from {address[0]}:{address[1]}")


def door(listener: socket.socket) -> None:
    """Accept every connection."""
    with listener:
        while True:
            peer, address = listener.accept()
            spec = ChildSpec(id="connection", start=(start_connection, peer, address), restart="temporary")
            start_child("connections", spec)


def start_door() -> Pid:
    """Open the port and start the process that waits behind it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", PORT))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen()
    return spawn_link(door, listener, label=f"nc localhost {listener.getsockname()[1]}")


def join(port: int) -> None:
    """Join the chat at `port` from this terminal: what is typed is sent, what the others write is printed."""
    try:
        peer = blocking.create_connection(("127.0.0.1", port))
    except OSError as error:
        sys.exit(f"There is no chat at port {port}: {error.strerror}. Start one with: observer demo chat")

    def type_on() -> None:
        with suppress(OSError):
            while line := sys.stdin.readline():
                peer.sendall(line.encode())
            peer.shutdown(blocking.SHUT_WR)

    Thread(target=type_on, daemon=True).start()
    with peer:
        while text := peer.recv(4096):
            print(text.decode(errors="replace"), end="", flush=True)


def tree() -> Pid | None:
    """Start the server, three clients, and the door; what comes after the server depends on it."""
    clients = [ChildSpec(id=name, start=(start_client, name)) for name in LINES]
    return Supervisor.start_link(
        [
            Server.child_spec(name="server"),
            Supervisor.child_spec(clients, name="clients"),
            DynamicSupervisor.child_spec(name="connections"),
            ChildSpec(id="door", start=(start_door,)),
        ],
        strategy="rest_for_one",
        name="chat",
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            play(session, tree)
        case ["--join", *port] if len(port) < 2 and all(word.isdecimal() for word in port):
            join(int(*port) or PORT)
        case _:
            sys.exit("usage: python -m demos.chat [--join [PORT]]")
