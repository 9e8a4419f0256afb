"""Serving: switches introspection on for the node of this program."""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gevent

from runtime.introspection import wire
from runtime.introspection.address import check_name, make_socket_dir, socket_path
from runtime.introspection.answers.answers import Answers
from runtime.introspection.endpoint.listener import Endpoint
from runtime.introspection.endpoint.probe import is_live
from runtime.introspection.endpoint.session import Client, Dropped
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.events.greenlets import Greenlets
from runtime.kernel.instrument import install, remove
from runtime.kernel.node import Node, this_node
from runtime.preemption.watchdog import LIMIT, Watchdog
from runtime.terms.errors import RuntimeFault

logger = logging.getLogger("runtime.introspection")


class Service:
    """Introspection of one node: its event log, its greenlets, its watchdog, its endpoint. `close` ends all of it."""

    def __init__(self, node: Node, name: str, path: Path, read_only: bool, state: bool, stall_limit: float) -> None:
        self.node = node
        self.name = name
        self.read_only = read_only
        self.log = EventLog(node, state=state)
        self.greenlets = Greenlets(node, self.log)
        self.watchdog = Watchdog(
            node, stall_limit, self.log.add_stall, self._every_second, other_greenlet=self.greenlets.running
        )
        self.answers = Answers(node, name, self.log, self.watchdog, self.greenlets, read_only, state)
        self.endpoint = Endpoint(path, self._serve, self._warn)
        install(self.log)
        self.log.spawns.switch_on()
        self.greenlets.switch_on()
        self.watchdog.start()
        self.endpoint.start()

    @property
    def path(self) -> Path:
        """Where observers connect."""
        return self.endpoint.path

    def close(self) -> None:
        """Switch introspection off and remove the socket. In the node's thread; may be called twice."""
        self.endpoint.close()
        remove(self.log)
        self.log.spawns.switch_off()
        self.greenlets.switch_off()
        self.watchdog.close()
        self.answers.close()
        atexit.unregister(self.close)
        if _services.get(self.node) is self:
            del _services[self.node]

    def _every_second(self) -> None:
        if self.log.is_due:
            self.node.call_soon_threadsafe(self.log.tick)
        self.answers.forget([client.attention for client in self.endpoint.clients()])

    def _warn(self, text: str) -> None:
        # From the hub: a handler of the program's may wait for something of gevent's.
        self.node.call_soon_threadsafe(logger.warning, "%s", text)

    def _serve(self, client: Client) -> None:
        """Talk with one observer until it hangs up. On a thread of its own."""
        hello = client.read_hello()
        if hello.protocol != wire.PROTOCOL:
            why = (
                f"This node speaks version {wire.PROTOCOL} of the protocol and the observer version {hello.protocol}; "
                f"use the same version of process-observer on both sides."
            )
            client.send(wire.Refused(why=why))
            raise Dropped(f"it speaks version {hello.protocol} of the protocol")
        client.send(self._welcome())
        try:
            while True:
                request = client.read_request()
                client.send(wire.Reply(id=request.id, answer=self.answers.answer(request.query, client.attention)))
        finally:
            self.answers.dismiss(client.attention)

    def _welcome(self) -> wire.Welcome:
        return wire.Welcome(
            protocol=wire.PROTOCOL,
            node=self.name,
            os_pid=os.getpid(),
            started_at=self.node.started_at,
            runtime_version=_version(),
            python_version=platform.python_version(),
            gevent_version=gevent.__version__,
            command=" ".join(sys.argv)[:1_000],
            read_only=self.read_only,
        )


_services: dict[Node, Service] = {}


def serve(name: str | None = None, read_only: bool = False, state: bool = True, stall_limit: float = LIMIT) -> Service:
    """Let observers look at this program's node, which is started if it does not run yet.

    `name` is what the node is called (1 to 40 letters, digits, ``_``, ``.``, ``-``); by default after the program. With
    `read_only`, observers can change nothing; without `state`, they are not shown what processes hold. A process that
    holds the hub for more than `stall_limit` seconds is reported. Gives the service, which ends with the node. Called
    again for the same node, it gives the one that runs.

    In the main thread it takes SIGURG, to interrupt a process that holds the hub, and while somebody observes SIGPROF
    with its timer, to sample who uses the processor; the latter not where the program uses them itself.

    Raises RuntimeFault when another node of the user has that name, ValueError for a name that is not allowed, and
    PermissionError or OSError when there is no safe place for the socket.
    """
    node = this_node()
    running = _services.get(node)
    if running is not None:
        return running
    if name is not None:
        check_name(name)
    if stall_limit <= 0:
        raise ValueError(f"stall_limit is a positive number of seconds, not {stall_limit!r}")
    make_socket_dir()
    with _claimed(name) as (chosen, path):
        service = Service(node, chosen, path, read_only, state, stall_limit)
    _services[node] = service
    atexit.register(service.close)
    node.closing.append(service.close)
    return service


def serve_from_environment(node: Node) -> None:
    """Switch introspection on as OBSERVER=1 and its companions in the environment ask for; never raises.

    OBSERVER_NAME names the node, OBSERVER_READ_ONLY=1 and OBSERVER_NO_STATE=1 set the options of `serve`.
    """
    environment = os.environ
    try:
        serve(
            environment.get("OBSERVER_NAME") or None,
            read_only=environment.get("OBSERVER_READ_ONLY") == "1",
            state=environment.get("OBSERVER_NO_STATE") != "1",
        )
    except (RuntimeFault, ValueError, OSError) as error:
        logger.error("OBSERVER=1 was set, but the node cannot be observed: %s", error)


@contextmanager
def _claimed(name: str | None) -> Iterator[tuple[str, Path]]:
    """Find a name and the path of its socket, clear of what a dead node left, and hold both while the block runs."""
    folder = os.open(make_socket_dir(), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # two nodes that start at once must not clear away each other's sockets
        candidates = [name] if name is not None else [_default_name(), f"{_default_name()[:30]}-{os.getpid()}"]
        for candidate in candidates:
            path = socket_path(candidate)
            if not is_live(path):
                path.unlink(missing_ok=True)
                yield candidate, path
                return
    finally:
        os.close(folder)
    raise RuntimeFault(f"there is a node called {name or candidates[-1]} already; give this one another name")


def _default_name() -> str:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    return name_after(sys.argv[0] if spec is None else spec.name)


def name_after(program: str) -> str:
    """Make a node's name of a script's path or a module's name."""
    last = Path(program).stem if program.endswith(".py") or "/" in program else program.removesuffix(".__main__")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", last.rpartition(".")[2]).strip("-.")
    return name[:40] or "python"


def _version() -> str:
    try:
        return version("process-observer")
    except PackageNotFoundError:
        return "0.1.0"
