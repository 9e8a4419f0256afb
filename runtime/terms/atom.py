"""Atoms: strings that travel to other nodes as Erlang's atoms."""

from __future__ import annotations

from typing import Any

from runtime.terms.immutable import immutable
from runtime.terms.own_repr import bounded

MAX_LENGTH = 255
"""Characters that an atom may have, as in Erlang."""


@immutable
class Atom(str):
    """A string that goes to an Erlang or Elixir node as an atom, where a plain string goes as a binary.

    What comes in as an atom is one. It equals the plain string of the same characters, and has the same hash, so
    patterns and dict keys need no difference: ``Atom("ok") == "ok"``. Only ``true``, ``false`` and ``nil`` come in as
    True, False and None. Atoms are ordinary objects: there is no table of them that could fill up.

    Raises TypeError for anything but a string, and ValueError for one of more than 255 characters (OTP: atom()).
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Atom:
        """Check the text; see the class for what is raised."""
        if not isinstance(text, str):
            raise TypeError(f"an atom is made from a str, not from {type(text).__name__}")
        if len(text) > MAX_LENGTH:
            raise ValueError(f"an atom has at most {MAX_LENGTH} characters; this text has {len(text)}")
        return str.__new__(cls, text)

    @bounded
    def __repr__(self) -> str:
        return f"Atom({str.__repr__(self)})"

    def __copy__(self) -> Atom:
        return self

    def __deepcopy__(self, memo: object) -> Atom:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Atom, (str(self),)
