"""Functions run on other nodes, as OTP's `erpc`: one call, or the same one on many nodes.

    from runtime import erpc

    erpc.call("shop@127.0.0.1", os.getpid)                      # a Python node: any function it can import
    erpc.call("app@127.0.0.1", ("erlang", "system_info"), Atom("otp_release"))  # a BEAM node: (module, function)

The function runs in a process of its own over there, which dies with its result. A node with ``trust="terms"`` runs
only the functions that it allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

from runtime.distribution.cluster import LocalNode, local_node
from runtime.distribution.remote_procedure import ErpcError as ErpcError
from runtime.distribution.remote_procedure import begin_call, call_there, cast_there, forget_call, result_of
from runtime.kernel import clock
from runtime.kernel.caught import caught_reason
from runtime.kernel.destinations import NO_NODE
from runtime.kernel.mailbox import receive
from runtime.kernel.node import current, current_process
from runtime.kernel.outside import from_outside
from runtime.kernel.processes import demonitor, exit, spawn, spawn_monitor
from runtime.kernel.signals import Down
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument, seconds_of

Outcome: TypeAlias = "tuple[Literal['ok'], Term] | tuple[Literal['error'], Term]"
"""How one call of `multicall` ended."""


def call(node: str, fn: object, *args: Term, timeout: TimeoutArgument = 5.0, **kwargs: Term) -> Term:
    """Run ``fn(*args, **kwargs)`` on another node, in a new process, and return its result (OTP: erpc:call/5).

    On a Python node `fn` is any function that it can import, on a BEAM node ``("module", "function")``. `timeout` is in
    seconds (None, ``"infinity"``: no limit); after it, the function may still run. Raises `ErpcError`, which says
    whether the function failed, was killed, or could not be reached, and TypeError for what is no name of a node and no
    function. A greenlet or a thread outside any process may call, too.
    """
    seconds = seconds_of(timeout)
    _check(node, fn)
    if current() is None:
        work = lambda: call(node, fn, *args, timeout=timeout, **kwargs)  # noqa: E731
        return from_outside("erpc.call", work, lambda reason: ErpcError(("signal", reason)), seconds)
    local = local_node(current_process("erpc.call").node)
    if _is_here(local, node):
        return _call_here(fn, args, kwargs, seconds)
    if local is None:
        raise ErpcError(("erpc", "noconnection"))
    return call_there(local, node, fn, args, seconds, **kwargs)


def cast(node: str, fn: object, *args: Term, **kwargs: Term) -> None:
    """Run ``fn(*args, **kwargs)`` on another node and forget it: there is no result and no error (OTP: erpc:cast/4).

    Raises TypeError for what is no name of a node and no function.
    """
    _check(node, fn)
    if current() is None:
        from_outside("erpc.cast", lambda: cast(node, fn, *args, **kwargs))
        return
    local = local_node(current_process("erpc.cast").node)
    if _is_here(local, node):
        spawn(_cast_here, fn, args, kwargs)
    elif local is not None:
        cast_there(local, node, fn, args, kwargs)


def multicall(
    nodes: Iterable[str], fn: object, *args: Term, timeout: TimeoutArgument = 5.0, **kwargs: Term
) -> list[Outcome]:
    """Run the same function on several nodes at once and return the outcomes, in their order (OTP: erpc:multicall/5).

    Each is ``("ok", value)`` or ``("error", reason)``, with the reason that `ErpcError` would have. `timeout` is for
    all of them together.
    """
    seconds = seconds_of(timeout)
    if isinstance(nodes, str) or not isinstance(nodes, Iterable):
        raise TypeError(f"multicall() takes the names of nodes in a list, not {render(nodes)}")
    names = [*nodes]
    for name in names:
        _check(name, fn)
    if current() is None:
        work = lambda: multicall(names, fn, *args, timeout=timeout, **kwargs)  # noqa: E731
        return from_outside("erpc.multicall", work, lambda reason: ErpcError(("signal", reason)), seconds)
    local = local_node(current_process("erpc.multicall").node)
    ends = None if seconds is None else clock.now() + seconds
    begun = [
        None if local is None or _is_here(local, name) else begin_call(local, name, fn, args, kwargs) for name in names
    ]
    outcomes: list[Outcome] = []
    for name, waiting in zip(names, begun, strict=True):
        left = None if ends is None else max(0.0, ends - clock.now())
        try:
            if waiting is None:
                outcomes.append(("ok", call(name, fn, *args, timeout=left, **kwargs)))
                continue
            remote, ref, result, pending = waiting
            try:
                if not (pending.is_settled or pending.wait(left)):
                    raise ErpcError(("erpc", "timeout"))
            finally:
                forget_call(remote, ref)
            outcomes.append(("ok", result_of(pending.outcome, result)))
        except ErpcError as error:
            outcomes.append(("error", error.reason))
    return outcomes


def _check(node: object, fn: object) -> None:
    """Raise TypeError for what is no name of a node, or no function that could be called on one."""
    if not isinstance(node, str):
        raise TypeError(f"a node is named by a str such as 'shop@127.0.0.1', not {render(node)}")
    is_named = type(fn) is tuple and len(fn) == 2 and all(isinstance(part, str) for part in fn)
    if not (is_named or callable(fn)):
        raise TypeError(f"a function is called on another node, or ('module', 'function'), not {render(fn)}")


def _is_here(local: LocalNode | None, node: str) -> bool:
    return node == (NO_NODE if local is None else local.name)


def _function(fn: object) -> Any:
    if type(fn) is tuple and len(fn) == 2:
        import importlib

        return getattr(importlib.import_module(str(fn[0])), str(fn[1]))
    return fn


def _call_here(fn: object, args: tuple[Term, ...], kwargs: dict[str, Term], seconds: float | None) -> Term:
    """Call on this node: in a process of its own, too."""
    _, ref = spawn_monitor(_run_here, fn, args, kwargs)
    down = receive(Down(ref, ANY, ANY), timeout=seconds, default=None)
    if down is None:
        demonitor(ref, flush=True)
        raise ErpcError(("erpc", "timeout"))
    match down.reason:
        case (_Here(), "return", value):
            return value
        case (_Here(), "exception", reason):
            raise ErpcError(("exception", reason))
    raise ErpcError(("signal", down.reason))


class _Here:
    """Marks what the process of a call on this node exits with."""


def _cast_here(fn: object, args: tuple[Term, ...], kwargs: dict[str, Term]) -> None:
    _function(fn)(*args, **kwargs)


def _run_here(fn: object, args: tuple[Term, ...], kwargs: dict[str, Term]) -> None:
    try:
        value = _function(fn)(*args, **kwargs)
    except BaseException as error:
        exit((_Here(), "exception", caught_reason(error)))
    exit((_Here(), "return", isolate(value)))


__all__ = ["ErpcError", "call", "cast", "multicall"]
