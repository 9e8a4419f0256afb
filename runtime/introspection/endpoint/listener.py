"""The endpoint: a Unix socket on native threads, where observers connect.

Nothing here runs in the hub, so it answers while the hub is stuck. What a client can do to the program is bounded: how
many may be connected, how long a frame may be, how long one may take to send it or to read the answer. A client that
breaks a rule is dropped with a line in the log.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import time
from collections import deque
from collections.abc import Callable

from runtime.introspection.address import OPEN, Reservation
from runtime.introspection.endpoint.session import ClientDroppedError, Session
from runtime.kernel.threads import new_lock, sleep, start_thread
from runtime.terms.own_repr import beside_the_node

MAX_CLIENTS = 32
"""Clients that are served at a time; one more is refused with a sentence."""

BACKLOG = 128
"""Connections that the system keeps until they are accepted."""

OUT_OF_RESOURCES_PAUSE = 0.1
"""Seconds until the next attempt to accept when the system has run out of something."""

Serve = Callable[[Session], None]


class Endpoint:
    """Listens on a reserved socket and serves each client on a thread of its own; `log` takes lines for the log."""

    def __init__(self, reservation: Reservation, serve: Serve, log: Callable[[str], None]) -> None:
        self.path = reservation.path
        self._serve = serve
        self._log = log
        self._os_pid = os.getpid()
        self._lock = new_lock()
        self._sessions: set[Session] = set()
        self._refusals = Refusals()
        self._closed = False
        self._listener = reservation.listener
        self._inode = os.stat(self.path).st_ino

    def start(self) -> None:
        """Begin to accept clients."""
        os.chmod(self.path, OPEN)
        self._listener.listen(BACKLOG)
        start_thread(self._accept, ())

    def sessions(self) -> list[Session]:
        """Return those that are served now."""
        with self._lock:
            return [*self._sessions]

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
        for session in self.sessions():
            session.hang_up()
        with contextlib.suppress(OSError):
            if os.stat(self.path).st_ino == self._inode:
                self.path.unlink()

    def leave_behind(self) -> None:
        """Close this child's copies of the sockets, which are the parent's. In the child of a fork.

        Without that the name would look taken after the parent's end, and an observer would wait for a hang-up. No
        lock is taken: the thread that had it is the parent's.
        """
        self._closed = True
        self._listener.close()
        for session in [*self._sessions]:
            session.leave_behind()

    def _accept(self) -> None:
        while not self._closed:
            try:
                descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]
            except OSError as error:
                if self._closed:
                    return
                self._log(f"accepting an observer failed: {error}")
                sleep(OUT_OF_RESOURCES_PAUSE)
                continue
            connection = _socket.socket(fileno=descriptor)
            os.set_inheritable(descriptor, False)
            self._admit(Session(connection))

    def _admit(self, session: Session) -> None:
        """Serve a client on a thread of its own, or refuse it."""
        problem = session.foreign()
        if problem is not None:
            self._log(f"dropped an observer: {problem}")
            session.hang_up()
            return
        with self._lock:
            has_room = len(self._sessions) < MAX_CLIENTS
            if has_room:
                self._sessions.add(session)
        if has_room:
            try:
                start_thread(self._run, (session,))
                return
            except RuntimeError as error:
                self._log(f"dropped an observer: {error}")
                with self._lock:
                    self._sessions.discard(session)
        self._refusals.refuse(session, f"This node serves {MAX_CLIENTS} observers already; close one of them.")

    def _run(self, session: Session) -> None:
        try:
            with beside_the_node():
                self._serve(session)
        except ClientDroppedError as problem:
            if str(problem):
                self._log(f"dropped an observer: {problem}")
        except Exception as error:
            self._log(f"dropped an observer: {type(error).__name__}: {error}")
        finally:
            session.hang_up()
            with self._lock:
                self._sessions.discard(session)


class Refusals:
    """Clients that were refused and may not have read why.

    A socket that is closed before all that came in was read makes the system throw away what was sent and not read
    yet. A client says hello first, so its connection is kept until it has closed its end, for `LONGEST` seconds.
    """

    LONGEST = 2.0
    """Seconds for which a refused client's connection is kept."""

    MOST = 64
    """Connections that are kept; the oldest makes room for another one."""

    PERIOD = 0.02
    """Seconds between two looks at them."""

    def __init__(self) -> None:
        self._lock = new_lock()
        self._kept: deque[tuple[float, Session]] = deque()
        self._watched = False

    def refuse(self, session: Session, why: str) -> None:
        """Tell a client why it is not served, and hang up once it has read that."""
        session.refuse(why)
        with self._lock:
            self._kept.append((time.monotonic() + self.LONGEST, session))
            oldest = self._kept.popleft()[1] if len(self._kept) > self.MOST else None
            start, self._watched = not self._watched, True
        if oldest is not None:
            oldest.hang_up()
        if start:
            try:
                start_thread(self._watch, ())
            except RuntimeError:
                self._hang_up_on_all()

    def _watch(self) -> None:
        """Hang up on those that have read it, until all have."""
        while True:
            with self._lock:
                present = time.monotonic()
                done = [each for each in self._kept if each[0] < present or each[1].has_hung_up()]
                for each in done:
                    self._kept.remove(each)
                self._watched = bool(self._kept)
            for _, session in done:
                session.hang_up()
            if not self._watched:
                return
            sleep(self.PERIOD)

    def _hang_up_on_all(self) -> None:
        with self._lock:
            kept, self._watched = [*self._kept], False
            self._kept.clear()
        for _, session in kept:
            session.hang_up()
