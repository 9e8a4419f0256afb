"""Writes the black boxes of one node: when its program fails, when a tree gives up, when it hangs, and at a signal.

A failure is reported in the hub, at a moment when the tree still stands as it was. So the hub waits until the file is
written, `LIMIT` seconds at most; the program is ending anyway. All others are written beside the node's work.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from runtime.boot.failures import is_failed_start
from runtime.boot.run import MainBody
from runtime.introspection import wire
from runtime.introspection.answers.answers import Answers
from runtime.introspection.answers.client_cache import ClientCache
from runtime.introspection.black_box.settings import BlackBoxSettings
from runtime.introspection.events.event_log import EventLog
from runtime.introspection.reading.tree_path import display_name, position_of
from runtime.introspection.recording import files, kept_boxes, looks
from runtime.introspection.recording.entries import header_of
from runtime.kernel.instrument import Instrument, install_instrument, remove_instrument
from runtime.kernel.process import Process
from runtime.kernel.threads import in_main_thread, new_lock, start_thread
from runtime.preemption.watchdog import Watchdog
from runtime.terms.crash import Crash
from runtime.terms.explanation import explain
from runtime.terms.own_repr import beside_the_node
from runtime.terms.reason import is_abnormal
from runtime.terms.term import Term

SECONDS = 2.0
"""Seconds for which the node is looked at for one black box."""

LIMIT = 3.0
"""Seconds for which the hub waits for one at most."""

APART = 5.0
"""Seconds between two that are written by themselves: one failure brings on others."""

MOST = 3
"""Black boxes that one process writes by itself."""


class BlackBox(Instrument):
    """The black boxes of one node."""

    def __init__(
        self,
        settings: BlackBoxSettings,
        answers: Answers,
        log: EventLog,
        watchdog: Watchdog,
        welcome: Callable[[], wire.Welcome],
        warn: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self._answers = answers
        self._log = log
        self._watchdog = watchdog
        self._welcome = welcome
        self._warn = warn
        self._busy = new_lock()
        self._written = 0
        self._written_at = -APART
        self._os_pid = os.getpid()
        self._over = False
        self._hung = False
        """Whether one was begun for the hang that goes on."""
        self._failure = ""
        """How the first process failed, once a black box of that was begun; empty before."""
        self._handler: Callable[[int, FrameType | None], None] | None = None

    def start(self) -> None:
        """Begin to wait for what is a reason to write one."""
        install_instrument(self)
        number = self.settings.signal
        if number is None:
            return
        if not in_main_thread() or signal.getsignal(number) is not signal.SIG_DFL:
            self._warn(f"{number.name} writes no black box: the program uses it itself.")
            return
        self._handler = self._on_signal
        signal.signal(number, self._handler)

    def close(self) -> None:
        """Write no more. In the node's thread; may be called twice."""
        if self._over:
            return
        self._over = True
        remove_instrument(self)
        number = self.settings.signal
        if number is not None and self._handler is not None and in_main_thread():
            if signal.getsignal(number) == self._handler:
                signal.signal(number, signal.SIG_DFL)
            self._handler = None

    # -- Reasons --------------------------------------------------------------------------------------------------

    def exited(self, process: Process, reason: Term, cause: object) -> None:
        """Write one when the program's first process fails."""
        if (
            type(process.body) is MainBody
            and process.label == "main"
            and (is_abnormal(reason) or is_failed_start(reason))
        ):
            why = f"the program failed: {self._told(reason)}"
            if self.fail(why):
                self._failure = why

    def event(self, kind: str, fields: dict[str, Any]) -> None:
        """Write one when a supervisor that stands under no other gives up."""
        if kind != "gave_up":
            return
        supervisor = fields["supervisor"].process
        if supervisor is None or position_of(supervisor) is not None:
            return
        name, child = display_name(supervisor), fields["child_id"]
        self.fail(f"supervisor {name} gave up: its child {child} ended with {self._told(fields['reason'])}")

    def look(self) -> None:
        """Write one when the hub has been held for long. On the watchdog's thread, which does not wait for it."""
        stall = self._watchdog.current
        if stall is None or stall.seconds < self.settings.hang:
            self._hung = False
        elif not self._hung and self._may():
            why = f"the hub has been held for {stall.seconds:.0f} s at {stall.where or 'a place unknown'}"
            with suppress(RuntimeError):  # no thread could be started
                start_thread(self.write, (why,))
                self._hung = True

    def fail(self, why: str) -> bool:
        """Write one for a failure, and let the caller wait until it is written or `LIMIT` seconds have passed.

        Return whether it was begun.
        """
        if not self._may():
            return False
        done, refused = new_lock(), list[str]()
        done.acquire()
        try:
            start_thread(self._write_and_release, (why, done, refused))
        except RuntimeError:  # no thread could be started
            return False
        done.acquire(timeout=LIMIT)
        return not refused

    def at_exit(self) -> None:
        """Write one when an exception that was not caught ends the program. Python has noted it by then."""
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        if isinstance(error, BaseException) and not hasattr(sys, "ps1") and not sys.flags.interactive:
            self.fail_with(error)

    def fail_with(self, error: BaseException) -> None:
        """Write one for an exception that ends the program, unless it asks for the end, as `SystemExit` does."""
        if not isinstance(error, KeyboardInterrupt | SystemExit):
            why = f"the program failed: {self._told(Crash.from_exception(error))}"
            if why != self._failure:  # else one was begun when the first process ended
                self.fail(why)

    def _told(self, reason: Term) -> str:
        return explain(reason) if self._log.exception_texts else self._log.shown(reason)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._over and os.getpid() == self._os_pid:
            with suppress(RuntimeError):  # no thread could be started
                start_thread(self.write, (f"asked for with {signal.Signals(number).name}", True))

    def _may(self) -> bool:
        """Return whether one more may be written that was not asked for."""
        due = time.monotonic() - self._written_at >= APART and not self._busy.locked()
        return not self._over and os.getpid() == self._os_pid and due and self._written < MOST

    # -- On threads of their own ----------------------------------------------------------------------------------

    def _write_and_release(self, why: str, done: Any, refused: list[str]) -> None:
        try:
            if not self.write(why):
                refused.append(why)
        finally:
            done.release()

    def write(self, why: str, is_asked: bool = False) -> bool:
        """Write one now. On any thread but the hub's. One that is asked for takes no other's place.

        Return whether it was begun, which it is not while another is being written.
        """
        if not self._busy.acquire(blocking=False):
            return False
        try:
            if not is_asked:
                self._written += 1
                self._written_at = time.monotonic()
            welcome = self._welcome()
            path = kept_boxes.place(welcome.node or "node", welcome.os_pid, self.settings.target or None)
            cache = ClientCache()
            entries = looks.black_box(lambda query: self._answers.answer(query, cache), SECONDS)
            with beside_the_node():
                files.write_black_box(path, header_of(welcome, "black_box", why), entries, time.time())
            self._log.node.call_soon_threadsafe(self._tell, f"A black box was written: {path}")
            if not self.settings.target or path != Path(self.settings.target).absolute():
                kept_boxes.clean(path.parent)  # unless a file of that name was asked for
        except Exception as error:  # a full disk, a folder that is gone
            self._warn(f"The black box of this process could not be written: {error}")
        finally:
            if not is_asked:
                self._written_at = time.monotonic()
            self._busy.release()
        return True

    def _tell(self, text: str) -> None:
        if not self._over:
            self._log.add("report", message=text)
