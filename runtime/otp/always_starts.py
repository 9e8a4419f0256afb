"""Servers whose start always gives a Pid: their `init` does not ignore it."""

from __future__ import annotations

from runtime.kernel.process import Destination, Pid
from runtime.otp.gen_server import GenServer
from runtime.otp.returns import IGNORE
from runtime.terms.errors import StartError
from runtime.terms.ref import Ref
from runtime.terms.term import Term
from runtime.terms.timeout import TimeoutArgument


class AlwaysStarts(GenServer):
    """Base of agents, registries and others whose `init` may not return `IGNORE`."""

    @classmethod
    def start_link(cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid:
        """Start the process linked with the caller; return its Pid. Takes what `init` takes.

        Raises StartError as GenServer.start_link.
        """
        return _pid_of(super().start_link(*args, name=name, timeout=timeout, **kwargs))

    @classmethod
    def start(cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid:
        """Start the process like `start_link`, without the link."""
        return _pid_of(super().start(*args, name=name, timeout=timeout, **kwargs))

    @classmethod
    def start_monitor(
        cls, *args: Term, name: Destination = None, timeout: TimeoutArgument = None, **kwargs: Term
    ) -> tuple[Pid, Ref]:
        """Start the process like `start`, and monitor it in one step; return its Pid and the reference.

        No `Down` comes of a start that fails.
        """
        started = super().start_monitor(*args, name=name, timeout=timeout, **kwargs)
        if started is None:
            raise StartError(("bad_return_value", IGNORE))
        return started


def _pid_of(pid: Pid | None) -> Pid:
    if pid is None:  # an `init` of a subclass
        raise StartError(("bad_return_value", IGNORE))
    return pid
