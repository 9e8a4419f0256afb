"""The command ``observer``.

May import every other part of the observer.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress

from observer.cli.errors import CommandError, report


def main() -> None:
    """Run the command and exit: 0 for done, 1 for a failure or a finding, 2 for wrong usage.

    What goes wrong is a sentence on standard error. ``OBSERVER_DEBUG=1`` shows where in the observer it went wrong.
    """
    # At its end Python walks all objects for garbage, several times: with the dashboard's a quarter of a second.
    atexit.register(gc.freeze)
    atexit.register(_flush)
    try:
        from observer.cli import completion
        from observer.cli.commands import app

        _prepare_streams()
        if completion.is_for_bash():
            completion.answer_bash(app)
            sys.exit()
        status = app(prog_name="observer", standalone_mode=False)
        if not status:
            sys.stdout.flush()  # where this fails, the command has failed after all
        sys.exit(status if isinstance(status, int) else 0)
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("OBSERVER_DEBUG"):
            raise
        sys.exit(report(error))


def _flush() -> None:
    """Write what is left of the output. Where that fails again, drop it: else Python complains and exits with 120."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _prepare_streams() -> None:
    """Have a terminal that cannot draw a character show a question mark, rather than end the command.

    A stream that was closed before the command began leads nowhere.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        else:
            stream.reconfigure(errors="replace")


__all__ = ["CommandError", "main"]
