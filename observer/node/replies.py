"""Reading what a node says. Whatever is wrong with it is a `NodeLostError` with a sentence.

Everything that comes from a node is checked here and nowhere else: the length of a frame, and then, against the types
of the protocol, the type, range and length of every field. A node may be broken or mean harm, so an answer in which one
field does not fit is refused as a whole. Both clients read with this module: `observer.node.connection` on asyncio for
the dashboard, and `observer.node.client`, which blocks, for the commands.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec

from observer.node.source import NodeLostError
from observer.text.safe_text import safe
from runtime.introspection import wire

CONNECT_TIMEOUT = 3.0
"""Seconds a node may take to send its welcome."""

ANSWER_TIMEOUT = 10.0
"""Seconds a node may take to answer. Its endpoint has a thread of its own, so even a node that hangs is quick."""

_UNREADABLE = (ValueError, OverflowError, RecursionError)
"""What decoding raises: msgspec's own errors and those for bytes that are not UTF-8 are ValueErrors."""

MAX_DETAIL = 200
"""How many characters are shown of what is wrong with a field."""


def check_owner(name: str, path: Path) -> None:
    """Raise `NodeLostError` when there is no socket at `path`, or when it belongs to another user.

    The owner of the socket is who answers on it, and not even a superuser should trust the answers of another user.
    """
    try:
        owner = path.stat().st_uid
    except OSError as error:
        raise unreachable(name, path, error) from error
    if owner != os.geteuid():
        why = f"The socket of {name} ({path}) belongs to another user (uid {owner}): only that user can watch it."
        raise NodeLostError(why)


def unreachable(name: str, path: Path, error: OSError) -> NodeLostError:
    """Return the error that says why connecting to the socket at `path` failed."""
    if isinstance(error, FileNotFoundError):
        return NodeLostError(f"There is no node called {name} (no socket at {path}).")
    if isinstance(error, ConnectionRefusedError):
        return NodeLostError(f"{name} is not running any more: no process listens on its socket {path}.")
    if isinstance(error, PermissionError):
        return NodeLostError(f"{name} belongs to another user: its socket {path} may not be opened.")
    if isinstance(error, TimeoutError) or error.errno == errno.EAGAIN:
        return NodeLostError(f"{name} does not take connections: it hangs, or has too many observers.")
    return NodeLostError(f"{name} cannot be reached at {path}: {error.strerror or error}.")


def silent(name: str, seconds: float) -> NodeLostError:
    """Return the error that says that no answer came in time."""
    return NodeLostError(
        f"{name} did not answer within {seconds:g} seconds: its process is stopped, or stuck in C code."
    )


def closed(name: str) -> NodeLostError:
    """Return the error that says that the node closed the connection."""
    return NodeLostError(f"{name} closed the connection: it has ended, or dropped this observer.")


def frame_length(name: str, header: bytes) -> int:
    """Return the length that a frame's header promises; raise `NodeLostError` when it is longer than allowed."""
    length: int = wire.HEADER.unpack(header)[0]
    if length > wire.MAX_REPLY:
        raise NodeLostError(f"{name} does not speak the observer's protocol (a frame of {length} bytes).")
    return length


def read_welcome(name: str, body: bytes) -> wire.Welcome:
    """Return the welcome in a node's first frame; raise `NodeLostError` for a refusal, another version and garbage."""
    try:
        first: wire.Welcome | wire.Refused = wire.decode_welcome(body)
    except _UNREADABLE as error:
        raise NodeLostError(f"{name} does not speak the observer's protocol{_detail(error)}.") from error
    if first.protocol != wire.PROTOCOL:
        raise NodeLostError(
            f"{name} speaks version {first.protocol} of the protocol and this observer version {wire.PROTOCOL}: "
            "use the same release of process-observer on both sides."
        )
    if isinstance(first, wire.Refused):
        raise NodeLostError(f"{name} refused: {safe(first.why)}")
    return first


def read_reply(name: str, body: bytes) -> tuple[int, wire.Answer]:
    """Return a reply's number and its answer; raise `NodeLostError` when a field does not fit the protocol."""
    try:
        reply: wire.Reply = wire.decode_reply(body)
    except _UNREADABLE as error:
        raise NodeLostError(f"{name} sent an answer that does not fit the protocol{_detail(error)}.") from error
    return reply.id, reply.answer


def _detail(error: Exception) -> str:
    """Return which field is wrong and how, in brackets; nothing when the frame is no message at all."""
    return f" ({safe(str(error))[:MAX_DETAIL]})" if isinstance(error, msgspec.ValidationError) else ""
