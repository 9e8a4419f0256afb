"""What a plain process runs, and how the end of its code becomes an exit reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import Struct

from runtime.kernel.fork import end_child
from runtime.kernel.process import DEAD, Process, Worker
from runtime.kernel.reports import process_crashed
from runtime.kernel.signals import finish
from runtime.terms.crash import Crash
from runtime.terms.errors import CallError, ProcessExit
from runtime.terms.static_lookup import full_name, where_defined


class PlainBody(Struct, eq=False):
    """What a process of `spawn` runs: one function, once."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def initial_call(self) -> str:
        """The function, as ``module.name``."""
        return name_of(self.function)

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Run the function on a worker's stack, to its end; nothing that it raises gets past here."""
        args = self.args
        try:
            if self.kwargs:
                self.function(*args, **self.kwargs)
            elif not args:  # calls without stars take no frame of C's, which would be copied with the stack
                self.function()
            elif len(args) == 1:
                self.function(args[0])
            else:
                self.function(*args)
            reason: Any = "normal"
        except BaseException as error:
            reason = exit_reason(process, error)
        if type(reason) is Crash and process.state is not DEAD:
            # not before the exception is released: its frames may hold all the memory there is
            process_crashed(process, reason)
        worker.process = None
        finish(process, reason)


def name_of(function: Any) -> str:
    """Return ``module.qualified_name`` of a callable; of a `functools.partial`, that of the function it calls."""
    while issubclass(type(function), partial):
        function = function.func
    module, name = where_defined(function)
    named = name if type(name) is str and name else full_name(type(function))
    return f"{module}.{named}" if type(module) is str and module and named is name else named


def exit_reason(process: Process, error: BaseException) -> Any:
    """Return the exit reason of a process whose code ended with `error`."""
    if process.state is DEAD:
        if process.node.scheduler.forked:
            end_child(error)
        return process.reason
    if isinstance(error, ProcessExit):
        return error.reason
    if isinstance(error, CallError):
        return error.exit_reason
    try:
        return Crash.from_exception(error)
    except MemoryError:  # the frames of `error` hold all there is, until it is released
        return OUT_OF_MEMORY


OUT_OF_MEMORY = Crash("MemoryError", "")
"""The reason of a process that took so much that there is no memory left to say where; made while there was some."""
