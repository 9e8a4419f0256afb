"""The guard: the one native thread that accepts connections and keeps them alive, however busy the hub is."""

from __future__ import annotations

import _socket
import contextlib
import os
import time
from collections.abc import Callable

from gevent.monkey import get_original

from runtime.kernel.threads import close, sleep, start_thread

BACKLOG = 128
"""Connections that the system keeps until they are accepted."""

OUT_OF_RESOURCES_PAUSE = 0.1
"""Seconds until the next attempt to accept when the system has run out of something."""

_poll = get_original("select", "poll")
_POLLIN = 1


class Guard:
    """Calls `accepted` with each socket that connects, and `look_after` once in `period` seconds."""

    def __init__(
        self,
        listener: _socket.socket,
        period: float,
        accepted: Callable[[_socket.socket], object],
        look_after: Callable[[], object],
    ) -> None:
        self._listener = listener
        self._period = period
        self._accepted = accepted
        self._look_after = look_after
        self._is_closed = False
        self._wake_read, self._wake_write = os.pipe()

    def start(self) -> None:
        """Start the thread."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        start_thread(self._run, ())

    def close(self) -> None:
        """Stop the thread, which closes what it listens to."""
        if not self._is_closed:
            os.write(self._wake_write, b"x")  # first, as the thread closes this once it sees that all is over
            self._is_closed = True

    def abandon(self) -> None:
        """Close this process's copies, in the child of a fork, which has no such thread."""
        self._is_closed = True
        self._close_all()

    def _run(self) -> None:
        poller = _poll()
        poller.register(self._listener.fileno(), _POLLIN)
        poller.register(self._wake_read, _POLLIN)
        due = time.monotonic() + self._period
        while not self._is_closed:
            ready = poller.poll(max(0.0, due - time.monotonic()) * 1000)
            if self._is_closed:
                break
            if ready:
                self._accept()
            if time.monotonic() >= due:
                due = time.monotonic() + self._period
                self._look_after()
        self._close_all()

    def _accept(self) -> None:
        try:
            descriptor, _ = self._listener._accept()  # type: ignore[attr-defined]
        except BlockingIOError:
            return
        except OSError:
            if not self._is_closed:
                sleep(OUT_OF_RESOURCES_PAUSE)
            return
        sock = _socket.socket(fileno=descriptor)
        try:
            self._accepted(sock)
        except Exception:  # no thread can be started, for one: whoever connects tries again
            sock.close()

    def _close_all(self) -> None:
        for descriptor in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                close(descriptor)
        self._listener.close()
