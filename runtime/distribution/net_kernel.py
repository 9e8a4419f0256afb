"""The reachable node: its name, its listening socket, its connections (OTP: net_kernel)."""

from __future__ import annotations

import _socket
import contextlib
import ipaddress
import re
import secrets
import time
from ssl import SSLContext
from typing import Any, Literal, NamedTuple

from runtime.distribution import epmd as port_mapper
from runtime.distribution.attempts import Attempt, Attempts
from runtime.distribution.connection import Connection
from runtime.distribution.cookie import checked_cookie
from runtime.distribution.errors import DistributionError
from runtime.distribution.external_term import Codec
from runtime.distribution.greeting import Terms, Trust
from runtime.distribution.guard import Guard
from runtime.distribution.handshake import LONGEST_NAME, SETUP_TIME, Own, Peer, Status, YieldedError, accept, connect
from runtime.distribution.hub_calls import HubCalls, on_thread
from runtime.distribution.parts import Conversion, Handler
from runtime.distribution.refusals import Refusals
from runtime.distribution.registration import KeptRegistration, Reservation, reserve
from runtime.distribution.tls_refusals import hint
from runtime.distribution.transport import Closed, TlsTransport, Transport
from runtime.kernel.threads import new_lock, sleep, start_thread
from runtime.terms.log import Log
from runtime.terms.text import render

logger = Log("runtime.distribution")

MOST_HANDSHAKES = 64
"""Handshakes of nodes that connect, at a time; one more takes the place of the oldest, so that a flood of connections
that say nothing keeps no node out."""

PERIODS = 4
"""How often the guard looks in `net_ticktime`."""

AGAIN = 0.5
"""Seconds until a timer calls again what an exception has cut short."""

MOST_FAILURES = 500
"""Nodes of which it is kept why they could not be reached."""

_NAME = re.compile(r"[\w-]+@[\w.:-]+")


class Tls(NamedTuple):
    """The contexts that connections are wrapped in: of those that come in, and of those that go out.

    Let both ask the other side for a certificate (``verify_mode = ssl.CERT_REQUIRED``): TLS without that keeps secrets
    from listeners, but not from whoever knows the cookie.
    """

    server: SSLContext
    client: SSLContext


class NetKernel:
    """A node that others reach. Made by `start`; its methods are for the hub's thread."""

    def __init__(
        self,
        own: Own,
        terms: Terms,
        handler: Handler,
        listener: _socket.socket,
        tls: Tls | None,
        static_port: int | None,
    ) -> None:
        self.name = own.name
        self.creation = own.creation
        self.port: int = listener.getsockname()[1]
        self.connections: dict[str, Connection] = {}
        """The connections that are up, by the names of the nodes."""
        self._own = own
        self._terms = terms
        self._handler = handler
        self._tls = tls
        self._static_port = static_port
        self._hub = HubCalls()
        self._attempts = Attempts(own.name)
        self._opening: dict[Connection, Attempt] = {}
        """Connections after the handshake whose other side has not greeted yet."""
        self._all: list[Connection] = []
        """Every open connection; replaced when it changes, since the guard reads it."""
        self._registration: KeptRegistration | None = None
        self._handshakes: dict[_socket.socket, None] = {}
        """The sockets of nodes that connect, oldest first."""
        self._handshakes_lock = new_lock()
        self._refusals = Refusals()
        self._failures: dict[str, str] = {}
        """Why the last attempt to connect to a node failed, by its name."""
        self._is_closed = False
        self._listener = listener
        self.net_ticktime = 60.0
        """Seconds after which a node that says nothing counts as down."""
        self._guard: Guard | None = None

    def listen(self, net_ticktime: float, registration: KeptRegistration | None) -> None:
        """Begin to accept connections."""
        self._registration = registration
        self.net_ticktime = net_ticktime
        self._guard = Guard(self._listener, net_ticktime / PERIODS, self._accepted, self._look_after)
        self._guard.start()

    def connect(self, name: str) -> None:
        """Connect to a node in the background: ``on_up`` or ``on_failed`` comes, unless it is connected already."""
        if name in self.connections and not self._is_closed:
            return
        problem = "a node does not connect to itself" if name == self.name else name_problem(name)
        if self._is_closed:
            problem = f"{self.name} is no node any more"
        if problem is not None:
            tell = self._hub.later if self._is_closed else self._hub.from_thread  # which is not done any more then
            tell(self._tell_failure, name, problem)
            return
        attempt = self._attempts.dial(name)
        if attempt is None:
            return
        try:
            start_thread(self._dial, (attempt,))
        except RuntimeError as error:
            self._hub.from_thread(self._failed, attempt, f"no thread can be started for it: {error}")

    def close(self) -> None:
        """End every connection, stop listening, and give the name back."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._registration is not None:
            self._registration.close()
        if self._guard is not None:
            self._guard.close()
        for connection in [*self._all]:
            connection.close("disconnect")
        self._hub.later(self._hub.close)

    def _hand_over(self, attempt: Attempt, peer: Peer, transport: Transport) -> None:
        """Have the hub take a connection after its handshake, on the thread of the handshake."""
        self._hub.from_thread(self._open, attempt, peer, transport)
        if self._is_closed:  # the hub may have taken its last call
            transport.shut_down()

    def abandon(self) -> None:
        """Close this process's copies of all sockets, in the child of a fork."""
        self._is_closed = True
        if self._guard is not None:
            self._guard.abandon()
        if self._registration is not None:
            self._registration.abandon()
        for connection in self._all:
            connection.abandon()
        self._all = []
        self.connections = {}

    def set_cookie(self, name: str, cookie: str) -> None:
        """Use another cookie from now on: with the node of that name, or for this one's own name with all others."""
        self._own.cookies[name] = checked_cookie(cookie)

    def cookie_for(self, name: str) -> str:
        """Return the cookie that is used with the node of that name."""
        return self._own.cookie_for(name)

    # -- Our attempts, each on a thread of its own --------------------------------------------------------------------

    def _dial(self, attempt: Attempt) -> None:
        if not self._attempts.begin(attempt):
            return
        name = attempt.name
        transport = None
        try:
            transport = self._reach(name)
            peer = connect(transport, self._own, name, lambda: self._attempts.is_up(name))
        except YieldedError:
            self._wait_for_other(attempt)
        except DistributionError as error:
            self._hub.from_thread(self._failed, attempt, str(error))
        except (Closed, OSError) as error:
            broken = f"the handshake with {name} broke off: {error}{hint(str(error), self._tls is not None)}"
            self._hub.from_thread(self._failed, attempt, broken)
        except Exception as error:
            logger.exception("connecting to %s failed", name)
            self._hub.from_thread(self._failed, attempt, f"connecting to {name} failed: {error}")
        else:
            self._hand_over(attempt, peer, transport)
            return
        if transport is not None:
            transport.close()

    def _reach(self, name: str) -> Transport:
        """Return a socket that is connected to a node, the TLS handshake done. Raises DistributionError."""
        short, _, host = name.partition("@")
        port = self._static_port or port_mapper.find(short, host).port
        deadline = time.monotonic() + SETUP_TIME
        try:
            sock = port_mapper.dial(port_mapper.address_of(host), port, deadline)
        except DistributionError:
            raise
        except OSError as error:
            raise DistributionError(
                f"{name} does not answer on port {port} ({error.strerror or error}); it may listen on another address, "
                "or a firewall holds it back"
            ) from None
        if self._tls is None:
            return Transport(sock)
        transport = TlsTransport(sock, self._tls.client, False, host)
        try:
            transport.shake_hands(deadline)
        except BaseException:
            transport.close()
            raise
        return transport

    def _wait_for_other(self, attempt: Attempt) -> None:
        """Wait until the other node's own attempt has come to its end: it may fail, and then so has this one."""
        ends = time.monotonic() + SETUP_TIME
        while time.monotonic() < ends:
            if not self._attempts.is_current(attempt) or self._attempts.is_up(attempt.name):
                self._attempts.finish(attempt)
                return
            sleep(0.02)
        self._hub.from_thread(self._failed, attempt, f"{attempt.name} was to connect itself, and has not in time")

    # -- Attempts of others, each on a thread of its own --------------------------------------------------------------

    def _accepted(self, sock: _socket.socket) -> None:
        with self._handshakes_lock:
            oldest = next(iter(self._handshakes)) if len(self._handshakes) >= MOST_HANDSHAKES else None
            if oldest is not None:
                del self._handshakes[oldest]
                with contextlib.suppress(OSError):
                    oldest.shutdown(_socket.SHUT_RDWR)  # which ends its thread
            self._handshakes[sock] = None
        try:
            start_thread(self._accept, (sock,))
        except RuntimeError:
            self._release(sock)
            raise

    def _release(self, sock: _socket.socket) -> None:
        with self._handshakes_lock:
            self._handshakes.pop(sock, None)

    def _accept(self, sock: _socket.socket) -> None:
        claimed: list[Attempt] = []
        transport: Transport | None = None
        is_kept = False

        def claim(name: str) -> Status:
            status, attempt = self._attempts.claim(name)
            if attempt is not None:
                claimed.append(attempt)
            return status

        try:
            if self._tls is None:
                transport = Transport(sock)
            else:
                transport = tls = TlsTransport(sock, self._tls.server, True, None)
                tls.shake_hands(time.monotonic() + SETUP_TIME)
            peer = accept(transport, self._own, claim)
            is_kept = True
            self._hand_over(claimed[0], peer, transport)
        except YieldedError:
            pass
        except (DistributionError, Closed, OSError) as error:
            self._refusals.log(transport, str(error))
        except Exception:
            logger.exception("a node that connects could not be served")
        finally:
            self._release(sock)
            if not is_kept:
                if transport is None:
                    sock.close()
                else:
                    transport.close()
                for attempt in claimed:
                    self._hub.from_thread(self._not_accepted, attempt)

    def _not_accepted(self, attempt: Attempt) -> None:
        """Connect to a node whose own attempt has failed, if this one has waited for that."""
        if self._ends(attempt):
            self._attempts.finish(attempt)
            if attempt.is_wanted:
                self.connect(attempt.name)
            attempt.is_over = False

    # -- Connections, in the hub: what an exception has ended is done again, and goes on there ------------------------

    def _ends(self, attempt: Attempt) -> bool:
        """Return whether an attempt that has failed is the one that counts, and who waits for it is to be told."""
        if self._attempts.is_current(attempt):
            attempt.is_over = True
        return attempt.is_over

    def _failed(self, attempt: Attempt, reason: str) -> None:
        if self._ends(attempt):
            self._attempts.finish(attempt)
            self._tell_failure(attempt.name, reason)
            attempt.is_over = False

    def _tell_failure(self, name: str, reason: str) -> None:
        if self._failures.get(name) != reason:  # who tries again and again needs to read it once
            if len(self._failures) >= MOST_FAILURES:
                self._failures.clear()
            self._failures[name] = reason
            logger.warning("no connection to %s: %s", name, reason)
        self._handler.on_failed(name, reason)

    def _open(self, attempt: Attempt, peer: Peer, transport: Transport) -> None:
        """Begin to talk to a node, after the handshake."""
        connection = attempt.connection
        if connection is None:
            if self._is_closed or not self._attempts.is_current(attempt):
                transport.close()
                return
            connection = Connection(
                transport, self._own, peer, self._terms, self._hub, self._handler, self._over, self._came_up
            )
            self._opening[connection], self._all, attempt.connection = attempt, [*self._all, connection], connection
        connection.start()
        timer = self._hub.loop.timer(SETUP_TIME, AGAIN, ref=False)
        timer.start(self._check_greeted, connection, timer)

    def _check_greeted(self, connection: Connection, timer: Any) -> None:
        if connection in self._opening:
            connection.end("connection_closed")
        timer.close()

    def _came_up(self, connection: Connection) -> None:
        """Take a connection that is up, once. Done again, it goes on where an exception has ended it."""
        if (attempt := self._opening.get(connection)) is None:
            return
        old = self.connections.get(connection.name)
        if old is not None and old is not connection:
            old.end("connection_closed")  # the other node has forgotten it: it would not have connected again
        self.connections[connection.name] = connection
        self._attempts.note_up(connection.name)
        self._failures.pop(connection.name, None)
        self._handler.on_up(connection)
        self._attempts.finish(attempt)
        self._opening.pop(connection, None)

    def _over(self, connection: Connection, reason: str) -> None:
        self._all = [each for each in self._all if each is not connection]
        if self.connections.get(connection.name) is connection:
            del self.connections[connection.name]
            self._attempts.note_down(connection.name)
        if (attempt := self._opening.get(connection)) is None:
            return
        if attempt.is_ours:
            self._failed(attempt, f"{attempt.name} closed the connection after the handshake")
        else:
            self._not_accepted(attempt)
        self._opening.pop(connection, None)

    def _look_after(self) -> None:
        if self._registration is not None:
            self._registration.look_after()
        for connection in self._all:
            try:
                connection.look_after()
            except Exception:  # whose descriptor the hub has closed meanwhile, for one
                logger.exception("looking after the connection to %s failed", connection.name)


def name_problem(name: str) -> str | None:
    """Return why a text cannot be the name of a node, None if it can."""
    if _NAME.fullmatch(name) is None:
        return (
            f"{render(name)} is no name of a node; one looks like shop@127.0.0.1: letters, digits, - and _, @, the host"
        )
    if len(name.encode()) > LONGEST_NAME:
        return f"the name of a node has at most {LONGEST_NAME} bytes; {name[:20]}... has {len(name.encode())}"
    return None


def full_name(name: str) -> str:
    """Return a node's name with the name of this host, if it has none. Raises DistributionError if it is no name."""
    if name and "@" not in name:
        name = f"{name}@{_socket.gethostname().partition('.')[0]}"
    problem = name_problem(name)
    if problem is not None:
        raise DistributionError(problem)
    return name


def start(
    name: str,
    cookie: str,
    *,
    conversion: Conversion,
    handler: Handler,
    listen: str = "127.0.0.1",
    port: int = 0,
    hidden: bool = True,
    tls: Tls | None = None,
    insecure: bool = False,
    trust: Trust = "pickle",
    net_ticktime: float = 60.0,
    epmd: Literal["auto"] | None = "auto",
    binaries: Literal["text", "bytes"] = "text",
    none: Literal["nil", "undefined"] = "nil",
) -> NetKernel:
    """Make this node reachable: listen, and register the name with epmd. In the hub's thread.

    `name` gets the host's name where it has none. Another address than a loopback one is listened on only with `tls` or
    ``insecure=True``: whoever knows the cookie can run any code here. With ``epmd=None`` no epmd is asked or told:
    every node listens on `port`. Raises DistributionError with a sentence when it does not work.
    """
    name = full_name(name)
    checked_cookie(cookie)
    is_local = _is_loopback(listen)
    if not is_local and tls is None and not insecure:
        raise DistributionError(
            f"listening on {listen} lets other hosts in, and whoever knows the cookie can run any code on this node, "
            "unencrypted; give tls=, or insecure=True where the network is trusted"
        )
    if epmd is None and not port:
        raise DistributionError("without epmd, others find a node by its port alone; give port=")
    short = None if epmd is None else name.partition("@")[0]
    # on a thread, since epmd may be slow, or has to be started first
    reservation = on_thread(lambda: reserve(listen, port, short, hidden, not is_local), Reservation.give_back)
    listener, registration = reservation
    try:
        creation = secrets.randbelow(0xFFFF_0000) + 4  # below 4 are those of the oldest nodes
        if registration is not None:
            creation = registration.creation
        own = Own(name, creation, cookie, hidden, {})
        terms = Terms(Codec(conversion, binaries=binaries, none=none), conversion, trust)
        kernel = NetKernel(own, terms, handler, listener, tls, port if epmd is None else None)
        kernel.listen(net_ticktime, registration)
    except BaseException:
        reservation.give_back()
        raise
    return kernel


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
