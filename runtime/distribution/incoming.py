"""Signals from other nodes: what each control message does here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.distribution import pickled
from runtime.distribution.figures import NAME, own_figures
from runtime.distribution.remote_calls import OTP_TAGS, ShortFrom, alias_of, incoming_message, is_reply, settle_call
from runtime.distribution.remote_process import RemoteProcess, exit_by_source
from runtime.distribution.unreadable import CONTENT, UNREADABLE, Unreadable
from runtime.kernel.process import Pid, Process
from runtime.kernel.signals import drop_watch, put_all, set_half_link
from runtime.otp.calls import CALL, CAST, Failure, From
from runtime.terms.log import Log
from runtime.terms.ref import Ref
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

logger = Log("runtime.distribution")

Handle = Callable[["RemoteNode", tuple[Any, ...], Any], None]


def receive_signal(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    """Carry one control message out. What is no proper one is ignored: the other node may be newer."""
    handle = _HANDLERS.get(control[0]) if control else None
    if handle is not None:
        try:
            handle(remote, control, payload)
        except _Malformed:
            return


def _receiver(remote: RemoteNode, receiver: str | int) -> Process | None:
    return remote.node.names.get(receiver) if isinstance(receiver, str) else remote.node.find(receiver)


# Once a message is in a mailbox nothing is called any more, here and in what calls these: the handler of a signal could
# raise after the call, and the same message would be taken again.


def _short_cast(remote: RemoteNode, entry: tuple[Any, ...]) -> int:
    _, receiver, contents = entry
    process, count = _receiver(remote, receiver), len(contents)
    if process is not None:
        put_all(process, [(CAST, content) for content in contents])
    return count


def _short_send(remote: RemoteNode, entry: tuple[Any, ...]) -> int:
    _, receiver, messages = entry
    process, count = _receiver(remote, receiver), len(messages)
    if process is not None:
        put_all(process, [incoming_message(message, remote, process) for message in messages])
    return count


def _short_call(remote: RemoteNode, entry: tuple[Any, ...]) -> int:
    _, receiver, caller, number, request = entry
    process = _receiver(remote, receiver)
    sender = remote.sender(caller)
    if process is None:
        remote.tell_down(remote.local.nobody, sender.pid, remote.own_ref(number), "noproc")
    else:
        origin = remote.calls.get(number)  # there already where an exception has struck after that
        if origin is None or origin.server is not process:
            origin = ShortFrom(remote, sender, process, number)
        remote.watch_call(origin)
        put_all(process, [(CALL, origin, request)])
    return 1


def _short_reply(remote: RemoteNode, short: tuple[Any, ...]) -> int:
    _, number, reply = short
    target, entry = remote.local.monitors.get(number, (None, None))
    if target is not None and isinstance(entry, From):
        target.take_watcher(number)  # first, as the other node has no such monitor any more
        entry.settle(reply)
        remote.local.monitors.pop(number, None)  # last: what is raised before has the reply taken again
    return 1


SHORT_ENTRIES: dict[int, Callable[..., int]] = {
    pickled.SHORT_CAST: _short_cast,
    pickled.SHORT_SEND: _short_send,
    pickled.SHORT_CALL: _short_call,
    pickled.SHORT_REPLY: _short_reply,
}
"""Carries a short entry out, by its kind. Takes the other node and the rest of it; returns the number of messages."""


class _Malformed(Exception):
    """A control message is not what it should be."""


def _local(pid: Term) -> Process | None:
    """Return the living local process that a signal is for."""
    if not isinstance(pid, Pid):
        raise _Malformed
    process = pid.process
    return None if process is None or isinstance(process, RemoteProcess) else process


def _sender(pid: Term) -> RemoteProcess:
    process = pid.process if isinstance(pid, Pid) else None
    if not isinstance(process, RemoteProcess):
        raise _Malformed
    return process


def _target(remote: RemoteNode, address: Term) -> Process | None:
    return remote.node.names.get(str(address)) if isinstance(address, str) else _local(address)


def _deliver(remote: RemoteNode, process: Process | None, message: Term, notes: tuple[Any, ...] = ()) -> None:
    if process is not None:
        message = incoming_message(message, remote, process)
        if notes and take_note is not None:
            take_note(process, message, notes[0])
        put_all(process, [message])


take_note: Callable[[Process, Term, Term], None] | None = None
"""Takes what came beside a message, just before that is put into the mailbox; None while nothing wants it."""


def _send(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    pid = control[2]
    process = pid.process if type(pid) is Pid else _local(pid)
    if len(control) > 3:
        _deliver(remote, process, payload, control[3:])
    elif process is not None:  # as `_deliver`, without the call: this is what most messages are
        put_all(process, [incoming_message(payload, remote, process)])


def _reg_send(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    _deliver(remote, remote.node.names.get(str(control[3])), payload, control[4:])


def _alias_send(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    alias = control[2]
    if not isinstance(alias, Ref) or alias.node != 0:
        return
    entry = remote.local.call_of(alias)
    if entry is not None:
        if is_reply(payload):
            settle_call(entry, payload[1])
        return
    process, kind = remote.node.aliases.get(alias.id, (None, ""))
    if process is not None:
        message = incoming_message(payload, remote, process)
        if kind == "reply_demonitor":
            drop_watch(process, alias)
        put_all(process, [message])
        if kind in ("reply", "reply_demonitor") and process.aliases is not None:
            del remote.node.aliases[alias.id], process.aliases[alias.id]


def _link(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    sender, target = _sender(control[1]), _local(control[2])
    if target is None:
        remote.send_exit(sender, control[2], "noproc", linked=True)
        return
    set_half_link(target, sender)
    sender.links.add(target)


def _unlink(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    _drop_link(_sender(control[1]), _local(control[2]))


def _unlink_id(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    _, number, source, dest = control
    sender = _sender(source)
    _drop_link(sender, _local(dest))
    remote.signal((36, number, dest, source))


def _drop_link(sender: RemoteProcess, target: Process | None) -> None:
    if target is not None:
        target.drop_link(sender)
        sender.links.drop(target)


def _unlink_id_ack(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    _, number, source, dest = control
    if not isinstance(dest, Pid):
        raise _Malformed
    key = dest, _sender(source)
    if remote.unlinking.get(key) == number:
        remote.unlinking.pop(key, None)


def _exit(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    target = _local(control[2])
    if target is not None:
        remote.lose_link(target, _sender(control[1]), control[3] if len(control) > 3 else payload)


def _exit2(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    target = _local(control[2])
    if target is not None and isinstance(control[1], Pid):
        exit_by_source(target, control[1], control[3] if len(control) > 3 else payload)


def _monitor(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    _, source, address, ref = control
    sender = _sender(source)
    if not isinstance(ref, Ref):
        raise _Malformed
    target = _target(remote, address)
    if target is None:
        remote.tell_down(address, source, ref, own_figures(remote.node) if address == NAME else "noproc")
    else:
        remote.watch(target, sender, ref, str(address) if isinstance(address, str) else None)


def _demonitor(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    if isinstance(control[3], Ref):
        remote.drop_watch(control[3])


def _monitor_exit(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    ref = control[3]
    if not isinstance(ref, Ref) or ref.node != 0:
        return
    reason = control[4] if len(control) > 4 else payload
    target, entry = remote.local.monitors.get(ref.id, (None, None))
    if target is None and ref.id in remote.local.delegated:  # its request was handed on, and cannot be read there
        remote.local.delegated[ref.id].settle(Failure(reason))
    if target is not None and entry is not None:
        target.take_watcher(ref.id)
        entry.fire(target, reason)
        remote.local.monitors.pop(ref.id, None)  # last, as in `_short_reply`


def _spawn_request(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    from runtime.distribution.spawn_requests import serve_spawn_request

    serve_spawn_request(remote, control, payload)


def _spawn_reply(remote: RemoteNode, control: tuple[Any, ...], payload: Any) -> None:
    _, ref, dest, flags, outcome = control
    request = remote.spawning.get(ref.id) if isinstance(ref, Ref) and ref.node == 0 else None
    if request is not None:
        request.start_reply(outcome)
        remote.spawning.pop(ref.id, None)
    elif isinstance(outcome, Pid) and flags & LINKED and _local(dest) not in _sender(outcome).links:
        remote.send_exit(_sender(outcome), dest, "noproc", linked=True)  # who asked for it has died meanwhile


def _lost(remote: RemoteNode, control: tuple[Any, ...], outline: Any) -> None:
    """Let the one who waits for the outcome of a message hear that it cannot be read here."""
    _, (kind, *rest), why = control
    match outline:
        case (*frame, str(tag), _) if tag == CONTENT and kind in (2, 33):
            receive_signal(remote, (kind, *rest), (*frame, CONTENT, Unreadable(why)))
            return
    if kind == 33:
        alias = rest[1]
        call = remote.local.call_of(alias) if isinstance(alias, Ref) and alias.node == 0 else None
        if call is not None:
            call.settle(Failure(("unreadable_reply", why)))
            return
    if kind == 29:
        _spawn_refused(remote, rest, ("unreadable_request", why))
    else:
        _fail_call(remote, outline, ("unreadable_request", why))
    logger.error("dropped a message from %s that cannot be read here: %s", remote.name, why)


def _spawn_refused(remote: RemoteNode, request: list[Any], reason: Term) -> None:
    ref, source = request[:2]
    if isinstance(ref, Ref) and isinstance(source, Pid):
        remote.signal((31, ref, source, 0, reason))


def _fail_call(remote: RemoteNode, outline: Any, reason: Term) -> None:
    """Let a call fail whose request has come to its outline alone: its monitor fires, as if the server had died.

    The request may have been handed on, so that the caller is of a third node, or of this one.
    """
    match outline:
        case (str(tag), (Pid() as caller, name), _) if tag in OTP_TAGS:
            ref, sender = alias_of(name), caller.process
            if ref is not None and isinstance(sender, RemoteProcess):
                there = sender.remote
                there.drop_watch(ref)
                if there.connection is None:  # as a reply would, it connects the two
                    there.signal((21, remote.local.nobody, caller, ref, reason))
                else:
                    there.tell_down(remote.local.nobody, caller, ref, reason)
            elif ref is not None and ref.node == 0 and (call := remote.local.call_of(ref)) is not None:
                call.settle(Failure(reason))


LINKED = 1
"""The bit of a spawn reply that says that the new process is linked with the one who asked for it."""

_HANDLERS: dict[int, Handle] = {
    UNREADABLE: _lost,
    1: _link,
    2: _send,
    3: _exit,
    4: _unlink,
    6: _reg_send,
    8: _exit2,
    19: _monitor,
    20: _demonitor,
    21: _monitor_exit,
    22: _send,
    24: _exit,
    26: _exit2,
    28: _monitor_exit,
    29: _spawn_request,
    31: _spawn_reply,
    33: _alias_send,
    35: _unlink_id,
    36: _unlink_id_ack,
}
