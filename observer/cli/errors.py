"""What goes wrong in a command, said in a sentence on standard error."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

import typer

from observer.node.source import NodeLostError
from observer.text.safe_text import lines

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What the parser raises for words that it cannot take. Typer exports this one subclass of it."""


class CommandError(Exception):
    """The command cannot do what it was asked. The text says why; its further lines show what was seen."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status
        """The exit status: 1 for a failure or a finding, 2 for wrong usage, or that of the program that was run."""


class WrongUsageError(CommandError):
    """The command was called with words that mean nothing to it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, status=2)


def say(text: str) -> None:
    """Write lines to standard error, made safe for a terminal."""
    print("\n".join(lines(text)), file=sys.stderr)


def explain(error: Exception) -> str:
    """Return what went wrong, as a sentence."""
    return _explained(error)[0]


def report(error: Exception) -> int:
    """Say what went wrong, where that can be written, and return the exit status."""
    sentence, status = _explained(error)
    with suppress(OSError):
        say(f"observer: {sentence}")
    return status


def _explained(error: Exception) -> tuple[str, int]:
    from observer.model.settings import SettingsError
    from observer.node.client import NodeRefusedError
    from observer.node.discovery import AmbiguousNodeError, NodeNameError, NodeNotFoundError
    from observer.text.literals import LiteralError
    from runtime.introspection.recording.frames import RecordingError

    match error:
        case CommandError():
            return str(error), error.status
        case UsageError():
            return _usage(error), 2
        case AmbiguousNodeError() | LiteralError() | NodeNameError() | NodeRefusedError(kind="bad_request"):
            return str(error), 2
        case NodeLostError() | NodeRefusedError() | NodeNotFoundError() | SettingsError() | RecordingError():
            return str(error), 1
        case typer.Abort():
            return "Nothing was chosen.", 1
        case OSError(strerror=str(why)) if error.filename is None:
            return f"{why}.", 1
        case RecursionError():
            return "What is to be printed is nested too deeply.", 1
        case OSError() | ValueError():
            return str(error), 1
    kind = type(error).__name__
    return f"failed in a way it should not ({kind}: {error}). OBSERVER_DEBUG=1 shows where.", 1


def _usage(error: Exception) -> str:
    """Return what the parser says as a sentence, and which help explains the command."""
    message: str = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = "observer" if context is None else context.command_path
    message = " ".join(message.split()).rstrip(".")
    for said, plain in _PLAIN:
        message = re.sub(said, plain, message)
    end = "" if message.endswith("?") else "."
    return f"{message}{end} '{command} --help' explains what it takes."


_PLAIN = (
    (r"Input should be a valid integer\b.*", "it should be a whole number"),
    (r"Input should be a valid number\b.*", "it should be a number"),
    (r"Input should be greater than or equal to (\S+)", r"it should be \1 or more"),
    (r"Input should be less than or equal to (\S+)", r"it should be \1 or less"),
    (r"Value error, ", ""),
)
"""What the library that reads values says of them, and how a person would say it."""
