"""Registries: processes known by any key, each key by one process or by many.

A registry is a process that owns a table. Reading and registering happen in the caller, without a message; the registry
is linked with every process that has registered: it takes those that die out of the table, and ends those that live
when it ends itself, since what they have registered is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from runtime.kernel.headroom import ensure_headroom
from runtime.kernel.mailbox import send
from runtime.kernel.names import whereis
from runtime.kernel.node import current_process, living_caller
from runtime.kernel.process import Destination, Pid
from runtime.kernel.processes import demonitor, flag, monitor
from runtime.kernel.signals import Down, Exit, exit_signal, link_processes, unlink_processes
from runtime.otp.always_starts import AlwaysStarts
from runtime.otp.calls import From, call, cast, reply
from runtime.otp.child_spec import ChildSpec, id_from_name
from runtime.otp.registry_lock import RegistryLock
from runtime.otp.registry_table import Entry, RegistryTable
from runtime.otp.returns import NOREPLY
from runtime.terms.atom import Atom
from runtime.terms.errors import AlreadyRegisteredError, NoProcessError
from runtime.terms.isolation import isolate
from runtime.terms.pattern import ANY, compile_pattern
from runtime.terms.ref import Ref
from runtime.terms.tag import tagged
from runtime.terms.term import Term
from runtime.terms.text import render
from runtime.terms.timeout import TimeoutArgument

Guard: TypeAlias = Callable[..., object]
"""Says whether what has matched a pattern counts."""

Result = TypeVar("Result")


class Registry(AlwaysStarts):
    """Names and groups beside the node's own registered names.

    ``Registry.start_link("unique", name="rooms")``: a key has one holder at most and works as a name,
    ``("via", "rooms", key)``, wherever a name is taken. ``Registry.start_link("duplicate", name="topics")``: any number
    of processes register under a key. In the functions below `registry` is the registry's name or Pid, and a key is
    any hashable value. They raise NoProcessError when there is no such registry, TypeError for a key that is not
    hashable. Semantics: Elixir's Registry (a node has one table, so no partitions).
    """

    @classmethod
    def start_link(cls, *args: Term, name: Term = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid:
        """Start a registry linked with the caller, and return its Pid; takes what `init` takes.

        Raises ValueError for wrong `keys`, TypeError for wrong `listeners`, StartError as GenServer.start_link.
        """
        cls._check(args, kwargs)
        return super().start_link(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def start(cls, *args: Term, name: Term = None, timeout: TimeoutArgument = None, **kwargs: Term) -> Pid:
        """Start a registry like `start_link`, without the link."""
        cls._check(args, kwargs)
        return super().start(*args, name=name, timeout=timeout, **kwargs)

    @classmethod
    def _check(cls, args: tuple[Term, ...], kwargs: dict[str, Term]) -> None:
        """Let wrong arguments fail at the call, before there is a process."""
        if cls.init is not Registry.init:
            return
        keys = args[0] if args else kwargs.get("keys", "unique")
        if keys not in ("unique", "duplicate"):
            raise ValueError(f"keys is {render(keys)}; allowed are 'unique' and 'duplicate'")
        listeners = args[1] if len(args) > 1 else kwargs.get("listeners", ())
        is_list = isinstance(listeners, Iterable) and not isinstance(listeners, str)
        if not is_list or not all(isinstance(listener, str) for listener in listeners):
            raise TypeError(f"listeners is {render(listeners)}; give a list of registered names")
        meta = args[2] if len(args) > 2 else kwargs.get("meta")
        if meta is not None and not isinstance(meta, Mapping):
            raise TypeError(f"meta is {render(meta)}; give a dict of what `Registry.meta` is to return")

    @classmethod
    def child_spec(cls, *args: Term, **kwargs: Term) -> ChildSpec:
        """Return the spec by which a supervisor starts this registry; its id is the name, where it has one.

        It is a supervisor's, since the end of a registry is the end of those that have registered.
        """
        spec = super().child_spec(*args, **kwargs)
        return replace(spec, id=id_from_name(kwargs.get("name"), spec.id), type="supervisor", shutdown="infinity")

    def init(
        self,
        keys: Literal["unique", "duplicate"] = "unique",
        listeners: Iterable[str] = (),
        meta: Mapping[Hashable, Term] | None = None,
    ) -> None:
        """Start with an empty table, and with what `meta` returns. `listeners` are names of processes to be told.

        They receive ``("register", registry, key, pid, value)`` and ``("unregister", registry, key, pid)``. A death
        sends them nothing: a listener monitors the processes whose end it wants to know.
        """
        flag(trap_exit=True)
        self.unique = keys == "unique"
        self.listeners = tuple(listeners)
        self.table = RegistryTable()
        self.metadata: dict[Hashable, Term] = isolate(dict(meta or {}))
        self.locks: dict[Hashable, list[tuple[From, Ref, RegistryLock]]] = {}
        """Who holds each lock, the first, and who waits for it: its call, a monitor on it, and what it asked with."""

    def handle_call(self, request: Term, caller: From) -> Term:
        """Grant a lock, now or when it is free; answer what is asked of every supervisor, as one without children."""
        if type(request) is RegistryLock:
            waiting = self.locks.setdefault(request.key, [])
            if any(other.pid == caller.pid for other, _, _ in waiting):
                return False
            waiting.append((caller, monitor(caller.pid), request))
            return True if len(waiting) == 1 else NOREPLY
        match tagged(request):
            case "which_children", ():
                return []
            case "count_children", ():
                counts = dict.fromkeys(("specs", "active", "supervisors", "workers"), 0)
                return [(Atom(kind), 0) for kind in counts] if caller.needs_terms else counts
            case _:
                return super().handle_call(request, caller)

    def handle_info(self, message: Term) -> None:
        """Take a process that died out of the table."""
        if type(message) is Exit and issubclass(type(message.pid), Pid):
            self.table.remove_process(message.pid)
        elif type(message) is Down and type(message.ref) is Ref:
            for key in [*self.locks]:
                self._unlock(key, lambda waits: waits[1] == message.ref)

    def terminate(self, reason: Term) -> None:
        """End the processes that have registered, with the reason ``"shutdown"``."""
        own = current_process("terminate")
        for other in [*own.links]:
            if self.table.knows(other.pid):
                try:
                    unlink_processes(own, other)  # so that a process that traps exits gets one signal
                    exit_signal(other, own.pid, "shutdown", linked=True)
                except BaseException:  # the end of the registry no longer reaches it
                    exit_signal(other, own.pid, "shutdown", linked=True)
                    raise

    # -- The caller's own registrations ---------------------------------------------------------------------------

    @staticmethod
    def register(registry: Destination, key: Hashable, value: Term = None) -> Pid:
        """Register the caller under `key`, with a copy of `value`. Returns the registry's Pid (Elixir: register/3).

        Raises AlreadyRegisteredError when the key is unique and taken, also by the caller itself.
        """
        caller = current_process("register")
        _server(registry)._enter_process(registry, _hashable(key), caller.pid, value)
        return _pid(registry)

    @staticmethod
    def unregister(registry: Destination, key: Hashable) -> None:
        """Remove the caller's registrations under `key`, if there are any (Elixir: Registry.unregister/2)."""
        _remove(registry, key, None)

    @staticmethod
    def unregister_match(registry: Destination, key: Hashable, pattern: Term, guard: Guard | None = None) -> None:
        """Take those of the caller's registrations under `key` out whose value `match` would find."""
        pid, matches = current_process("unregister_match").pid, _matching(pattern, guard)
        entries = _server(registry).table.entries(_hashable(key))
        _remove(registry, key, [entry for entry in entries if entry.pid == pid and matches(entry.value)])

    @staticmethod
    def update_value(registry: Destination, key: Hashable, fn: Callable[[Term], Term]) -> tuple[Term, Term]:
        """Replace the value of the caller's unique `key` by ``fn(value)``. Returns the new value and the old one.

        Raises NoProcessError when the caller does not hold the key, ValueError for a registry of duplicate keys.
        """
        caller = current_process("update_value")
        if not callable(fn):
            raise TypeError(f"update_value() takes a function of the value, not {render(fn)}")
        server = _server(registry)
        if not server.unique:
            raise ValueError(f"update_value() needs unique keys; the registry {render(registry)} has duplicate ones")
        for entry in server.table.entries(_hashable(key)):
            if entry.pid == caller.pid:
                old = isolate(entry.value)  # before it is replaced: a copy may fail
                new = fn(isolate(entry.value))
                current_process("update_value")  # raises when `fn` took so long that the caller is dead by now
                server.table.replace(key, entry.pid, isolate(new))
                return new, old
        raise NoProcessError(key, f"the caller does not hold the key {render(key)} in the registry {render(registry)}")

    # -- Reading ---------------------------------------------------------------------------------------------------

    @staticmethod
    def lookup(registry: Destination, key: Hashable) -> list[Entry]:
        """Return ``(pid, value)`` of each process registered under `key`, oldest first (Elixir: Registry.lookup/2)."""
        server = _server(registry)
        entries = server.table.entries(_hashable(key))
        if server.unique:  # a holder that is dead no longer counts, though the registry has not learned of it yet
            entries = [entry for entry in entries if entry.pid.process is not None]
        return [Entry(entry.pid, isolate(entry.value)) for entry in entries]

    @staticmethod
    def match(registry: Destination, key: Hashable, pattern: Term = ANY, guard: Guard | None = None) -> list[Entry]:
        """Return what `lookup` does, for the values that match `pattern` (as in `receive`) and ``guard(value)``.

        A guard that raises does not match (Elixir: Registry.match/4).
        """
        matches = _matching(pattern, guard)
        return [entry for entry in Registry.lookup(registry, key) if matches(entry.value)]

    @staticmethod
    def count_match(registry: Destination, key: Hashable, pattern: Term = ANY, guard: Guard | None = None) -> int:
        """Return how many entries `match` would return (Elixir: Registry.count_match/4)."""
        return len(Registry.match(registry, key, pattern, guard))

    @staticmethod
    def keys(registry: Destination, pid: Pid) -> list[Hashable]:
        """Return the keys `pid` is registered under; one of a duplicate registry as often as it is registered."""
        return _server(registry).table.keys(_checked(pid, "keys"))

    @staticmethod
    def values(registry: Destination, key: Hashable, pid: Pid) -> list[Term]:
        """Return the values `pid` has registered under `key` (Elixir: Registry.values/3)."""
        entries, pid = _server(registry).table.entries(_hashable(key)), _checked(pid, "values")
        return [isolate(entry.value) for entry in entries if entry.pid == pid]

    @staticmethod
    def count(registry: Destination) -> int:
        """Return how many registrations there are (Elixir: Registry.count/1)."""
        return len(_server(registry).table)

    @staticmethod
    def select(
        registry: Destination, pattern: Term = ANY, guard: Guard | None = None
    ) -> list[tuple[Hashable, Pid, Term]]:
        """Return the registrations ``(key, pid, value)`` that match `pattern` and ``guard(key, pid, value)``.

        ``select("rooms", (ANY, ANY, int), lambda key, pid, size: size > 10)``. The pattern is as in `receive`; a guard
        that raises does not match (Elixir: Registry.select/2).
        """
        matches = _matching(pattern, guard, spread=True)
        rows = [(key, entry.pid, isolate(entry.value)) for key, entry in _server(registry).table]
        return [row for row in rows if matches(row)]

    @staticmethod
    def count_select(registry: Destination, pattern: Term = ANY, guard: Guard | None = None) -> int:
        """Return how many registrations `select` would return (Elixir: Registry.count_select/2)."""
        return len(Registry.select(registry, pattern, guard))

    @staticmethod
    def dispatch(
        registry: Destination, key: Hashable, fn: Callable[[list[Entry]], Term], parallel: bool = False
    ) -> None:
        """Call ``fn(entries)`` in the caller with what `lookup` returns, unless that is empty.

        `parallel` changes nothing: it is for the partitions of a registry in Elixir, and here there is one.
        """
        if not callable(fn):
            raise TypeError(f"dispatch() calls a function, not {render(fn)}")
        entries = Registry.lookup(registry, key)
        if entries:
            fn(entries)

    @staticmethod
    def meta(registry: Destination, key: Hashable, default: Term = None) -> Term:
        """Return a value that `put_meta` has stored with the registry itself (Elixir: Registry.meta/2)."""
        return isolate(_server(registry).metadata.get(_hashable(key), default))

    @staticmethod
    def put_meta(registry: Destination, key: Hashable, value: Term) -> None:
        """Store a value with the registry itself (Elixir: Registry.put_meta/3)."""
        living_caller()
        _server(registry).metadata[_hashable(key)] = isolate(value)

    @staticmethod
    def delete_meta(registry: Destination, key: Hashable) -> None:
        """Delete a value that `put_meta` has stored, if there is one (Elixir: delete_meta/2)."""
        living_caller()
        _server(registry).metadata.pop(_hashable(key), None)

    @staticmethod
    def lock(registry: Destination, key: Hashable, fn: Callable[[], Result]) -> Result:
        """Call ``fn()`` in the caller, and return what it returns, while no other process holds the lock `key`.

        Locks have nothing to do with the keys of processes. The others wait their turn; a holder that dies gives way.
        Raises ValueError when the caller holds the lock already, and NotInProcessError outside a process (Elixir 1.18:
        Registry.lock/3).
        """
        current_process("lock")
        if not callable(fn):
            raise TypeError(f"lock() calls a function, not {render(fn)}")
        server, lock = _pid(registry), RegistryLock(_hashable(key))
        _server(registry).locks.setdefault(key, [])  # a key that cannot be compared raises here, not in the registry
        ensure_headroom()
        try:
            if not call(server, lock, timeout=None):
                raise ValueError(f"the caller holds the lock {render(key)} already; it would wait for itself")
            result = fn()
        finally:  # also when the wait was cut short: it must not be granted to a caller that has gone on
            try:
                cast(server, lock)
            except BaseException:
                cast(server, lock)
                raise
        return result

    def handle_cast(self, message: Term) -> Term:
        """Take a lock back."""
        if type(message) is RegistryLock:
            self._unlock(message.key, lambda waits: waits[2] is message)
            return None
        return super().handle_cast(message)

    def _unlock(self, key: Hashable, is_over: Callable[[tuple[From, Ref, RegistryLock]], bool]) -> None:
        """Take one out of those that hold or want a lock, and give it to the next."""
        waiting = self.locks.get(key, [])
        at = next((at for at, waits in enumerate(waiting) if is_over(waits)), None)
        if at is not None:
            demonitor(waiting.pop(at)[1], flush=True)
            if at == 0 and waiting:
                reply(waiting[0][0], True)
        if not waiting:
            self.locks.pop(key, None)

    # -- What the runtime asks for a ("via", registry, key) -------------------------------------------------------

    def whereis_name(self, key: Hashable) -> Pid | None:
        """Return the living process that holds a unique key, or None."""
        if not self.unique:
            raise ValueError("only a registry with unique keys gives names; this one has duplicate keys")
        for entry in self.table.entries(_hashable(key)):
            if entry.pid.process is not None:
                return entry.pid
        return None

    def register_name(self, registry: Destination, key: Hashable, pid: Pid, value: Term = None) -> None:
        """Register `pid` under a name. Raises AlreadyRegisteredError, and ValueError where keys are no names."""
        self.whereis_name(key)
        self._enter_process(registry, key, pid, value)

    def unregister_name(self, registry: Destination, key: Hashable) -> None:
        """Take the name away from the caller, whose start has failed."""
        _remove(registry, key, None)

    def _enter_process(self, registry: Destination, key: Hashable, pid: Pid, value: Term = None) -> None:
        """Register `pid` and link it with the registry. Raises AlreadyRegisteredError.

        A process that is dead is not registered: the registry would keep the entry for good.
        """
        process, own = pid.process, _pid(registry).process
        if process is None or own is None:
            return
        if self.unique:
            holder = self.whereis_name(key)
            if holder is not None:
                raise AlreadyRegisteredError(key, holder)
            for dead in self.table.entries(key):
                self.table.remove(key, dead.pid)
        entry, before = Entry(pid, isolate(value)), self.table.count(key)
        ensure_headroom()
        try:
            link_processes(process, own)
            self.table.add(key, entry)
        except BaseException:
            if self.table.count(key) == before:
                self.table.remove(key, pid, [])
                if not self.table.knows(pid):
                    unlink_processes(process, own)
            raise
        self.tell("register", registry, key, pid, value)

    def tell(self, *event: Term) -> None:
        """Send an event to the listeners that are there."""
        for listener in self.listeners:
            if whereis(listener) is not None:
                send(listener, event)


def _matching(pattern: Term, guard: Guard | None, spread: bool = False) -> Callable[[Term], bool]:
    """Return what says whether a value matches a pattern and a guard, which takes a tuple's items with `spread`."""
    matches = compile_pattern(pattern)
    if guard is not None and not callable(guard):
        raise TypeError(f"a guard is a function, not {render(guard)}")

    def accepts(value: Term) -> bool:
        if not matches(value):
            return False
        try:
            return guard is None or bool(guard(*value) if spread else guard(value))
        except Exception:
            return False

    return accepts


def _pid(registry: Destination) -> Pid:
    pid = registry if isinstance(registry, Pid) else whereis(registry)
    if pid is None or pid.process is None:
        raise NoProcessError(
            registry, f"there is no registry {render(registry)}; start one with Registry.start_link(name=...)"
        )
    return pid


def _server(registry: Destination) -> Registry:
    process = _pid(registry).process
    server = None if process is None else process.body
    if not isinstance(server, Registry):
        raise NoProcessError(registry, f"{render(registry)} is no registry")
    return server


def _remove(registry: Destination, key: Hashable, only: list[Entry] | None) -> None:
    process = current_process("unregister")
    pid = process.pid
    server, own = _server(registry), _pid(registry).process
    _hashable(key)
    ensure_headroom()
    before = server.table.count(key)
    try:
        server.table.remove(key, pid, only)
    except BaseException:
        server.table.remove(key, pid, only)
        raise
    finally:
        if own is not None and server.table.count(key) < before and not server.table.knows(pid):
            unlink_processes(process, own)
    if not any(entry.pid == pid for entry in server.table.entries(key)):  # also when there was none before
        server.tell("unregister", registry, key, pid)


def _hashable(key: Hashable) -> Hashable:
    try:
        hash(key)
    except TypeError:
        raise TypeError(
            f"a registry's key must be hashable, as a str, a number or a tuple is, not {render(key)}"
        ) from None
    return key


def _checked(pid: object, function: str) -> Pid:
    if not isinstance(pid, Pid):
        raise TypeError(f"{function}() takes a Pid, not {render(pid)}; whereis(name) finds one by name")
    return pid
