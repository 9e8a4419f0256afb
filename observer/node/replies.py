"""Reading what a node says, where every way it can go wrong is a `NodeLostError` with a sentence.

Both clients use it: `observer.node.connection` on asyncio for the dashboard, and `observer.node.client`, which blocks,
for the commands.
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
"""Seconds a node may take to say who it is."""

ANSWER_TIMEOUT = 10.0
"""Seconds a node may take to answer. Its endpoint has a thread of its own, so even a node that hangs is quick."""


def check_owner(name: str, path: Path) -> None:
    """Raise `NodeLostError` when there is no socket at `path`, or somebody else made it.

    Whoever owns the socket answers on it: a superuser must not take another user's word for what a node says.
    """
    try:
        owner = path.stat().st_uid
    except OSError as error:
        raise unreachable(name, path, error) from error
    if owner != os.geteuid():
        raise NodeLostError(
            f"The socket of {name} ({path}) belongs to another user (uid {owner}): only they can watch it."
        )


def unreachable(name: str, path: Path, error: OSError) -> NodeLostError:
    """Say why connecting to the socket at `path` failed."""
    if isinstance(error, FileNotFoundError):
        return NodeLostError(f"There is no node called {name} (no socket at {path}).")
    if isinstance(error, ConnectionRefusedError):
        return NodeLostError(f"{name} is not running any more: nobody listens on its socket {path}.")
    if isinstance(error, PermissionError):
        return NodeLostError(f"{name} belongs to another user: its socket {path} may not be opened.")
    if isinstance(error, TimeoutError) or error.errno == errno.EAGAIN:
        return NodeLostError(f"{name} does not take connections: it hangs, or has too many observers.")
    return NodeLostError(f"{name} cannot be reached at {path}: {error.strerror or error}.")


def silent(name: str, seconds: float) -> NodeLostError:
    """Say that nothing came in time."""
    return NodeLostError(
        f"{name} did not answer within {seconds:g} seconds: its process is stopped, or stuck in C code."
    )


def closed(name: str) -> NodeLostError:
    """Say that the connection ended."""
    return NodeLostError(f"{name} closed the connection: it has ended, or dropped this observer.")


def frame_length(name: str, header: bytes) -> int:
    """Give the length that a frame's header promises; raise `NodeLostError` when no node would send that much."""
    length: int = wire.HEADER.unpack(header)[0]
    if length > wire.MAX_REPLY:
        raise NodeLostError(f"{name} does not speak the observer's protocol (a frame of {length} bytes).")
    return length


def read_welcome(name: str, body: bytes) -> wire.Welcome:
    """Give the welcome in a node's first frame; raise `NodeLostError` for a refusal, other versions and garbage."""
    try:
        first: wire.Welcome | wire.Refused = wire.decode_welcome(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NodeLostError(f"{name} does not speak the observer's protocol.") from error
    if first.protocol != wire.PROTOCOL:
        raise NodeLostError(
            f"{name} speaks version {first.protocol} of the protocol and this observer version {wire.PROTOCOL}: "
            "use the same release of process-observer on both sides."
        )
    if isinstance(first, wire.Refused):
        raise NodeLostError(f"{name} refused: {safe(first.why)}")
    return first


def read_reply(name: str, body: bytes) -> tuple[int, wire.Answer]:
    """Give a reply's number and its answer; raise `NodeLostError` for garbage."""
    try:
        reply: wire.Reply = wire.decode_reply(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NodeLostError(f"{name} sent an answer that makes no sense.") from error
    return reply.id, reply.answer
