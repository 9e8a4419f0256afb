"""Reports of functions that another node has named and that are not here: they go to that node.

OTP sends such a report to the node of the group leader, and that is the node that has spawned. A Python node takes it
as a message to its ``net_kernel``, a BEAM as one to its ``logger``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runtime.kernel.mailbox import send
from runtime.kernel.node import current_process
from runtime.kernel.process import Pid
from runtime.terms.atom import Atom
from runtime.terms.log import Log
from runtime.terms.tag import matchable
from runtime.terms.term import Term
from runtime.terms.text import reason_text, render

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode

logger = Log("runtime.distribution")

AS_OTP_SAYS = "Error in process ~p on node ~p with exit value:~n~p~n"

MAIN_ADVICE = "; __main__ is that node's own program, so define the function in a module that both nodes can import"


def report_there(remote: RemoteNode, module: str, function: str, reason: Term, why: str) -> None:
    """Have the other node report that the calling process cannot run a function, and ends with that reason."""
    if remote.connection is None:
        return
    pid = current_process("spawn").pid
    if remote.is_python:
        send(("net_kernel", remote.name), ("undefined_function", pid, module, function, why))
        return
    kind = {Atom("tag"): Atom("error"), Atom("emulator"): True}
    about = {Atom("pid"): pid, Atom("gl"): pid, Atom("time"): time.time_ns() // 1_000, Atom("error_logger"): kind}
    values = [pid, Atom(remote.local.name), reason]
    send(("logger", remote.name), (Atom("log"), Atom("error"), AS_OTP_SAYS, values, about))


def take_report(message: Term) -> None:
    """Log what `report_there` has sent to this node. Any other message is ignored."""
    match matchable(message):
        case "undefined_function", (Pid() as pid, str(module), str(function), str(why)):
            remote = getattr(pid.process, "remote", None)
            if remote is not None:
                advice = MAIN_ADVICE if module == "__main__" else ""
                place = render(f"{module}.{function}")
                logger.error("%s on %s cannot run %s: %s%s", pid, remote.name, place, reason_text(why), advice)
