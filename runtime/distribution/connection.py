"""A connection to another node: messages to frames and back, and a bounded queue of what waits to be sent.

The hub itself reads and writes the socket, as this is the shortest way. So that a hub which is busy loses no
connection, the guard's thread looks in now and then (`look_after`): it sends a tick where nothing else was sent, goes
on with what waits, and takes in what has come. A lock keeps the two apart.

A connection is up once each side knows what the other one is: see `greeting`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from runtime.compiled.choice import compiled
from runtime.distribution.connection_state import ConnectionState
from runtime.distribution.frames import BATCH, PASS_THROUGH, PLAIN_BATCH, TICK
from runtime.distribution.greeting import Kind
from runtime.distribution.hub_calls import MOST_ATTEMPTS
from runtime.distribution.outgoing import IDLE
from runtime.distribution.parts import ABSENT
from runtime.distribution.pickled import BATCH_MESSAGES
from runtime.distribution.unreadable import read_message
from runtime.terms.log import Log

logger = Log("runtime.distribution")

WAITING = 1024 * 1024
"""Bytes that the guard takes in for a hub that does not."""

TURN = 0.002
"""Seconds for which the hub takes messages before it lets processes run."""

LOOK = 32
"""Messages between two looks at the time."""

LARGE = 16 * 1024
"""Bytes of a message after which the time is looked at anyway."""

SILENT_PERIODS = 4
"""Periods of the guard without a byte from the other node after which it counts as gone."""


class Connection(ConnectionState):
    """A connection to another node that is up, or was. All methods are for the hub's thread, but for `look_after`."""

    def start(self) -> None:
        """Greet the other node, and begin to read. Done again, it goes on where an exception has ended it."""
        if self.is_over:
            return
        self._hub.marked.add(self)
        self._is_behind = True  # the handshake may have read further than its end
        self._reader.start(self._marking(self._readable))
        for message in self._greeting.messages()[self._frames.messages :]:
            self._frames.put(*message)
        self._flush()
        self._hub.later(self._readable)

    # -- Out ----------------------------------------------------------------------------------------------------------

    def send(self, control: tuple[Any, ...], payload: Any = ABSENT) -> bool:
        """Queue a control message; it leaves when the hub comes round. Returns False when the connection is down.

        Raises TypeError, and sends nothing, when a value has no counterpart at the other node. Once the message is in
        the queue nothing is called any more: what the handler of a signal raised then would have it sent again.
        """
        if not self.is_up:
            return False
        self.send_queued(self.batches.is_full)
        if self.pickles:
            self.batches.add(control, payload)
        else:
            codec = self._terms.codec
            self._frames.put(codec.encode_control(control), b"" if payload is ABSENT else codec.encode(payload))
        if not self.flushes:  # what a value does as it is written has let the hub run
            self._flush_later()
        return True

    def takes(self, value: Any) -> bool:
        """Return whether a value has a counterpart at the other node, or can be pickled where that takes pickles."""
        try:
            self.batches.pickled(value) if self.pickles else self._terms.codec.encode(value)
        except Exception:  # of the program's own __reduce__, for one
            return False
        return True

    def send_in_run(self, kind: int, receiver: str | int, content: Any, is_own: bool = True) -> bool:
        """Queue a small message to another node that pickles, see `Batches.add_to_run`. Returns False if it is not."""
        return self.batches.add_to_run(kind, receiver, content, is_own) and self.send_queued()

    def send_short(self, entry: tuple[Any, ...]) -> bool:
        """Queue a small call or reply, see `Batches.add_short`. Returns False if it is not small."""
        return self.batches.add_short(entry) and self.send_queued()

    def send_queued(self, is_full: bool = False) -> bool:
        """See that what waits is sent when the hub comes round. Returns True. `is_full`: the batch ends at once.

        Nothing is handed to the socket here: what interrupts a process, as a signal handler that raises, would leave
        a frame half sent, or lose the messages of other processes.
        """
        if not self.flushes:
            self._flush_later()
        if is_full or self.batches.count >= BATCH_MESSAGES:
            with contextlib.suppress(RecursionError, MemoryError):  # the hub, whose stack is short, ends the batch
                self._frames.end_batch()
        return True

    @compiled("runtime.distribution._exchange", "flush")
    def _flush(self) -> None:
        """Hand what was sent in this turn to the socket. What a signal's handler raises here loses nothing."""
        self.flushes = False
        if self.is_over or self._is_writing:  # what a destructor does that runs in there is seen after it
            return
        try:
            self._frames.end_last_batch()
            self._is_writing = True
            with self._lock:
                self._frames.move(self._out)
                is_open = self._out.write()
            self._after_write(is_open)
        except BaseException as error:  # it waits until others have given memory back, say
            self.flushes = True  # first: `mend` sees it, should the handler of a signal raise once more
            self._flush_later()
            if not isinstance(error, MemoryError):
                raise
        finally:
            self._is_writing = False

    def _flush_later(self) -> None:
        self._hub.marked.add(self)
        self._hub.later(self._flush)
        self.flushes = True

    def _after_write(self, is_open: bool) -> None:
        if is_open and not (self._out.size or self.was_busy or self._waits_for_room or self._transport.wants_to_write):
            return
        if not is_open:  # what the other node has sent before is still read; the reader finds the end
            self._out.clear()
            self._transport.shut_down()
        waits = is_open and (bool(self._out.size) or self._transport.wants_to_write)
        self._waits_for_room = waits
        if waits is not self._writer.active and not self.is_over:
            self._writer.start(self._marking(self._writable)) if waits else self._writer.stop()
        if self.was_busy and self.queued <= IDLE:
            if self.on_idle is not None:
                self.on_idle(self)
            self.was_busy = False

    def _writable(self) -> None:
        try:
            with self._lock:
                is_open = self._transport.send(b"") is not None and self._out.write()
            self._after_write(is_open)
        except BaseException:  # after which gevent stops the watcher
            self._flush_later()
            raise

    # -- In -----------------------------------------------------------------------------------------------------------

    @compiled("runtime.distribution._exchange", "readable")
    def _readable(self) -> None:
        """Take in what has come. What a signal's handler raises in here loses nothing."""
        try:
            if self.is_over or self._lock.locked():
                return  # the guard reads; the watcher comes again
            with self._lock:  # which no handler of a signal can keep locked, as it could after an `acquire`
                is_open = self._transport.read()
            if not is_open:
                self._ends = "connection_closed"
            self._go_on()
        except BaseException:  # after which gevent stops the watcher
            self._go_on_later()
            raise

    def _end_bad(self, error: BaseException) -> None:
        logger.error("the node %s sent what is no message, and is disconnected: %s", self.name, error)
        self.end("connection_closed")

    def _look_again(self, ends: str | None) -> None:
        """Go on after the guard, which has taken in something, found the end, or seen that the hub does not read."""
        self._ends = self._ends or ends
        self._go_on()

    def _goes_on(self) -> bool:
        return self._turn is not None and bool(self._turn.pending)

    def _go_on_later(self) -> None:
        if not self._goes_on():
            self._turn = self._hub.later(self._go_on)

    def _go_on(self) -> None:
        """Handle what has come in, for one turn; reading waits until all is handled."""
        if self.is_over:
            return
        self._is_behind = True
        try:
            is_done = self._handle_frames()
        except ValueError as error:
            self._go_on_after(error)
            return
        except BaseException as error:  # of a signal's handler
            self._go_on_after(error)
            raise
        if self.is_over:
            return
        self._is_behind, self._attempts = not is_done, (None, 0)
        if not is_done:
            self._go_on_later()
        elif self._ends is not None:
            self.end(self._ends)
            return
        if is_done is not self._reader.active:
            self._reader.start(self._marking(self._readable)) if is_done else self._reader.stop()

    def _go_on_after(self, error: BaseException) -> None:
        """Have the frame or the entry handled again that this was raised for, unless it is to blame."""
        subject = self._entries[-1] if self._entries else self._received.frame
        is_bad = isinstance(error, ValueError)
        if (subject is None and not is_bad) or not self._is_to_blame(subject):
            self._go_on_later()
        elif is_bad:
            self._end_bad(error)
        else:
            self.end("connection_closed")

    def _is_to_blame(self, subject: Any) -> bool:
        """Return whether so many exceptions were raised for it in a row that no handlers of signals can have."""
        last, attempts = self._attempts
        attempts = attempts + 1 if subject is last else 1
        self._attempts = (subject, attempts)
        return attempts >= MOST_ATTEMPTS

    @compiled("runtime.distribution._exchange", "handle_frames")
    def _handle_frames(self) -> bool:
        """Handle the frames that are there until the turn is over. Returns whether all are handled."""
        next_frame = self._received.next
        ends = time.monotonic() + TURN
        until_look = LOOK
        self._deliver()  # what an exception has left of a batch
        while not self.is_over:
            frame = next_frame()
            if frame is None:
                return True
            self._handle(frame)
            until_look -= 1
            if not until_look or len(frame) > LARGE:
                until_look = LOOK
                if time.monotonic() > ends:
                    return False
        return True

    def _handle(self, frame: bytes) -> None:
        """Handle the frame that came next. It is given up in the step in which its handling returns."""
        received, kind = self._received, frame[0]
        if self.pickles and kind in (PLAIN_BATCH, BATCH):
            data, load = memoryview(frame)[1:], self.batches.load_plain if kind == PLAIN_BATCH else self.batches.load
            entries = load(data)
            self._entries, received.frame = entries[::-1], None  # in one line: no handler of a signal comes in between
            self._deliver()
            return
        if kind != PASS_THROUGH:
            raise ValueError(f"a message that begins with the byte {kind}")
        if self._probes and self._take_greeting(frame):
            return
        control, payload = read_message(self._terms.codec, frame)
        try:  # in one line, as above
            self.frames_in, received.frame = self.frames_in + self._handler.on_frame(self, control, payload), None
        except Exception:
            if self._is_to_blame(frame):  # else it comes again
                received.frame = None
                logger.exception("a message from %s could not be handled", self.name)

    @compiled("runtime.distribution._exchange", "deliver")
    def _deliver(self) -> None:
        """Deliver the entries of a batch. What is raised in between leaves those that come after."""
        entries, handler = self._entries, self._handler
        while entries and not self.is_over:
            entry = entries[-1]
            try:  # each in one line, as above; a call that unpacks a tuple would let a handler in when it returns
                if type(entry[0]) is int:
                    self.frames_in, entries[-1:] = self.frames_in + handler.on_short(self, entry), ()
                else:
                    control, payload = entry
                    self.frames_in, entries[-1:] = self.frames_in + handler.on_frame(self, control, payload), ()
            except Exception:
                if self._is_to_blame(entry):
                    del entries[-1]
                    logger.exception("a message from %s could not be handled", self.name)

    def _take_greeting(self, frame: bytes) -> bool:
        """Return whether a frame belongs to the greeting of nodes. It is then handled here, and goes no further.

        What is raised in between has the frame handled again, and each step finds what it has done.
        """
        kind = self._greeting.look_at(frame)
        is_last = kind is Kind.PROBE or kind is Kind.ANSWER
        if not is_last and kind is not Kind.MESSAGE and not self.is_up:
            self.pickles = self._terms.trust == "pickle" and kind is Kind.PICKLES
            self.is_python = True
        if not self.is_up:
            self.is_up, self.up_since = True, time.time()
        self._came_up(self)
        if kind is not Kind.MESSAGE:  # in one line, as above
            self._probes, self._received.frame = self._probes and not is_last, None
        return kind is not Kind.MESSAGE

    # -- The guard's thread -------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Send a tick where nothing was sent, and take in what the hub does not. On the guard's thread, each period."""
        with self._lock:
            if self.is_over:
                return
            if not self._out.size and self.bytes_out == self._said:
                self._out.put(TICK)
            is_open = self._out.write()
            if self._received.waiting < WAITING:
                is_open = self._transport.read() and is_open
            else:
                self._heard = -1
        self._silent = 0 if self.bytes_in != self._heard else self._silent + 1
        self._heard, self._said = self.bytes_in, self.bytes_out
        ends = None if is_open else "connection_closed"
        if is_open and self._silent >= SILENT_PERIODS:
            ends = "net_tick_timeout"
        # The hub does not read where much has come, or rarely, after the handler of a signal has raised.
        if ends or self._received.pieces or not self._reader.active:
            self._hub.from_thread(self._look_again, ends)
        if self.flushes or self.was_busy or self._out.size:  # rarely, unless it does not write either
            self._hub.from_thread(self._flush)

    # -- The end ------------------------------------------------------------------------------------------------------

    def close(self, reason: str = "disconnect") -> None:
        """End the connection; ``on_down`` comes once, when the hub comes round."""
        if self.is_over:
            return
        self._hub.marked.add(self)
        self._leaves = reason
        self._flush()
        self._hub.later(self.end, reason)

    def end(self, reason: str) -> None:
        """End the connection now, unless it is over. Done again, it goes on where an exception has ended it."""
        self._hub.marked.add(self)
        if not self.is_over:
            self.is_over, self._was_up, self.is_up, self._leaves = True, self.is_up, False, reason
        elif self._leaves is None:
            return
        reason = self._leaves
        self._reader.close()
        self._writer.close()
        with self._lock:
            self._transport.close()
            self._out.clear()
        self._received.clear()
        self._entries = []
        self._over(self, reason)
        if self._was_up:
            self._handler.on_down(self, reason)
        self._leaves = None

    # -- What an exception has cut short ------------------------------------------------------------------------------

    def _marking(self, step: Callable[[], object]) -> Callable[[], object]:
        """Return a step of a watcher's that begins with a mark: gevent stops the watcher where the step raises."""
        return self._hub.marking(self, step)

    def is_stuck(self) -> bool:
        """See `Mended`: before the hub waits, all that has come in is handled, and what goes out is flushed."""
        return not self.is_settled() and (self.flushes or self._leaves is not None or not self._goes_on())

    def is_settled(self) -> bool:
        """See `Mended`."""
        if self._leaves is not None or self.is_over:
            return self._leaves is None
        if self._is_behind or self.flushes or not self._reader.active:
            return False
        return self._writer.active or not (self._waits_for_room or self._out.size)

    def mend(self) -> None:
        """Go on to read, to write, and to end."""
        if self._leaves is not None:
            if self._is_to_blame(self._leaves):
                self._leaves = None
                return
            self.end(self._leaves)
        elif not self.is_over:
            self._flush()
            self._go_on()

    def abandon(self) -> None:
        """Close this process's copy of the socket, in the child of a fork."""
        self.is_over, self.is_up = True, False
        self._transport.abandon()
