"""A connection that is lost again and again, and comes back: a state machine that waits longer after each failure.

Alone, ``python -m demos.connection`` shows the states that the machine goes through while its server hangs up and will
not answer for a while, and that a question which comes meanwhile is answered in the end. In the observer the server
hangs up every few seconds, for a few seconds:

- The row ``connection`` says in which state the machine is: ``connecting``, ``connected`` or ``backing_off``. Press
  ``enter`` on it, and ``i`` there: the state holds how often it has tried, and how long it waits.
- ``asker`` asks a question every now and then. While there is no connection the machine postpones it; watch its
  mailbox: it stays empty, since what is postponed is kept by the machine.
- Press ``x`` on ``server``: every connection is closed, and the next server takes over the port. Press ``x`` on
  ``connection``: a new machine starts over, without waiting. Press ``S`` on ``server``: nothing answers, and
  the machine gives up the attempt after a while.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gevent import socket

from demos._stage import named, play
from runtime import (
    CallError,
    ChildSpec,
    Exit,
    From,
    GenServer,
    GenStatem,
    Keep,
    Next,
    Pid,
    Postpone,
    Reply,
    StateTimeout,
    Supervisor,
    call,
    cast,
    exit,
    flag,
    receive,
    reply,
    self_,
    send,
    send_after,
    sleep,
    spawn_link,
)

UP, DOWN = 6.0, 5.0
"""Seconds for which the server answers, and for which it hangs up at once."""

PATIENCE = 1.0
"""Seconds after which an attempt to connect is given up."""

SHORTEST, LONGEST = 0.1, 3.0
"""Seconds to wait after the first failure, and at most. They double from one failure to the next."""


class Server(GenServer):
    """Answers each line with the same in capitals. After a while it hangs up, and does so at once for another while."""

    def init(self, listener: socket.socket, up: float | None = UP, down: float = DOWN) -> None:
        """Begin to take connections. With None as `up`, ``cast(server, "toggle")`` alone has it hang up, or answer."""
        flag(trap_exit=True)
        self.is_up = True
        self.up, self.down = up, down
        self.peers: set[Pid] = set()
        spawn_link(accept, self_(), listener, label="accepts")
        if up is not None:
            send_after(self_(), "toggle", up)

    def handle_cast(self, message: Any) -> None:
        """Hang up, or answer again."""
        match message:
            case "toggle":
                self.is_up = not self.is_up
                for peer in self.peers:
                    exit(peer, "shutdown")
            case _:
                super().handle_cast(message)

    def handle_info(self, message: Any) -> None:
        """Take a connection, or let it go."""
        match message:
            case ("peer", peer) if self.is_up:
                self.peers.add(spawn_link(answer, peer, label="answers"))
            case ("peer", peer):
                peer.close()
            case "toggle":
                self.handle_cast("toggle")
                send_after(self_(), "toggle", self.up if self.is_up and self.up is not None else self.down)
            case Exit(pid, _) if pid in self.peers:
                self.peers.discard(pid)
            case Exit(_, reason):
                exit(reason)
            case _:
                super().handle_info(message)


def accept(server: Pid, listener: socket.socket) -> None:
    """Hand every connection to the server. The copy is closed with this process, the port stays open."""
    with listener.dup() as own:
        while True:
            peer, _ = own.accept()
            send(server, ("peer", peer))


def answer(peer: socket.socket) -> None:
    """Greet, and answer line by line. However this process ends, the connection is closed."""
    with peer, suppress(OSError), peer.makefile("rwb") as lines:
        lines.write(b"hello\n")
        lines.flush()
        for line in lines:
            lines.write(line.upper())
            lines.flush()


def read(machine: Pid, port: int) -> None:
    """Connect, and tell the machine of it and of each line that comes. The connection ends with this process."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as peer, peer.makefile("rb") as lines:
        for line in lines:
            send(machine, ("greeted", peer) if line == b"hello\n" else ("line", line.decode().rstrip()))


class Connection(GenStatem):
    """Keeps a connection to the server: answers ``("ask", text)``, and connects again whenever it is lost."""

    state_enter = True

    def init(self, port: int, show: Callable[[str], None] = lambda line: None) -> str:
        """Begin without a connection."""
        flag(trap_exit=True)
        self.port = port
        self.show = show
        self.failures = 0
        self.reader: Pid | None = None
        self.peer: socket.socket | None = None
        self.unanswered: deque[From] = deque()
        return "connecting"

    def connecting(self, kind: Any, event: Any) -> Any:
        """Wait until a process of its own has connected, but not for long."""
        match kind, event:
            case "enter", _:
                self.show("connecting")
                self.reader = spawn_link(read, self_(), self.port, label="reads")
                return Keep(StateTimeout(PATIENCE))
            case "info", ("greeted", peer):
                self.peer = peer
                return Next("connected")
            case "info", Exit(pid, _) if pid == self.reader:
                return Next("backing_off")
            case "state_timeout", _:
                self.hang_up()
                return Next("backing_off")
            case "call", _:
                return Keep(Postpone())
        return None

    def connected(self, kind: Any, event: Any) -> Any:
        """Pass questions on, and answers back, in order."""
        match kind, event:
            case "enter", _:
                self.show("connected")
                self.failures = 0
            case "call", ("ask", text):
                assert self.caller is not None
                assert self.peer is not None
                self.unanswered.append(self.caller)
                with suppress(OSError):  # then the process that reads ends too
                    self.peer.sendall(f"{text}\n".encode())
            case "info", ("line", text) if self.unanswered:
                reply(self.unanswered.popleft(), text)
            case "info", Exit(pid, _) if pid == self.reader:
                lost = [Reply(caller, "the connection was lost") for caller in self.unanswered]
                self.unanswered.clear()
                return Next("backing_off", *lost)
        return None

    def backing_off(self, kind: Any, event: Any) -> Any:
        """Wait before the next attempt, twice as long as before the last one."""
        match kind, event:
            case "enter", _:
                seconds = min(LONGEST, SHORTEST * 2**self.failures)
                self.failures += 1
                self.show(f"waiting for {seconds:.1f} seconds")
                return Keep(StateTimeout(random.uniform(0.9, 1.0) * seconds))  # so that not all come back at once
            case "state_timeout", _:
                return Next("connecting")
            case "call", _:
                return Keep(Postpone())
        return None

    def hang_up(self) -> None:
        """End the process that reads, and the connection with it. Its exit comes too late to matter."""
        if self.reader is not None:
            exit(self.reader, "shutdown")
            self.reader = None


def ask(connection: str | Pid, text: str, timeout: float = 5.0) -> str:
    """Ask the server through a connection."""
    answered: str = call(connection, ("ask", text), timeout)
    return answered


def asker() -> None:
    """Ask something every now and then."""
    while True:
        sleep(random.uniform(0.2, 1.0))
        with suppress(CallError):
            ask("connection", random.choice(["who is there?", "how are you?", "what time is it?"]))


def start_asker() -> Pid:
    """Start the process that asks."""
    return spawn_link(asker, label="asker")


def open_port() -> socket.socket:
    """Listen at any free port of this machine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def tree(listener: socket.socket | None = None) -> Pid | None:
    """Start the server, the connection to it, and who asks."""
    listener = listener or open_port()
    return Supervisor.start_link(
        [
            named(Server, "server", listener),
            named(Connection, "connection", listener.getsockname()[1]),
            ChildSpec(id="asker", start=(start_asker,)),
        ],
        name="network",
        max_restarts=10,
    )


def session() -> None:
    """Ask, have the server hang up, ask while there is no connection, and have it answer again."""
    main = self_()
    listener = open_port()
    server = Server.start_link(listener, None)

    def show(line: str) -> None:
        print(f"[connection] {line}")
        send(main, line)

    connection = Connection.start_link(listener.getsockname()[1], show)
    assert connection is not None
    print(ask(connection, "who is there?"))
    print("the server hangs up")
    cast(server, "toggle")
    receive("waiting for 0.4 seconds")
    print("and answers again, for a question that has waited")
    spawn_link(lambda: send(main, ("answered", ask(connection, "how are you?"))))
    cast(server, "toggle")
    print(receive(("answered", str))[1])


if __name__ == "__main__":
    play(session, tree)
