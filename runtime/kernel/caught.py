"""What functions of the program's raise in the process that calls them, where the runtime survives their failure."""

from __future__ import annotations

from typing import Any

from runtime.kernel.body import exit_reason
from runtime.kernel.node import current
from runtime.kernel.process import DEAD


def caught_reason(error: BaseException) -> Any:
    """Return, as an exit reason, what a function of the program's raised: a child's start, a callback, a job.

    OTP catches whatever such a function throws, so SystemExit and GeneratorExit are failures like any other. Raises
    `error` again in a process that is dead, since it is being unwound.
    """
    process = current()
    if process is None or process.state is DEAD:
        raise error
    return exit_reason(process, error)
