"""Random calls between clients and servers beside a small model of what each call must come to.

Servers answer at once, later, never, or die of a request; they are suspended, resumed and killed; clients give up in
time or are killed. After each step every call that is over has come to what the model says, no client finds anything
in its mailbox, and no process watches another for a call that is over. `CallWorld.step` must be called in a process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runtime import (
    NOREPLY,
    CallError,
    Crash,
    From,
    GenServer,
    Pid,
    Stop,
    alive,
    call,
    cast,
    exit,
    flush,
    process_info,
    receive,
    reply,
    send,
    sleep,
    spawn,
    sys,
)
from runtime.kernel.clock import now
from runtime.kernel.node import running_node

Outcome = tuple[str, Any]

KINDS = ("now", "now", "keep", "keep", "keep", "never", "stop", "raise")
CLIENTS = 5
SERVERS = 3
OFF_BEAT = 0.00037
"""Seconds added to each timeout, so that none ends at the very moment at which something else happens."""


class Keeper(GenServer):
    """A server that does with each request what the request says."""

    def init(self) -> None:
        self.kept: dict[int, From] = {}

    def handle_call(self, request: tuple[str, int], caller: From) -> Any:
        kind, number = request
        match kind:
            case "now":
                return number
            case "keep":
                self.kept[number] = caller
            case "stop":
                return Stop("normal", reply=number)
            case "raise":
                raise ArithmeticError("oops")
        return NOREPLY

    def handle_cast(self, message: int) -> None:
        reply(self.kept.pop(message), message)


@dataclass(eq=False)
class Server:
    """What the model knows of a server. `queue` holds the requests that wait while it is suspended."""

    pid: Pid
    suspended: bool = False
    queue: list[tuple[str, int]] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)


@dataclass
class Waiting:
    """A call that is not over."""

    client: Pid
    server: Server
    deadline: float


class CallWorld:
    """Clients and servers that random operations are done to, and the model that says what must come of it."""

    OPERATIONS = (
        *("ask", "ask", "ask", "ask", "ask", "release", "release", "release"),
        *("suspend", "resume", "resume", "kill_server", "kill_client", "pass_time", "pass_time"),
    )

    def __init__(self) -> None:
        self.clients: list[Pid] = []
        self.servers: list[Server] = []
        self.waiting: dict[int, Waiting] = {}
        self.outcomes: dict[int, Outcome] = {}
        self.expected: dict[int, Outcome] = {}
        self.count = 0

    def step(self, operation: str, choices: Sequence[int]) -> None:
        """Do one operation; `choices` (at least three numbers) say to whom and how. Then compare."""
        self.outcomes.clear()
        self.expected.clear()
        while len(self.clients) < CLIENTS:
            self.clients.append(spawn(_obey))
        while len(self.servers) < SERVERS:
            pid = Keeper.start()
            assert pid is not None
            self.servers.append(Server(pid))
        getattr(self, operation)(*choices[:3])
        sleep(0.001)
        for number, call_ in [*self.waiting.items()]:
            if call_.deadline <= now():
                self.over(number, ("exit", "timeout"))
        self.compare()

    # --- operations: each does a thing and tells the model ----------------------------------------------------------

    def ask(self, one: int, two: int, kind: int) -> None:
        """Let a client that is free call a server."""
        busy = {call_.client for call_ in self.waiting.values()}
        free = [client for client in self.clients if client not in busy]
        if not free:
            return
        self.count += 1
        number, client, server = self.count, free[one % len(free)], self.servers[two % SERVERS]
        what, timeout = KINDS[kind % len(KINDS)], (1 + kind % 20) / 10 + OFF_BEAT
        send(client, lambda: self.outcomes.update({number: _outcome(server.pid, (what, number), timeout)}))
        self.waiting[number] = Waiting(client, server, now() + timeout)
        if server.suspended:
            server.queue.append((what, number))
        else:
            self.handled(server, what, number)

    def release(self, one: int, two: int, _: int) -> None:
        """Let a server give one of the replies that it owes, whether a client still waits for it or not."""
        server = self.servers[one % SERVERS]
        if server.kept and not server.suspended:
            number = server.kept.pop(two % len(server.kept))
            cast(server.pid, number)
            self.over(number, ("ok", number))

    def suspend(self, one: int, _: int, __: int) -> None:
        """Suspend a server by a system message."""
        server = self.servers[one % SERVERS]
        sys.suspend(server.pid)
        server.suspended = True

    def resume(self, one: int, _: int, __: int) -> None:
        """Resume a server, which then does what it was asked meanwhile, for those too who gave up."""
        server = self.servers[one % SERVERS]
        sys.resume(server.pid)
        server.suspended = False
        while server.queue and server in self.servers:
            self.handled(server, *server.queue.pop(0))

    def kill_server(self, one: int, _: int, __: int) -> None:
        """Kill a server."""
        server = self.servers[one % SERVERS]
        exit(server.pid, "kill")
        self.gone(server, "killed")

    def kill_client(self, one: int, _: int, __: int) -> None:
        """Kill a client, which may be waiting for a reply."""
        client = self.clients.pop(one % len(self.clients))
        exit(client, "kill")
        self.waiting = {number: call_ for number, call_ in self.waiting.items() if call_.client != client}

    def pass_time(self, tenths: int, _: int, __: int) -> None:
        """Let up to a second pass."""
        sleep(tenths % 10 / 10)

    # --- the rules ---------------------------------------------------------------------------------------------------

    def handled(self, server: Server, kind: str, number: int) -> None:
        """What a request does to the server and to its caller."""
        match kind:
            case "now":
                self.over(number, ("ok", number))
            case "keep":
                server.kept.append(number)
            case "stop":
                self.over(number, ("ok", number))
                self.gone(server, "normal")
            case "raise":
                self.gone(server, "oops")

    def gone(self, server: Server, reason: str) -> None:
        """What a server's death does: every client that waits for it learns why."""
        self.servers.remove(server)
        for number, call_ in [*self.waiting.items()]:
            if call_.server is server:
                self.over(number, ("exit", reason))

    def over(self, number: int, outcome: Outcome) -> None:
        """A call comes to something, unless its client waits no longer."""
        if self.waiting.pop(number, None) is not None:
            self.expected[number] = outcome

    # --- comparing ---------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """Compare what the calls came to with the model, and see that nothing is left of them."""
        assert self.outcomes == self.expected, f"{self.outcomes} instead of {self.expected}"
        calling = {call_.client for call_ in self.waiting.values()}
        for client in self.clients:
            info = process_info(client, "message_queue_len", "monitors")
            assert info is not None
            assert info["message_queue_len"] == 0, "a late reply reached its client"
            assert client in calling or not info["monitors"], "a call left a monitor behind"
        called = {call_.server.pid for call_ in self.waiting.values()}
        for server in self.servers:
            info = process_info(server.pid, "monitored_by")
            assert info is not None
            assert server.pid in called or not info["monitored_by"], "a call left a monitor behind"
        assert not flush()

    def end(self) -> None:
        """Kill all and see that nothing is left of them."""
        everybody = [*self.clients, *(server.pid for server in self.servers)]
        for pid in everybody:
            exit(pid, "kill")
        sleep(0.001)
        assert not [pid for pid in everybody if alive(pid)]
        node = running_node()
        assert node is not None
        assert not node.timers.pending
        assert not node.aliases


def _obey() -> None:
    while True:
        receive(callable)()


def _outcome(server: Pid, request: tuple[str, int], timeout: float) -> Outcome:
    try:
        return ("ok", call(server, request, timeout=timeout))
    except CallError as error:
        return ("exit", error.reason.message if isinstance(error.reason, Crash) else error.reason)
