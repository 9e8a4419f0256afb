"""Having an Erlang node ask this one, as OTP's tools do."""

from __future__ import annotations

from typing import Any

from runtime import erpc, node
from runtime.terms.atom import Atom

DEADLINE = 60.0


def ask(other: str, module: str, function: str, *arguments: object) -> Any:
    """Have the Erlang node call a function of this one, by OTP's own rpc."""
    return erpc.call(other, ("rpc", "call"), Atom(node()), Atom(module), Atom(function), [*arguments])


def run_here(other: str, module: str, function: str, *arguments: object) -> Any:
    """Have the Erlang node start a process here; returns its Pid."""
    return erpc.call(other, ("erlang", "spawn"), Atom(node()), Atom(module), Atom(function), [*arguments])
