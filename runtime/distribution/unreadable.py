"""Messages that cannot be read here: what is still known of one, so that who waits for an answer gets one.

A message holds a value of a class that this node cannot import, or whose own way of being restored fails. Its outline
has `Unknown` in place of every such value. What frames it, such as the caller of a request, is as it was sent.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from runtime.distribution.parts import ABSENT, ImproperList
from runtime.distribution.term_decoder import TermTooLargeError
from runtime.terms.atom import Atom

if TYPE_CHECKING:
    from runtime.distribution.external_term import Codec

UNREADABLE = 0
"""The number of a control message that a node makes for itself: ``(UNREADABLE, control message, why)``.

The outline is its payload. OTP has no control message of this number.
"""

CONTENT = Atom("$content")
"""What stands before the content of a message whose receiver hears of it in any case: ``(*frame, CONTENT, content)``.

Where the content cannot be unpickled, an `Unreadable` stands in its place. The frame holds plain values, pids and
references.
"""


def content_of(message: Any) -> Any:
    """Return what its sender calls the message: a request, a cast or a content, without what frames it."""
    match message:
        case (Atom("$gen_cast"), content) | (Atom("$gen_call"), _, content):
            return content
        case (*_, Atom("$content"), content):
            return content
    return message


class Unreadable(NamedTuple):
    """Stands for the content of a message that cannot be unpickled here."""

    why: str


class UnreadableReason(str):
    """Stands for an exit reason that cannot be unpickled here: a text that says so."""

    __slots__ = ()


_KNOWN = frozenset((kind.__module__, kind.__qualname__) for kind in (Atom, ImproperList))

ADVICE = "both nodes must be able to import what a message holds, or send plain values"


class Unknown:
    """Stands for a value of the program's in an outline, whatever it was made from."""

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments of any class."""

    def __call__(self, *args: Any, **kwargs: Any) -> Unknown:
        """Stand for what a function returns as well."""
        return self

    def __setstate__(self, state: Any) -> None:
        """Take any state."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take an item, as a dictionary does."""

    def append(self, item: Any) -> None:
        """Take an item, as a list does."""

    add = append


def missing(module: str, name: str, error: Exception) -> ImportError:
    """Return the error for a class or a function that this node cannot import."""
    return ImportError(f"{module}.{name} cannot be imported here: {error}")


def outlines(unpickler: type[pickle.Unpickler], own: frozenset[tuple[str, str]]) -> type[pickle.Unpickler]:
    """Return a class that reads the outlines of what `unpickler` reads, and runs no code of the program.

    `own`: the module and the name of each function that an outline needs.
    """
    known = _KNOWN | own

    class OutlineUnpickler(unpickler):  # type: ignore[valid-type, misc]  # a class that is made while the node starts
        def find_class(self, module: str, name: str) -> Any:
            return super().find_class(module, name) if (module, name) in known else Unknown

    return OutlineUnpickler


def read_message(codec: Codec, frame: bytes) -> tuple[tuple[Any, ...], Any]:
    """Return the control message of a frame of terms, and its payload. Raises ValueError for what is no message.

    One that is too large to be read here becomes UNREADABLE, and so does a reason: who waits for it hears of that.
    """
    why = "a value that is too large to be read here: {}; send it in parts"
    try:
        control, end = codec.decode_control(frame, 1)
    except TermTooLargeError as error:
        control, end = codec.decode_outline(frame, 1), len(frame)
        if control is None:
            raise
        control = (*control, UnreadableReason(why.format(error)))
    if type(control) is not tuple or not control or type(control[0]) is not int:
        raise ValueError("a control message is a tuple that begins with a number")
    if end == len(frame):
        return control, ABSENT
    try:
        payload, end = codec.decode_first(frame, end)
    except TermTooLargeError as error:
        outline = codec.decode_outline(frame, end)
        return (UNREADABLE, control, why.format(error)), ABSENT if outline is None else (*outline, Unknown())
    if end < len(frame):
        raise ValueError("something follows the payload")
    return control, payload


def batch_error(error: Exception) -> ValueError:
    """Return the error for a batch of messages that is none."""
    return ValueError(f"a batch of messages cannot be read: {type(error).__name__}: {error}")


def explain(error: Exception) -> str:
    """Return why something cannot be read here, and what to do."""
    return f"{type(error).__name__}: {error}; {ADVICE}"
