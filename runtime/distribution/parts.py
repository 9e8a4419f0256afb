"""The values that both halves of the distribution share: parts of pids and references, what stands for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from runtime.terms.immutable import immutable
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.connection import Connection


ID_BITS = 28
"""Bits of a pid's number that every release of OTP takes; the rest of a number goes into the serial."""
ID_MASK = (1 << ID_BITS) - 1


class PidParts(NamedTuple):
    """What a pid consists of on the wire. `creation` tells two lives of a node apart."""

    node: str
    id: int
    serial: int
    creation: int


class RefParts(NamedTuple):
    """What a reference consists of on the wire: its node, up to five words of 32 bits, and the node's creation."""

    node: str
    ids: tuple[int, ...]
    creation: int


class ImproperList(NamedTuple):
    """A list whose tail is no list, such as ``[alias | Ref]``. Goes back to Erlang as what it was."""

    items: tuple[Term, ...]
    tail: Term


@immutable
class Opaque:
    """A value of Erlang's that Python has no type for: a port, a fun, a bitstring, a map that no dict can hold.

    It can be compared, kept and sent back, unchanged. `kind` says what it is, `data` are its bytes.
    """

    __slots__ = ("data", "kind")

    def __init__(self, kind: str, data: bytes) -> None:
        self.kind = kind
        self.data = data

    def __eq__(self, other: object) -> bool:
        return self.data == other.data if isinstance(other, Opaque) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"<{self.kind} of Erlang, {len(self.data)} bytes>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Opaque, (self.kind, self.data)


class Absent:
    """The type of ABSENT."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
"""Stands for the payload of a control message that has none."""


class Conversion(Protocol):
    """How the values of a node become what travels, and back. The upper half gives it."""

    pid_type: type
    """The class of pids; instances of its subclasses are pids, too."""
    ref_type: type
    """The class of references."""

    def pid_parts(self, pid: Any) -> PidParts:
        """Return what a pid consists of."""

    def pid_of(self, parts: PidParts) -> object:
        """Return the pid that consists of those parts."""

    def ref_parts(self, ref: Any) -> RefParts:
        """Return what a reference consists of."""

    def ref_of(self, parts: RefParts) -> object:
        """Return the reference that consists of those parts."""

    def other(self, value: object) -> object:
        """Return what stands for a value of another type towards a BEAM. Raises TypeError if nothing does."""


class Handler(Protocol):
    """Takes what connections tell. All is called in the hub's thread, in the order in which it happened."""

    def on_up(self, connection: Connection) -> None:
        """Take a new connection; frames over it come later."""

    def on_failed(self, name: str, reason: str) -> None:
        """Take why no connection to a node came about, as a sentence."""

    def on_frame(self, connection: Connection, control: tuple[Any, ...], payload: Any) -> int:
        """Take a control message and its payload, ABSENT where it has none. Returns 1, as the number of messages."""

    def on_short(self, connection: Connection, entry: tuple[Any, ...]) -> int:
        """Take a short entry of a batch, as `pickled` describes it. Returns how many messages it holds."""

    def on_down(self, connection: Connection, reason: str) -> None:
        """Take the end of a connection: ``"disconnect"``, ``"connection_closed"`` or ``"net_tick_timeout"``."""
