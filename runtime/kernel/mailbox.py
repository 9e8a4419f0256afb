"""Messages: sending them, and taking them out of one's mailbox."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any, TypeVar, cast

import gevent
from greenlet import getcurrent

from runtime.compiled.choice import compiled, part
from runtime.kernel.inbox import Parcel
from runtime.kernel.instrument import hooks
from runtime.kernel.node import current, current_process, running_node
from runtime.kernel.outside import ear_of_caller
from runtime.kernel.process import DEAD, RECEIVING, REMOTE, RUNNABLE, WAITING, Destination, Pid, Process, Worker
from runtime.kernel.roles import RemoteTarget
from runtime.kernel.signals import deliver, put_behind
from runtime.kernel.threads import get_ident
from runtime.terms.errors import NoProcessError, ReceiveTimeout
from runtime.terms.immutable import ATOMIC
from runtime.terms.isolation import isolate
from runtime.terms.pattern import Matching, matching
from runtime.terms.ref import Ref, next_number
from runtime.terms.signal_handlers import is_of_handler
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

Receiver = TypeVar("Receiver", bound=Callable[..., Any])


class _Nothing:
    """The type of the two values that stand for the absence of one."""


_RAISE = _Nothing()
DAY = 86_400.0
"""Seconds that a greenlet of gevent's sleeps at a time when it sleeps without a limit."""

NOTHING = _Nothing()
"""What `take` gives when no message matches."""


@compiled("runtime.kernel._kernel")
def send(dest: Destination, message: Term) -> Any:
    """Put `message` into the mailbox of `dest`, a Pid or a registered name, and give it back (OTP: ``!``).

    A dead pid is silently ignored, an unknown name raises NoProcessError. The receiver gets a copy that shares nothing
    mutable with the original. May be called from any greenlet and from any thread.
    """
    worker = getcurrent()
    if type(worker) is not Worker:
        return _send_from_outside(dest, message)
    sender = worker.process
    if sender is None:  # a finalizer of what a process has left behind
        return _send_from_outside(dest, message)
    target = dest.process if type(dest) is Pid else find_destination(dest)
    if target is None or sender.state is DEAD:
        return message
    isolated = message if type(message) in ATOMIC else isolate(message)
    if target.state is RECEIVING:  # a copy of signals.put: woken first, given the message last
        scheduler = target.node.scheduler
        if target.wakes_slowly or not scheduler.scheduled:
            scheduler.wake(target)
        else:  # a copy of what wake() does: a call would cost 4 %
            scheduler.ready.append(target)
            if target.wakes_slowly and target.suspended:
                target.held = True
            else:
                target.state = RUNNABLE
    sender.messages_out += 1
    target.messages_in += 1
    mailbox = target.mailbox
    if mailbox is None:
        alone = (isolated,)
        if target.mailbox is None and target.state is not RECEIVING:
            target.mailbox = alone
        else:  # a finalizer has just sent it something, or has waited until it waits again
            put_behind(target, [isolated])
    elif type(mailbox) is tuple:
        put_behind(target, [isolated])
    else:
        mailbox.append(isolated)  # type: ignore[union-attr]  # mypy does not see that it is no tuple
    if hooks.sent:
        for hook in hooks.sent:
            hook(sender, target, message)
    return message


def send_nosuspend(dest: Destination, message: Term, *, noconnect: bool = False) -> bool:
    """Send a message, unless the caller would have to wait: then return False (OTP: send_nosuspend/2, /3).

    Otherwise it is as `send`, and returns True. A caller has to wait while the connection to the receiver's node is
    full. With `noconnect` the message is dropped as well where there is no connection yet, and none is made. A receiver
    on this node never makes a sender wait. Raises what `send` raises.
    """
    target = None if type(dest) is Ref and dest.node == 0 else find_destination(dest)
    if target is None or target.state is not REMOTE:
        send(dest, message)
        return True
    return cast(RemoteTarget, target).send_at_once(partial(send, dest, message), noconnect)


def _send_from_outside(dest: Destination, message: Term) -> Any:
    target = find_destination(dest)
    if target is not None:
        deliver_from_outside(target, isolate(message))
        for hook in hooks.sent:
            hook(None, target, message)
    return message


def deliver_from_outside(target: Process, message: Term) -> None:
    """Deliver an isolated message from any greenlet of any thread."""
    node = target.node
    if node.thread == get_ident():
        deliver(target, message)
    else:
        node.call_soon_threadsafe(Parcel(message).deliver, target)


def find_destination(dest: Destination) -> Process | None:
    """Return the process that a message to `dest` goes to, None for a dead pid or an alias that is not active.

    Raises NoProcessError for a name that no process has.
    """
    if isinstance(dest, Pid):
        return dest.process
    node = running_node()
    if type(dest) is Ref:
        if dest.node != 0 and node is not None and node.cluster is not None:
            return node.cluster.alias(dest)
        return None if node is None else node.use_alias(dest)
    target = None if node is None else node.resolve(dest)
    if target is None:
        raise NoProcessError(dest)
    return target


_oldest: Any = None
_by_sources: Any = None
"""What `receive` asks where the compiled kernel runs: the oldest message, and the sources where that takes more."""


def _by_kernel(function: Receiver) -> Receiver:
    """Have the compiled kernel, where it runs, take the messages of the usual cases for `receive`. A decorator.

    `receive` stays a function of Python's, for the reason that `OldestMessage` gives. It takes what it is given by
    keyword as a dict: Python looks for each default of a keyword at every call. And it is short, and no closure: Python
    sets up and clears each variable that it has, at every call too.
    """
    global _oldest, _by_sources
    kernel = part("runtime.kernel._kernel")
    if kernel is None:
        return function

    ensure_room = kernel.ensure_room

    def by_sources(patterns: tuple[Any, ...], options: dict[str, Any]) -> Any:
        ensure_room()  # a pattern may be a function that receives in its turn
        worker = getcurrent()
        process = worker.process if type(worker) is Worker else None
        if process is None or process.state is DEAD:
            return function(*patterns, **options)
        timeout, default = read(**options)
        # No stars here: after a call with stars Python runs handlers, and the message would be lost.
        return receive_matching(process, matching(patterns) if patterns else None, timeout, default)

    def receive(*patterns: Any, **options: Any) -> Any:
        if options:
            return _by_sources(patterns, options)
        return _oldest[patterns]

    def read(timeout: TimeoutArgument = None, default: Any = _RAISE) -> tuple[TimeoutArgument, Any]:
        return timeout, default

    read.__qualname__ = "receive"  # for the TypeError of a keyword that is none of these
    _oldest, _by_sources = kernel.OldestMessage(by_sources), by_sources
    kernel.skip_frames(receive)
    return cast("Receiver", update_wrapper(receive, function))


@_by_kernel
def receive(*patterns: Any, timeout: TimeoutArgument = None, default: Any = _RAISE) -> Any:
    """Take the oldest message that matches any of `patterns` out of the mailbox; waits for one (OTP: ``receive``).

    Without patterns every message matches. A type, or a union of types, matches its instances, `ANY` everything, a
    tuple, list or dict one of the same shape item by item (a plain tuple also a named one, a named tuple its own kind
    alone), a function of one argument is a predicate (one that raises does not match), any other value matches by
    ``==``. Messages that do not match stay where they are, in order. After `timeout` seconds without a
    match: `default` if given, else ReceiveTimeout; 0 looks through the whole mailbox and never waits, None and
    ``"infinity"`` wait without a limit.
    """
    worker = getcurrent()
    process = worker.process if type(worker) is Worker else None
    if process is None or process.state is DEAD:
        ear = ear_of_caller() if process is None else None
        if ear is not None:
            # a lambda would make cells of the arguments, at every call
            return ear.ask("receive", partial(receive, *patterns, timeout=timeout, default=default))
        process = current_process("receive")  # raises
    if patterns or timeout is not None:
        return receive_matching(process, matching(patterns) if patterns else None, timeout, default)
    while True:
        mailbox = process.saved or process.mailbox
        if mailbox:
            message = mailbox[0]
            if hooks.received:
                for hook in hooks.received:
                    hook(process, message)
            if type(mailbox) is tuple and process.mailbox is mailbox:
                process.mailbox = None
            else:  # a deque, or one by now: a hook or the handler of a signal has sent another message
                del (process.saved or process.mailbox)[0]  # type: ignore[union-attr]
            return message
        process.node.scheduler.park(process, RECEIVING)


def receive_matching(
    process: Process, wanted: Matching | None, timeout: TimeoutArgument = None, default: Any = _RAISE
) -> Any:
    """`receive` in `process`, which is the caller, with patterns in working order (None: any message)."""
    if timeout is not None:
        timeout = seconds_of(timeout)
    message = take(process, wanted)
    if message is not NOTHING:
        return message
    node = process.node
    due = None
    if timeout is not None:
        if timeout == 0:
            return _timed_out(timeout, default)
        due = node.timers.wait(process, timeout)
    park = node.scheduler.park
    while due is None or process.deadline is due or node.timers.keep(process, due):
        park(process, RECEIVING)
        message = take(process, wanted)
        if message is not NOTHING:
            process.deadline = None
            return message
    assert timeout is not None
    return _timed_out(timeout, default)


def _timed_out(timeout: float, default: Any) -> Any:
    if default is _RAISE:
        raise ReceiveTimeout(timeout)
    return default


def take(process: Process, wanted: Matching | None) -> Any:
    """Take the oldest message that `wanted` accepts (None: any); return `NOTHING` when there is no such message.

    What was refused moves from the mailbox to `process.saved`. While the same patterns are asked for again, only what
    is new in the mailbox is looked at.
    """
    message = NOTHING
    if wanted is None:
        if process.saved:
            message = process.saved[0]
            del process.saved[0]
        elif process.mailbox:
            message = process.next_message()
    else:
        message = (_take_stable if wanted.stable else _take_unstable)(process, wanted)
    if message is not NOTHING and hooks.received:
        for hook in hooks.received:
            hook(process, message)
    return message


def _take_stable(process: Process, wanted: Matching) -> Any:
    """`take` for patterns that run no code of the program's. Where a message's ``__eq__`` receives, it looks anew."""
    accepts = wanted.accepts
    saved, mark = process.saved, process.saved_before  # another number once a message moves there
    if saved and process.saved_for is not wanted:
        if wanted.newer_than <= mark:
            length = len(saved)
            try:
                for index, message in enumerate(saved):
                    if accepts(message):
                        if process.saved_before != mark or len(saved) != length:
                            return _take_unstable(process, wanted)
                        del saved[index]
                        return message
            except RuntimeError as error:
                if is_of_handler(error):
                    raise
                return _take_unstable(process, wanted)  # what was looked through has changed
        process.saved_for = wanted
    while mailbox := process.mailbox:
        message = mailbox[0]
        is_accepted, kind = accepts(message), type(mailbox)
        if process.saved_before != mark or process.mailbox is not mailbox or not mailbox or mailbox[0] is not message:
            return _take_unstable(process, wanted)
        if is_accepted:  # a copy of `next_message`, and no call since the line above
            if kind is tuple:
                process.mailbox = None
            else:
                del mailbox[0]  # type: ignore[union-attr]
            return message
        if saved is None:
            saved = process.saved = deque()
        process.saved_for = wanted
        mark = process.saved_before = next_number()
        saved.append(process.next_message())
    return NOTHING


def _take_unstable(process: Process, wanted: Matching) -> Any:
    """`take` for patterns that run code of the program's: where that receives in its turn, it looks at all anew."""
    accepts = wanted.accepts
    while True:
        saved, mark = process.saved, process.saved_before  # another number once a message moves there
        if saved:
            looked_at = [*saved]
            index = next((index for index, message in enumerate(looked_at) if accepts(message)), None)
            if process.saved_before != mark or len(saved) != len(looked_at):
                continue
            if index is not None:
                del saved[index]
                return looked_at[index]
            process.saved_for = wanted
        while process.mailbox:
            message = process.mailbox[0]
            is_accepted = accepts(message)
            if process.saved_before != mark or not process.mailbox or process.mailbox[0] is not message:
                break
            if is_accepted:
                return process.next_message()
            if saved is None:
                saved = process.saved = deque()
            process.saved_for = wanted
            mark = process.saved_before = next_number()
            saved.append(process.next_message())
        else:
            return NOTHING


def flush() -> list[Any]:
    """Return all messages of the caller's mailbox, oldest first, and empty it (IEx: flush/0)."""
    ear = ear_of_caller() if current() is None else None
    if ear is not None:
        return ear.ask("flush", flush)
    process = current_process("flush")
    messages = process.messages()
    if process.saved:
        process.saved.clear()
    process.mailbox = None
    return messages


def sleep(seconds: TimeoutArgument) -> None:
    """Wait for `seconds`, without a limit for None and ``"infinity"`` (OTP: timer:sleep/1).

    Messages that come meanwhile wait in the mailbox. Outside a process it is gevent's sleep.
    """
    limit = seconds_of(seconds, "seconds")
    worker = getcurrent()
    if type(worker) is not Worker:
        while limit is None:
            gevent.sleep(DAY)
        gevent.sleep(limit)
        return
    process = current_process("sleep")
    timers = process.node.timers
    due = None if limit is None else timers.wait(process, limit)
    while due is None or process.deadline is due or timers.keep(process, due):
        process.node.scheduler.park(process, WAITING)


def check_seconds(seconds: Any, what: str) -> None:
    """Raise TypeError or ValueError for what is no time to wait."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {render(seconds)}")
    if not seconds >= 0:
        raise ValueError(f"{what} must be 0 seconds or more, not {render(seconds)}")
    try:
        float(seconds)
    except OverflowError:
        raise ValueError(f"{what} is larger than any float; use math.inf for a time without an end") from None


def alias(kind: str = "explicit_unalias") -> Ref:
    """Return a reference that messages to the caller can be sent to, until `unalias` (OTP: alias/1).

    ``"reply"`` makes one that the first message uses up.
    """
    if kind not in ("explicit_unalias", "reply"):
        raise ValueError(f"an alias is 'explicit_unalias' or 'reply', not {render(kind)}")
    process = current_process("alias")
    ref = Ref()
    process.node.add_alias(process, ref, kind)
    return ref


def unalias(ref: Ref) -> bool:
    """Switch an alias of the caller off; messages sent to it are dropped from now on (OTP: unalias/1).

    Returns whether it was active.
    """
    process = current_process("unalias")
    if not isinstance(ref, Ref):
        raise TypeError(f"unalias() takes a Ref that alias() gave, not {render(ref)}")
    return process.node.drop_alias(process, ref)
