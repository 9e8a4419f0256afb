"""How two nodes of this package recognize each other, without a word that a BEAM node minds.

Each node sends a greeting to a name that no BEAM node has registered, then monitors that name. Another node of this
package has greeted as well. A BEAM node drops the greeting and answers the monitor: no such process. So after one round
trip each side knows what the other one is.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

from runtime.distribution.external_term import Codec
from runtime.distribution.handshake import Own
from runtime.distribution.parts import Conversion, PidParts, RefParts
from runtime.distribution.term_decoder import TermTooLargeError
from runtime.terms.atom import Atom

NAME = Atom("$process_observer")
VERSION = 2
REG_SEND, MONITOR_P, MONITOR_P_EXIT = 6, 19, 21

Trust = Literal["pickle", "terms"]

_codec = Codec()


class Terms(NamedTuple):
    """How a node writes and reads terms, and whom it trusts."""

    codec: Codec
    conversion: Conversion
    trust: Trust


class Kind(Enum):
    """What a frame is: a greeting, the monitor that follows one, the answer to that, or a message of a process."""

    PICKLES = "pickles"
    """A greeting of a node that trusts pickles."""
    TERMS = "terms"
    """A greeting of a node that takes terms alone."""
    PROBE = "probe"
    ANSWER = "answer"
    MESSAGE = "message"


class Greeting(NamedTuple):
    """What a node says first, and how it knows what the other one has said."""

    own: Own
    trust: Trust

    @property
    def pid(self) -> PidParts:
        """Return a pid that no process has: the greeting is from no process."""
        return PidParts(self.own.name, 0, 0, self.own.creation)

    def messages(self) -> list[tuple[bytes, bytes]]:
        """Return the control messages to begin with, each with its payload."""
        greeting = (REG_SEND, self.pid, Atom(""), NAME)
        probe = (MONITOR_P, self.pid, NAME, RefParts(self.own.name, (1, 0, 0), self.own.creation))
        payload = (Atom("hello"), VERSION, Atom(self.trust))
        return [(_codec.encode(greeting), _codec.encode(payload)), (_codec.encode(probe), b"")]

    def look_at(self, frame: bytes) -> Kind:
        """Return what a frame is. Raises ValueError if it is no term."""
        try:
            control, end = _codec.decode_first(frame, 1)
            if type(control) is not tuple or len(control) < 4:
                return Kind.MESSAGE
            if control[0] == REG_SEND and control[3] == NAME:
                payload = _codec.decode_first(frame, end)[0]
                return Kind.PICKLES if payload == ("hello", VERSION, "pickle") else Kind.TERMS
        except TermTooLargeError:
            return Kind.MESSAGE
        if control[0] == MONITOR_P and control[2] == NAME:
            return Kind.PROBE
        if control[0] == MONITOR_P_EXIT and control[2] == self.pid:
            return Kind.ANSWER
        return Kind.MESSAGE
