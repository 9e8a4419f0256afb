"""The servers that every Erlang node has, and that others expect: today ``net_kernel``, which pings are calls of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.distribution import orderly_stop, remote_procedure
from runtime.distribution.group_leader import stop_group_leader
from runtime.distribution.undefined_functions import take_report
from runtime.kernel.names import set_name
from runtime.kernel.process import OUTSIDE, Process
from runtime.kernel.roles import Body
from runtime.kernel.signals import exit_signal
from runtime.otp.calls import From
from runtime.otp.gen_server import GenServer
from runtime.terms.atom import Atom
from runtime.terms.tag import tagged
from runtime.terms.term import Term

if TYPE_CHECKING:
    from runtime.distribution.cluster import LocalNode

from typing import cast

NAME = "net_kernel"


class NetKernelServer(GenServer):
    """Answers ``net_adm:ping`` of other nodes."""

    def handle_call(self, request: Term, caller: From) -> Term:
        """Say that a node which has come this far is welcome."""
        match tagged(request):
            case "is_auth", (_,):
                return Atom("yes")
        return (Atom("error"), Atom("badarg"))

    def handle_cast(self, message: Term) -> None:
        """Ignore every cast: nothing that another node sends may end this server."""

    def handle_info(self, message: Term) -> None:
        """Take the report of a function that another node does not have. Ignore every other message."""
        take_report(message)


def start_kernel_servers(local: LocalNode) -> None:
    """Start the servers, without a parent: they wait, and have no stack."""
    remote_procedure.serve()
    orderly_stop.serve()
    node = local.node
    if NAME in node.names:
        return
    server = NetKernelServer()
    process: Process = node.spawn(None, cast(Body, server))
    process.detached = True
    process.label = "distribution"
    set_name(process, NAME)


def stop_kernel_servers(local: LocalNode) -> None:
    """End the servers."""
    stop_group_leader(local)
    process = local.node.names.get(NAME)
    if process is not None and isinstance(process.body, NetKernelServer):
        exit_signal(process, OUTSIDE, "kill")
