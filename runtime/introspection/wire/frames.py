"""Frames: how the values of the protocol become bytes, and bytes such values again."""

from __future__ import annotations

import struct

import msgspec

from runtime.introspection.wire.answers import Refused, Reply, Welcome
from runtime.introspection.wire.fields import Frozen
from runtime.introspection.wire.requests import Hello, Request

HEADER = struct.Struct("!I")
"""The length that stands before every frame."""

encoder = msgspec.msgpack.Encoder()
"""Encodes any value of this module."""

decode_hello = msgspec.msgpack.Decoder(Hello).decode
decode_welcome = msgspec.msgpack.Decoder(Welcome | Refused).decode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_reply = msgspec.msgpack.Decoder(Reply).decode


def frame(value: Frozen) -> bytes:
    """Return `value` as one frame, its length in front.

    A program's texts and numbers may be such that no frame can hold them: a file name that is not UTF-8 has characters
    that UTF-8 cannot say, and an integer may be longer than 64 bits. The first are escaped, the second cut to the
    nearest one that fits, here and nowhere else.
    """
    try:
        body = encoder.encode(value)
    except (UnicodeEncodeError, OverflowError):
        body = encoder.encode(_sayable(msgspec.to_builtins(value)))
    return HEADER.pack(len(body)) + body


def _sayable(value: object) -> object:
    match value:
        case str():
            return printable(value)
        case int():
            return max(-(2**63), min(value, 2**63 - 1))
        case dict():
            return {_sayable(key): _sayable(item) for key, item in value.items()}
        case list() | tuple():
            return [_sayable(item) for item in value]
    return value


def printable(text: str) -> str:
    """Return `text` with every character that UTF-8 cannot say escaped: ``caf\\udce9.txt``."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
