"""Calls of functions of a BEAM node, one at a time or over a list, with limits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from runtime import erpc
from runtime.distribution.parts import Opaque
from runtime.terms.atom import Atom
from runtime.terms.term import Term

CALL_TIMEOUT = 5.0
"""Seconds that one call may take."""

CHUNK = 200
"""Processes that one call asks about."""

EXPORT, SMALL_ATOM, SMALL_INTEGER = 113, 119, 97
"""Tags of the external term format."""


class BeamError(Exception):
    """The node did not answer, or a function there failed. The text is a sentence."""


class Beam:
    """A BEAM node, by name. Its methods wait, in any process, greenlet or thread of this one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy = 0.0
        """Seconds that calls have taken, all together: an upper limit for the work of the node."""

    def call(self, module: str, function: str, *args: Term, timeout: float = CALL_TIMEOUT) -> Any:
        """Return what a function returns. Raises BeamError."""
        begun = time.monotonic()
        try:
            return erpc.call(self.name, (module, function), *args, timeout=timeout)
        except erpc.ErpcError as error:
            raise BeamError(f"{self.name} did not answer {module}:{function}/{len(args)}: {error.reason}") from None
        finally:
            self.busy += time.monotonic() - begun

    def info(self, pids: Sequence[Term], items: Sequence[str]) -> list[dict[str, Any] | None]:
        """Return these items of `process_info` for each process, None for one that has ended."""
        wanted = [Atom(item) for item in items]
        found: list[dict[str, Any] | None] = []
        for start in range(0, len(pids), CHUNK):
            chunk = [*pids[start : start + CHUNK]]
            answers = self.call("lists", "zipwith", function("erlang", "process_info", 2), chunk, [wanted] * len(chunk))
            found += [{str(key): value for key, value in each} if type(each) is list else None for each in answers]
        return found

    def each(self, module: str, name: str, pids: Sequence[Term]) -> list[Any]:
        """Return what a function returns for each of these. Raises BeamError where it fails for one of them."""
        found: list[Any] = []
        for start in range(0, len(pids), CHUNK):
            found += self.call("lists", "map", function(module, name, 1), [*pids[start : start + CHUNK]])
        return found


def function(module: str, name: str, arity: int) -> Opaque:
    """Return ``fun module:name/arity``, which that node can call."""
    return Opaque("a fun", bytes((EXPORT,)) + _atom(module) + _atom(name) + bytes((SMALL_INTEGER, arity)))


def _atom(text: str) -> bytes:
    data = text.encode()
    return bytes((SMALL_ATOM, len(data))) + data
