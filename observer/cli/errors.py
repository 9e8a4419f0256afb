"""What goes wrong in a command, told in a sentence on standard error."""

from __future__ import annotations

import sys

from observer.node.source import NodeLostError
from observer.text.safe_text import lines


class CommandError(Exception):
    """The command cannot do what it was asked; its text says why, its further lines what was seen."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status
        """The exit status: 1 for a failure or a finding, 2 for wrong usage."""


def say(text: str) -> None:
    """Write lines to standard error, made safe for a terminal."""
    print("\n".join(lines(text)), file=sys.stderr)


def report(error: Exception) -> int:
    """Say what went wrong and give the exit status."""
    from observer.model.settings import SettingsError
    from observer.node.client import NodeRefusedError
    from observer.node.discovery import AmbiguousNodeError, NodeNotFoundError
    from observer.text.literals import LiteralError

    match error:
        case CommandError():
            say(f"observer: {error}")
            return error.status
        case AmbiguousNodeError() | LiteralError():
            say(f"observer: {error}")
            return 2
        case NodeRefusedError(kind="bad_request"):
            say(f"observer: {error}")
            return 2
        case NodeLostError() | NodeRefusedError() | NodeNotFoundError() | SettingsError():
            say(f"observer: {error}")
        case OSError(strerror=str(why)) if error.filename is None:
            say(f"observer: {why}.")
        case OSError() | ValueError():
            say(f"observer: {error}")
        case _:
            kind = type(error).__name__
            say(f"observer: failed in a way it should not ({kind}: {error}). OBSERVER_DEBUG=1 shows where.")
    return 1
