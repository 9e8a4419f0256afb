"""SIGINT and SIGTERM while a program runs: they stop its node, whatever holds the hub's thread.

Python runs a signal's handler in the main thread, between two instructions. A call into C that waits (a database's
driver, `os.system`) lets no handler run, and one that computes may let it run and keep the interpreter from every other
thread. So a thread learns of SIGTERM by the pipe that Python writes each signal's number to, and after the first signal
a timer lets other threads run.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from gevent.monkey import get_original
from greenlet import getcurrent, greenlet

from runtime.boot.stopping import GRACE, LOOK, ProgramStop
from runtime.kernel.threads import close, get_ident, in_main_thread, sleep, start_thread
from runtime.preemption.signal_handlers import give_back

STOPPED_BY = (signal.SIGINT, signal.SIGTERM)

_set_wakeup_fd = get_original("signal", "set_wakeup_fd")
_read = get_original("os", "read")


@contextmanager
def stop_signals(stop: ProgramStop) -> Iterator[list[int]]:
    """While the block runs, let SIGINT and SIGTERM stop the program. Yields the list of those that have come.

    Outside the main thread no signals come, and nothing is done.
    """
    received: list[int] = []
    if not in_main_thread():
        yield received
        return
    turns = Turns()

    def handle(number: int, frame: FrameType | None) -> None:
        if received:  # not the first: at once, whatever the node is doing
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        received.append(number)
        stop.request("shutdown")
        turns.begin()

    before = {number: signal.signal(number, handle) for number in STOPPED_BY}
    wakeups = WakeupPipe(stop, handle)
    try:
        yield received
    finally:
        wakeups.close()
        turns.end()
        for number, handler in before.items():
            signal.signal(number, handler)


class Turns:
    """Lets other threads run now and then while one call into C keeps the interpreter and looks at signals."""

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """Begin, unless the program uses the timer itself. In a signal's handler."""
        if self._begun or signal.getsignal(signal.SIGVTALRM) is not signal.SIG_DFL:
            return
        self._begun = True
        signal.signal(signal.SIGVTALRM, lambda number, frame: None)  # to run any handler is enough
        signal.setitimer(signal.ITIMER_VIRTUAL, LOOK, LOOK)

    def end(self) -> None:
        """Stop the timer, and let the signal do again what it does by default."""
        if self._begun:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            give_back(signal.SIGVTALRM, signal.SIG_DFL)


class WakeupPipe:
    """A pipe on which a thread of its own learns of SIGTERM, also while the main thread runs no handler."""

    PAUSE = 0.25
    """Seconds between two looks at a pipe that other signals are written to."""

    def __init__(self, stop: ProgramStop, handler: object) -> None:
        self._stop = stop
        self._handler = handler
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._before = _set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        if self._before != -1:  # the program has a use of its own for this
            _set_wakeup_fd(self._before)
            self._close_files()
            return
        _pipes.add(self)
        try:
            start_thread(self._listen, ())
        except RuntimeError:  # no thread could be started
            self.leave()
            self._close_files()

    def close(self) -> None:
        """Stop listening."""
        if self in _pipes:
            self.leave()
            close(self._writer)  # which ends the thread

    def leave(self) -> None:
        """Let Python write to it no more."""
        _pipes.discard(self)
        if (now := _set_wakeup_fd(-1)) != self._writer:
            _set_wakeup_fd(now)

    def _close_files(self) -> None:
        close(self._reader)
        close(self._writer)

    def _listen(self) -> None:
        try:
            while numbers := _read(self._reader, 4_096):
                if signal.SIGTERM in numbers and signal.getsignal(signal.SIGTERM) is self._handler:
                    self._stop.request("shutdown")
                sleep(self.PAUSE)
        finally:
            close(self._reader)


_pipes: set[WakeupPipe] = set()


def _leave_in_child() -> None:
    for pipe in [*_pipes]:
        pipe.leave()
        pipe._close_files()  # they are the parent's, whose thread waits for the end of them


os.register_at_fork(after_in_child=_leave_in_child)  # a signal to the child must not stop the parent


def end_in_time(status: int) -> None:
    """Have the program end with `status` within `GRACE` seconds after its last line, whatever its threads do.

    At its end Python waits for threads and for the functions of `atexit`, without limit. A signal asks a program to
    end, and is sent once. A program whose own code goes on for `GOES_ON` seconds has caught the exception, and is left
    alone.
    """
    main = getcurrent()
    if in_main_thread() and main.parent is None and not hasattr(sys, "ps1") and not sys.flags.interactive:
        with suppress(RuntimeError):  # no thread could be started
            start_thread(_end_in_time, (main, get_ident(), _outermost(sys._getframe()), status))


GOES_ON = 60.0
"""Seconds for which a program whose node was stopped by a signal is expected to end."""


def _end_in_time(main: greenlet, thread: int, last: FrameType, status: int) -> None:
    begun = time.monotonic()
    since = None
    while since is None or time.monotonic() - since < GRACE:
        sleep(LOOK)
        frame = main.gr_frame or sys._current_frames().get(thread)  # the first, while another greenlet runs
        if frame is None or _outermost(frame) is not last:
            since = since or time.monotonic()
        elif time.monotonic() - begun > GOES_ON:
            return
        else:
            since = None
    threads = [each.name for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]
    what = f"threads ({', '.join(threads[:5])})" if threads else "functions of atexit"
    text = f"The program was told to stop and waits for {what}; after {GRACE:.0f} s it ends without them.\n"
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, text.encode(errors="backslashreplace"))
    os._exit(status)


def _outermost(frame: FrameType) -> FrameType:
    while frame.f_back is not None:
        frame = frame.f_back
    return frame
