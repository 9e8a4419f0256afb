"""The table of a registry: which process has registered under which key, with which value."""

from __future__ import annotations

from collections.abc import Hashable, ItemsView, Iterator
from typing import NamedTuple

from runtime.kernel.process import Pid
from runtime.terms.term import Term


class Entry(NamedTuple):
    """One registration: the process, and the value that goes with it."""

    pid: Pid
    value: Term


class RegistryTable:
    """Entries by key, in order of registration, and the keys of each process; the registry removes dead processes."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, list[Entry]] = {}
        self._keys: dict[Pid, dict[Hashable, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def __iter__(self) -> Iterator[tuple[Hashable, Entry]]:
        return ((key, entry) for key, entries in [*self.items()] for entry in entries)

    def items(self) -> ItemsView[Hashable, list[Entry]]:
        """Return a view of the keys with their entries; it changes with the table."""
        return self._entries.items()

    def entries(self, key: Hashable) -> list[Entry]:
        """Return the entries of a key, oldest first."""
        return [*self._entries.get(key, ())]

    def count(self, key: Hashable) -> int:
        """Return how many entries a key has."""
        return len(self._entries.get(key, ()))

    def keys(self, pid: Pid) -> list[Hashable]:
        """Return the keys a process has registered under, once for each registration."""
        return [key for key in self._keys.get(pid, ()) for entry in self._entries.get(key, ()) if entry.pid == pid]

    def add(self, key: Hashable, entry: Entry) -> None:
        """Put an entry in."""
        self._keys.setdefault(entry.pid, {})[key] = None
        self._entries.setdefault(key, []).append(entry)

    def replace(self, key: Hashable, pid: Pid, value: Term) -> None:
        """Change the value of a process's entry."""
        self._entries[key] = [Entry(pid, value) if entry.pid == pid else entry for entry in self._entries[key]]

    def remove(self, key: Hashable, pid: Pid, only: list[Entry] | None = None) -> bool:
        """Remove a process's entries under a key, or `only` some of them. Returns whether there were any.

        It also clears up what an exception has left of an entry.
        """
        before = self._entries.get(key, [])
        after = [entry for entry in before if entry.pid != pid or (only is not None and entry not in only)]
        if after:
            self._entries[key] = after
        else:
            self._entries.pop(key, None)
        keys = self._keys.get(pid)
        if keys is not None and not any(entry.pid == pid for entry in after):
            keys.pop(key, None)
            if not keys:
                del self._keys[pid]
        return len(after) != len(before)

    def remove_process(self, pid: Pid) -> None:
        """Remove all entries of a process."""
        for key in [*self._keys.pop(pid, ())]:
            try:
                is_found = self.remove(key, pid)
            except Exception:  # the `__hash__` or the `__eq__` of a key
                is_found = False
            if not is_found:  # the key has changed since it was registered
                for entries in [*self._entries.values()]:
                    entries[:] = [entry for entry in entries if entry.pid != pid]
                self._drop_empty()

    def _drop_empty(self) -> None:
        """Take the keys without entries out that are not found any more, unless the other keys stand in the way."""
        kept: dict[Hashable, list[Entry]] = {}
        for key, entries in [*self._entries.items()]:
            try:
                if entries and kept.setdefault(key, entries) is not entries:
                    return  # two keys have become the same, and each keeps its own entries
            except Exception:  # as above
                return
        self._entries = kept

    def knows(self, pid: Pid) -> bool:
        """Return whether a process has any entry."""
        return pid in self._keys
