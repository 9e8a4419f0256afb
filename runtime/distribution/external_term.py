"""The External Term Format: how Erlang writes terms as bytes (OTP: term_to_binary, binary_to_term).

Towards a BEAM node, a str is a UTF-8 binary, bytes are a binary, an `Atom` is an atom, None is ``nil``; bools, numbers,
tuples and lists are what they are, a dict is a map. From a BEAM node, a binary comes as a str where it is UTF-8 and as
bytes elsewhere, a charlist as a list of ints. Ports, funs, bitstrings, and maps that no dict can hold come as `Opaque`,
improper lists as `ImproperList`: they can be sent back unchanged.
"""

from __future__ import annotations

from typing import Literal

from runtime.distribution.parts import Conversion
from runtime.distribution.term_decoder import MAX_ITEMS, TermDecoder
from runtime.distribution.term_encoder import TermEncoder


class Codec:
    """Writes and reads terms; pids and references by a `Conversion`, or as their parts where there is none.

    `binaries` is ``"bytes"`` where no binary is to become a str, `none` the atom that stands for None, `max_items`
    how many items the tuples, lists and maps of one term may have.
    """

    def __init__(
        self,
        conversion: Conversion | None = None,
        *,
        binaries: Literal["text", "bytes"] = "text",
        none: Literal["nil", "undefined"] = "nil",
        max_items: int = MAX_ITEMS,
    ) -> None:
        decoder = TermDecoder(conversion, binaries, none, max_items)
        encoder = TermEncoder(conversion, none)
        self.encode = encoder.encode
        self.encode_control = encoder.encode_control
        self.decode = decoder.decode
        self.decode_first = decoder.decode_first
        self.decode_control = decoder.decode_control
        self.decode_outline = decoder.decode_outline
