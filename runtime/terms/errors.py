"""What the runtime raises: one base, one class a meaning, the data as attributes."""

from __future__ import annotations

from typing import Any

from greenlet import GreenletExit

from runtime.terms.explanation import explain, explain_call
from runtime.terms.text import render


class RuntimeFault(Exception):
    """Base of every error of the runtime. Not raised itself. All can be pickled, and sent as what they are."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[RuntimeFault], args: tuple[Any, ...], attributes: dict[str, Any]) -> RuntimeFault:
    """Make an error again without its ``__init__``, which takes what its text is made of."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class NoProcessError(RuntimeFault, ValueError):
    """A name that is not registered was used, or a link to a process that is gone was asked for.

    `dest` is what could not be found. Never raised for sending to a dead pid, which is silently ignored.
    """

    def __init__(self, dest: Any, message: str | None = None) -> None:
        super().__init__(message or f"no process is registered as {render(dest)}; whereis() gives None for such a name")
        self.dest = dest


class AlreadyRegisteredError(RuntimeFault, ValueError):
    """A name is taken, or a process already has one. `name` is the name, `pid` who holds it (OTP: badarg)."""

    def __init__(self, name: Any, pid: Any, message: str | None = None) -> None:
        super().__init__(message or f"the name {render(name)} is taken by {pid}; unregister it first or choose another")
        self.name = name
        self.pid = pid


class ReceiveTimeout(RuntimeFault, TimeoutError):
    """No message that matches came in time. `timeout` is in seconds. Not raised when `default` was given."""

    def __init__(self, timeout: float) -> None:
        super().__init__(f"no matching message within {timeout} s; pass default= to get a value instead of this error")
        self.timeout = timeout


class NotInProcessError(RuntimeFault):
    """A call that needs a process was made outside one."""

    def __init__(self, function: str, message: str | None = None) -> None:
        super().__init__(message or f"{function}() works only inside a process; start one with spawn() or run()")
        self.function = function


class Unsuccessful(RuntimeFault):
    """Base of the errors that carry an exit reason: `CallError`, `StartError`, `SupervisorError`. Not raised itself.

    `reason` says why, as a term that a program can match: ``"noproc"``, ``("already_started", pid)``, a `Crash`.
    """

    def __init__(self, reason: Any, message: str | None = None) -> None:
        super().__init__(message or _shown(reason))
        self.reason = reason


def _shown(reason: Any) -> str:
    return repr(reason) if type(reason) is str else render(reason)


class CallError(Unsuccessful):
    """A call to a process did not bring a reply.

    `reason` is ``"timeout"``, ``"noproc"``, ``"calling_self"``, or why the server died. A process that does not catch
    it exits with `exit_reason`, as in OTP: ``(reason, (module, function, arguments))``.
    """

    def __init__(
        self, reason: Any, function: str = "call", arguments: tuple[Any, ...] = (), module: str = "gen_server"
    ) -> None:
        to = f" to {arguments[0]}" if arguments else ""
        text = explain_call(reason, function, arguments) or f"{function}{to} failed: {_shown(reason)}"
        super().__init__(reason, text)
        self.function = function
        self.arguments = arguments
        self.module = module

    @property
    def exit_reason(self) -> Any:
        """The reason a process exits with when it does not catch this."""
        return (self.reason, (self.module, self.function, self.arguments))


class StartError(Unsuccessful):
    """A process did not start. `reason` says why, e.g. ``("already_started", pid)`` or what `init` failed with."""

    def __init__(self, reason: Any) -> None:
        super().__init__(reason, f"the process did not start: {explain(reason)}")


class SupervisorError(Unsuccessful):
    """A supervisor refused: `reason` is ``"not_found"``, ``"running"``, ``"restarting"``, or says more."""

    _who = "supervisor"

    def __init__(self, reason: Any, message: str | None = None) -> None:
        super().__init__(reason, message or f"the {self._who} refused: {_shown(reason)}")


class ProcessExit(BaseException):
    """A process ends itself with `reason`: what `exit(reason)` raises. It can be caught, as in Erlang.

    `run` raises it for a program that an exit signal has ended; its text is then `story`, which says what led to that.
    """

    def __init__(self, reason: Any, story: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.story = story

    def __str__(self) -> str:
        return explain(self.reason) if self.story is None else self.story


class ProcessKilled(GreenletExit):
    """Unwinds the frames of a process that an exit signal has ended. Catching it changes nothing: it is dead."""


def name_as_public(*errors: type[BaseException]) -> None:
    """Have errors call themselves by the name that programs import them by, in tracebacks, reports and help."""
    for error in errors:
        error.__module__ = "runtime"


name_as_public(*(RuntimeFault, NoProcessError, AlreadyRegisteredError, ReceiveTimeout, NotInProcessError))
name_as_public(*(Unsuccessful, CallError, StartError, SupervisorError, ProcessExit, ProcessKilled))
