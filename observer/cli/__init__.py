"""The command ``observer``."""

from __future__ import annotations

import os
import sys

from observer.cli.failure import Failure, report


def main() -> None:
    """Run the command and exit: 0 for done, 1 for a failure or a finding, 2 for wrong usage.

    What goes wrong is a sentence on standard error. ``OBSERVER_DEBUG=1`` shows where in the observer it went wrong.
    """
    from observer.cli.commands import app

    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot draw a character shows a question mark rather than ending the command.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app(prog_name="observer")
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("OBSERVER_DEBUG"):
            raise
        sys.exit(report(error))


__all__ = ["Failure", "main"]
