"""Becomes a command that ends with its observer: ``python -m runtime.introspection.instrument.become``.

What ``observer run -- COMMAND`` starts in a session of its own. This process becomes the command, so that signals reach
it and its exit status is its own. The lifeline, a pipe whose other end the observer holds, is watched by a process of
the same session that is not the command's child: a server that waits for its children never sees it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from runtime.introspection.program import instrumented

GRACE = 5.0
"""Seconds that the session has to end by itself after SIGTERM."""

NOT_RUN = 127
"""Exit status when the system does not run the command: what shells say."""


def main(arguments: Sequence[str]) -> None:
    """Run the command line: ``LIFELINE NAME COMMAND ARGS``."""
    lifeline, name, *command = arguments
    _leave_watcher(int(lifeline))
    os.close(int(lifeline))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would the command
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, instrumented(os.environ, name))
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}.", file=sys.stderr)
        sys.exit(NOT_RUN)


def _leave_watcher(lifeline: int) -> None:
    """Fork twice, so that the watcher is not a child of this process."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    if os.fork() == 0:
        with suppress(OSError):
            _watch(lifeline)
    os._exit(0)


def _watch(lifeline: int) -> None:
    """Wait until the observer is gone, and end the session. Its id cannot be another's while this process is in it."""
    session = os.getsid(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # whoever reads the command's output must see its end
        os.dup2(null, stream)
    while os.read(lifeline, 4_096):
        pass
    os.killpg(session, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(session, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
