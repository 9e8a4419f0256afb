"""Partition supervisors: several copies of one child, so that one process need not do all the work."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable

from runtime.kernel.names import whereis
from runtime.kernel.process import Pid
from runtime.otp.always_starts import AlwaysStarts
from runtime.otp.calls import From, call
from runtime.otp.child_spec import ChildSpec, changed_spec, child_spec
from runtime.supervision.children import Children, Reply
from runtime.supervision.supervisor import Supervisor
from runtime.supervision.supervisor_spec import SupervisorSpec
from runtime.terms.errors import NoProcessError, StartError, SupervisorError
from runtime.terms.tag import matchable
from runtime.terms.term import Term
from runtime.terms.text import render

MOST_PARTITIONS = 1_000_000
"""Copies that one supervisor may have: a program that asks for more has most likely mistaken something for a number."""

Arguments = Callable[[list[Term], int], list[Term]]
"""Makes the arguments of one copy's start function, from those of the child and the number of the copy."""


class PartitionSupervisor(AlwaysStarts, Supervisor):
    """A supervisor of `partitions` copies of one child, with the ids 0, 1, 2, ...

    After ``PartitionSupervisor.start_link((Cache, 100), partitions=4, name="caches")``, ``("via", "caches", key)``
    names the copy that is responsible for `key`, always the same one for the same key. Semantics: Elixir's
    PartitionSupervisor.
    """

    @staticmethod
    def _default_spec(
        child: Term, partitions: int | None = None, with_arguments: Arguments | None = None, **flags: Term
    ) -> SupervisorSpec:
        """Make a SupervisorSpec of a child, the number of its copies (default: one per processor), and flags.

        Raises ValueError or TypeError for a number or a function that is not allowed.
        """
        number = os.cpu_count() or 1 if partitions is None else partitions
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_PARTITIONS:
            raise ValueError(
                f"partitions is {render(number)}; allowed: a whole number >= 1, at most {MOST_PARTITIONS:,}"
            )
        if with_arguments is not None and not callable(with_arguments):
            raise TypeError(
                f"with_arguments is {render(with_arguments)}; allowed: a function of the child's arguments (a "
                "list) and the number of the copy that returns the copy's arguments (a list)"
            )
        spec = child_spec(child)
        return SupervisorSpec([_copy(spec, index, with_arguments) for index in range(number)], **flags)

    number_of_partitions: int = 0
    """How many copies share the keys: only `resize` changes it, whatever requests do to the list of children."""

    most_partitions: int = 0
    """How many copies there were at the start."""

    def _adopt(self, children: Children) -> None:
        """Keep the copies, and note how many they are."""
        super()._adopt(children)
        self.number_of_partitions = self.most_partitions = len(children.children)

    def whereis_name(self, key: Term) -> Pid | None:
        """Return the copy responsible for `key`, None while it is not running."""
        if self.number_of_partitions == 0:
            raise ValueError("the partition supervisor has been resized to no partition, so no key has one")
        child = self.children.get(_number_of(key) % self.number_of_partitions)
        return None if child is None else child.pid

    def handle_call(self, request: Term, caller: From) -> Term:
        """Serve a request for another number of copies, and those to any supervisor."""
        match matchable(request):
            case "partitions", ():
                return self.number_of_partitions
            case "resize", (int(number),):
                return self._resize(number)
        return super().handle_call(request, caller)

    def _resize(self, number: int) -> Reply:
        before = self.number_of_partitions
        if number > self.most_partitions:
            return "too_many", self.most_partitions
        self.number_of_partitions = min(before, number)  # before a copy ends, no key leads to it any more
        for index in range(number, before):
            self.kept.terminate_child(index)
        for index in range(before, number):
            outcome, value = self.kept.restart_child(index)
            if outcome == "failed":
                return outcome, value
            self.number_of_partitions = index + 1
        return "ok", before

    @staticmethod
    def resize(supervisor: Term, partitions: int) -> int:
        """Change the number of copies; return how many there were (Elixir 1.18: PartitionSupervisor.resize!).

        Copies beyond `partitions` are ended, and started again when the number grows. Raises ValueError for a number
        that is not between 0 and that of the start, StartError when a copy does not start: then those before it run,
        and SupervisorError for a supervisor of another kind.
        """
        if isinstance(partitions, bool) or not isinstance(partitions, int) or partitions < 0:
            raise ValueError(f"partitions is {render(partitions)}; allowed: a whole number >= 0")
        outcome, value = call(supervisor, ("resize", partitions), timeout=None)
        if outcome == "refused":
            raise SupervisorError(value)
        if outcome == "too_many":
            raise ValueError(f"partitions is {render(partitions)}; allowed: 0 to {value}, the number at the start")
        if outcome == "failed":
            raise StartError(value)
        before: int = value
        return before

    @staticmethod
    def partitions(supervisor: Term) -> int:
        """Return the number of copies that share the keys."""
        number: int = call(supervisor, "partitions", timeout=None)
        return number

    @staticmethod
    def partition(supervisor: Term, key: Term) -> Pid:
        """Return the Pid of the copy responsible for `key`. Raises NoProcessError while it is not running."""
        pid = whereis(("via", supervisor, key))
        if pid is None:
            raise NoProcessError(
                ("via", supervisor, key), f"the partition of {render(key)} in {render(supervisor)} is not running"
            )
        return pid


def _copy(spec: ChildSpec, index: int, with_arguments: Arguments | None) -> ChildSpec:
    function, *args = spec.start
    if with_arguments is not None:
        args = with_arguments(args, index)
        if not isinstance(args, (list, tuple)):
            raise TypeError(f"with_arguments returned {render(args)} for partition {index}; it must return a list")
    return changed_spec(spec, id=index, start=(function, *args))


def _number_of(key: Term) -> int:
    """Return a number that is the same for the same key in every program, which `hash` of a string is not.

    Raises TypeError for a key that is shown by its address.
    """
    return abs(key) if isinstance(key, int) else zlib.crc32(_text_of(key).encode())


def _text_of(key: Term) -> str:
    """Return what `repr` does, but the same for what is equal, and for integers of any size."""
    if isinstance(key, str):
        return str.__repr__(key)
    if isinstance(key, tuple):
        items = ", ".join(map(_text_of, key))
        return f"({items},)" if len(key) == 1 else f"({items})"
    if isinstance(key, frozenset):
        return f"frozenset({sorted(map(_text_of, key))})"
    if type(key) is int and abs(key) >= MOST_SHOWN:
        return hex(key)
    text = repr(key)
    if _ADDRESS.search(text):
        raise TypeError(
            f"the key {text[:100]} is shown by its address, which is another one in each program; "
            "use plain values as keys, or give its class a __repr__ that shows its value"
        )
    return text


MOST_SHOWN = 10**600
"""Integers from here on are told apart by their hexadecimal digits: Python may refuse to show them all as decimal."""

_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-f]+>", re.IGNORECASE)
