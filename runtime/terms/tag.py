"""What a message is about, found without running any code of the program's."""

from __future__ import annotations

from runtime.terms.atom import Atom
from runtime.terms.term import Term


def tagged(message: Term) -> tuple[str, tuple[Term, ...]]:
    """Return a string, or the string that a tuple begins with, and the tuple's other items; ``("", ())`` for the rest.

    A ``match`` on the message itself would compare its items with strings, and ask them for their class. That runs the
    program's code, which may raise: an array of numpy's is equal to nothing, a proxy of werkzeug's has no class.
    """
    kind = type(message)
    if kind is str or kind is Atom:
        return message, ()
    if kind is tuple and message and (type(message[0]) is str or type(message[0]) is Atom):
        return message[0], message[1:]
    return "", ()


def matchable(message: Term) -> tuple[str, tuple[Term, ...]]:
    """Return what `tagged` does, for a ``match`` on the classes of the items; ``("", ())`` where one has no class.

    A pattern such as ``Pid()`` asks an item for its class, and a proxy may raise then.
    """
    tag, items = tagged(message)
    try:
        for item in items:
            item.__class__  # noqa: B018
    except Exception:
        return "", ()
    return tag, items
