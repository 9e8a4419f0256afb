"""Partition supervisors: the same child several times, so that one process need not do the work of all."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from runtime.kernel.names import whereis
from runtime.kernel.pid import Pid
from runtime.otp.child_spec import ChildSpec, child_spec
from runtime.supervision.requests import count_children
from runtime.supervision.supervisor import Supervisor
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.errors import NoProcessError


class PartitionSupervisor(Supervisor):
    """A supervisor of `partitions` copies of one child, with the ids 0, 1, 2, ...

    ``PartitionSupervisor.start_link((Cache, 100), partitions=4, name="caches")``; then ``("via", "caches", key)`` names
    the copy that is responsible for `key`, always the same one for the same key. Semantics: Elixir's
    PartitionSupervisor.
    """

    @staticmethod
    def default_spec(
        child: Any,
        partitions: int | None = None,
        with_arguments: Callable[[list[Any], int], list[Any]] | None = None,
        **flags: Any,
    ) -> SupervisorSpec:
        """Take the child, how many copies of it (default: one per processor), and a SupervisorSpec's flags.

        `with_arguments` makes the arguments of one copy's start function of the child's own and the copy's number.
        """
        number = os.cpu_count() or 1 if partitions is None else partitions
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ValueError(f"partitions is {number!r}; allowed: a whole number >= 1")
        spec = child_spec(child)
        return SupervisorSpec([_copy(spec, index, with_arguments) for index in range(number)], **flags)

    def whereis_name(self, key: Any) -> Pid | None:
        """Give the copy responsible for `key`, None while it is not running."""
        return self.children[_number_of(key) % len(self.children)].pid

    @staticmethod
    def partitions(supervisor: Any) -> int:
        """Say how many copies there are."""
        return count_children(supervisor)["specs"]

    @staticmethod
    def partition(supervisor: Any, key: Any) -> Pid:
        """Give the Pid of the copy responsible for `key`. Raises NoProcessError while it is not running."""
        pid = whereis(("via", supervisor, key))
        if pid is None:
            raise NoProcessError(("via", supervisor, key), f"the partition of {key!r} in {supervisor!r} is not running")
        return pid


def _copy(spec: ChildSpec, index: int, with_arguments: Callable[[list[Any], int], list[Any]] | None) -> ChildSpec:
    function, *args = spec.start
    if with_arguments is not None:
        args = with_arguments(args, index)
    return replace(spec, id=index, start=(function, *args))


def _number_of(key: Any) -> int:
    """Give a number that is the same for the same key in every run, which `hash` of a string is not."""
    return abs(key) if isinstance(key, int) else zlib.crc32(repr(key).encode())
