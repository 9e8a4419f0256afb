"""The handshake of two nodes, version 6: who they are, what they can do, and that they know the same cookie.

The node that connects says its name, the other one its status: ``ok``, or that another connection between the two is
there or under way. Then each sends a number, and the other one the MD5 of the cookie with that number, so the cookie
itself is never sent.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from runtime.distribution.errors import DistributionError
from runtime.distribution.tls_refusals import WANTS_TLS, is_tls
from runtime.distribution.transport import Closed, TooSlow, Transport
from runtime.terms.text import render

SETUP_TIME = 7.0
"""Seconds that a handshake may take, as in OTP (``net_setuptime``)."""

LONGEST_NAME = 255
"""Bytes of a node's name."""

LONGEST_PACKET = 1_024
"""Bytes of a packet of the handshake; the longest holds a name."""

PUBLISHED = 1 << 0
"""What a node offers that is not hidden."""

HANDSHAKE_23 = 1 << 24

REQUIRED = {
    "EXTENDED_REFERENCES": 1 << 2,
    "FUN_TAGS": 1 << 4,
    "NEW_FUN_TAGS": 1 << 7,
    "EXTENDED_PIDS_PORTS": 1 << 8,
    "EXPORT_PTR_TAG": 1 << 9,
    "BIT_BINARIES": 1 << 10,
    "NEW_FLOATS": 1 << 11,
    "UTF8_ATOMS": 1 << 16,
    "MAP_TAG": 1 << 17,
    "BIG_CREATION": 1 << 18,
    "HANDSHAKE_23": HANDSHAKE_23,
}
"""What both nodes must offer. A node of OTP 25 offers all of it."""

OFFERED = {
    **REQUIRED,
    "DIST_MONITOR": 1 << 3,
    "DIST_MONITOR_NAME": 1 << 5,
    "UNICODE_IO": 1 << 12,
    "SMALL_ATOM_TAGS": 1 << 14,
    "UNLINK_ID": 1 << 25,
    "MANDATORY_25_DIGEST": 1 << 26,
    "SPAWN": 1 << 32,
    "V4_NC": 1 << 34,
    "ALIAS": 1 << 35,
}
"""What a node of this package offers. Not: the atom cache, fragments, payloads of exit signals."""

_ALL_REQUIRED = sum(REQUIRED.values())
_ALL_OFFERED = sum(OFFERED.values())

Status = Literal["ok", "ok_simultaneous", "nok", "alive", "not_allowed"]


class Own(NamedTuple):
    """What a node says of itself."""

    name: str
    creation: int
    cookie: str
    hidden: bool
    cookies: dict[str, str]
    """The cookies that were set for certain nodes; the one for this node's own name is for all others."""

    def cookie_for(self, name: str) -> str:
        """Return the cookie that is shared with a node."""
        found = self.cookies.get(name)
        return self.cookies.get(self.name, self.cookie) if found is None else found

    @property
    def flags(self) -> int:
        """Return what it offers."""
        return _ALL_OFFERED if self.hidden else _ALL_OFFERED | PUBLISHED


class Peer(NamedTuple):
    """What the other node has said of itself."""

    name: str
    creation: int
    flags: int

    @property
    def hidden(self) -> bool:
        """Whether it wants to be left out of `nodes`."""
        return not self.flags & PUBLISHED


class YieldedError(DistributionError):
    """The other node connects to this one at the same time, and its connection is the one that stays."""


def digest(cookie: str, challenge: int) -> bytes:
    """Return what shows that a node knows the cookie."""
    return hashlib.md5(f"{cookie}{challenge}".encode(), usedforsecurity=False).digest()


class _Packets:
    """The packets of one handshake: some bytes of length, then the packet."""

    def __init__(self, transport: Transport, deadline: float) -> None:
        self._transport = transport
        self._deadline = deadline

    def send(self, packet: bytes) -> None:
        length = len(packet).to_bytes(self._transport.LENGTH_BYTES, "big")
        self._transport.send_all(length + packet, self._deadline)

    def receive(self, *kinds: bytes) -> bytes:
        """Return the next packet, its kind in front. Raises DistributionError if it is of another kind."""
        length = self._transport.recv_exactly(self._transport.LENGTH_BYTES, self._deadline)
        size = int.from_bytes(length, "big")
        if not 0 < size <= LONGEST_PACKET:
            if is_tls(length):
                raise DistributionError(WANTS_TLS)
            raise DistributionError(f"it sent a packet of {size} bytes; it speaks another protocol")
        packet = self._transport.recv_exactly(size, self._deadline)
        if packet[:1] not in kinds:
            raise DistributionError(f"it sent {render(packet[:1])} where the handshake wants {render(kinds[0])}")
        return packet


def connect(transport: Transport, own: Own, name: str, is_up: Callable[[], bool]) -> Peer:
    """Shake hands as the node that connects to `name`. `is_up`: whether a connection to it is up already.

    Raises YieldedError when the other node's own attempt goes on instead of this one, DistributionError with a sentence
    when it refuses, and Closed.
    """
    packets = _Packets(transport, time.monotonic() + SETUP_TIME)
    encoded = own.name.encode()
    packets.send(b"N" + struct.pack(">QIH", own.flags, own.creation, len(encoded)) + encoded)
    status = packets.receive(b"s")[1:].decode("latin-1")
    if status == "nok":
        raise YieldedError(f"{name} connects to this node at the same time")
    if status == "not_allowed":
        raise DistributionError(f"{name} does not allow the node {own.name} to connect")
    if status == "alive":
        packets.send(b"sfalse" if is_up() else b"strue")
        if is_up():
            raise YieldedError(f"{name} is connected already")
    elif status not in ("ok", "ok_simultaneous"):
        raise DistributionError(f"{name} answered {render(status)}, which is no status of the handshake")
    peer, challenge = _read_challenge(packets.receive(b"N", b"n"))
    if peer.name != name:
        raise DistributionError(f"the node that answers there is called {peer.name}, not {name}")
    _check_flags(peer)
    mine = secrets.randbits(32)
    packets.send(b"r" + struct.pack(">I", mine) + digest(own.cookie_for(name), challenge))
    try:
        answer = packets.receive(b"a")[1:]
    except TooSlow:
        raise
    except Closed:
        raise DistributionError(
            f"{name} refused the cookie; give both nodes the same one, and look into the log of {name}"
        ) from None
    if not hmac.compare_digest(answer, digest(own.cookie_for(name), mine)):
        raise DistributionError(f"{name} has another cookie; give both nodes the same one")
    return peer


def accept(transport: Transport, own: Own, claim: Callable[[str], Status]) -> Peer:
    """Shake hands as the node that is connected to. `claim` gets the other's name and says what the status is.

    Raises DistributionError with a sentence when this node or the other one refuses, and Closed.
    """
    packets = _Packets(transport, time.monotonic() + SETUP_TIME)
    hello = packets.receive(b"N", b"n")
    peer = _read_hello(hello)
    is_old = hello[:1] == b"n"
    _check_flags(peer)
    status = claim(peer.name)
    packets.send(b"s" + status.encode())
    if status == "not_allowed":
        raise DistributionError(f"{peer.name} may not connect, since its name is this node's or is no name")
    if status == "nok":
        raise YieldedError(f"this node connects to {peer.name} at the same time")
    if status == "alive" and packets.receive(b"s") != b"strue":
        raise YieldedError(f"{peer.name} is connected already")
    mine = secrets.randbits(32)
    encoded = own.name.encode()
    packets.send(b"N" + struct.pack(">QIIH", own.flags, mine, own.creation, len(encoded)) + encoded)
    if is_old:  # it believed to talk to a node of OTP 22, and now adds what it had left out
        high, creation = _unpack(">II", packets.receive(b"c"))
        peer = peer._replace(flags=peer.flags | high << 32, creation=creation)
    reply = packets.receive(b"r")
    challenge, *_ = _unpack(">I", reply)
    if not hmac.compare_digest(reply[5:], digest(own.cookie_for(peer.name), mine)):
        raise DistributionError(f"{peer.name} has another cookie; give both nodes the same one")
    packets.send(b"a" + digest(own.cookie_for(peer.name), challenge))
    return peer


def _unpack(form: str, packet: bytes) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, packet, 1)
    except struct.error:
        raise DistributionError("it sent half a packet") from None


def _name(data: bytes) -> str:
    try:
        name = data.decode()
    except UnicodeDecodeError:
        name = ""
    host = name.partition("@")[2]
    if not host or "@" in host or len(data) > LONGEST_NAME or not name.isprintable() or name.startswith("@"):
        raise DistributionError("it has no name of the form name@host")
    return name


def _read_hello(packet: bytes) -> Peer:
    if packet[:1] == b"n":
        _, flags = _unpack(">HI", packet)
        return Peer(_name(packet[7:]), 0, flags)
    flags, creation, size = _unpack(">QIH", packet)
    return Peer(_name(packet[15 : 15 + size]), creation, flags)


def _read_challenge(packet: bytes) -> tuple[Peer, int]:
    if packet[:1] == b"n":
        raise DistributionError("it is older than OTP 23, whose handshake is the oldest that is spoken here")
    flags, challenge, creation, size = _unpack(">QIIH", packet)
    return Peer(_name(packet[19 : 19 + size]), creation, flags), challenge


def _check_flags(peer: Peer) -> None:
    missing = [name for name, flag in REQUIRED.items() if not peer.flags & flag]
    if missing:
        raise DistributionError(f"{peer.name} is too old: it does not offer {', '.join(missing)}; OTP 25 does")
