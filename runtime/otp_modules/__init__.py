"""What Erlang's tools ask of a node: the functions of OTP's modules that OTP's observer, etop and the shell call here.

Each module answers for the modules of OTP that it names in its ``FUNCTIONS``. What is not known here is left out, or
ends in ``badarg`` where OTP has no way to leave it out. With ``trust="terms"``, `allow` must list each function.

`runtime.distribution.spawn_requests` imports this folder when another node asks for the first such function.

May import `runtime.supervision`, `runtime.application`, `runtime.ets` and what lies below them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from runtime.distribution.spawn_requests import ANY_MODULE, SERVICES, check_allowed
from runtime.otp_modules import appmon_info, dbg, erlang, observer_backend, servers, tables

if TYPE_CHECKING:
    from runtime.distribution.remote_node import RemoteNode


def _guarded(module: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(remote: RemoteNode, *arguments: Any) -> Any:
        if module != ANY_MODULE:
            check_allowed(remote, module, name)
        return function(remote, *arguments)

    return run


for _each in (appmon_info, dbg, erlang, observer_backend, servers, tables):
    for (_module, _name), _function in _each.FUNCTIONS.items():
        SERVICES.setdefault((_module, _name), _guarded(_module, _name, _function))
