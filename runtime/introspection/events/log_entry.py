"""An event as the log keeps it: cheap to write, and made into an `Event` of the wire when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.introspection import wire
from runtime.introspection.reading.stack import frames_of
from runtime.introspection.reading.tree_path import display_name, initial_call, path_of
from runtime.kernel.process import Pid


@dataclass(frozen=True)
class GaveUp:
    """That a supervisor gave up: which and when (by the node's clock), at which place, and what it was allowed."""

    at: float
    pid: Pid
    key: str
    name: str
    allowed: int
    seconds: float


class LogEntry:
    """One entry of the log. `fields` are those of `wire.Event`, but `stacktrace` holds `StackFrame` without source."""

    __slots__ = ("cause", "fields", "id", "kind", "pid", "time")

    def __init__(
        self, id: int, time: float, kind: str, pid: Pid | None, cause: int | None, fields: dict[str, Any]
    ) -> None:
        self.id = id
        self.time = time
        self.kind = kind
        self.pid = pid
        self.cause = cause
        self.fields = fields

    def is_about(self, pid: str | None, key: str | None) -> bool:
        """Return whether it is about that process, and about that place of the tree (None stands for any)."""
        if pid is not None and str(self.pid) != pid and self.fields.get("old_pid") != pid:
            return False
        return key is None or self.fields.get("key") == key

    def event(self) -> wire.Event:
        """Return the event as the wire has it, with the lines of source in its stack."""
        fields = self.fields
        stack = fields.get("stacktrace")
        if stack is not None:
            fields = {**fields, "stacktrace": frames_of(stack)}
        if self.kind == "spawn":
            fields = self._of_spawn()
        pid = None if self.pid is None else str(self.pid)
        return wire.Event(id=self.id, time=self.time, kind=self.kind, pid=pid, cause=self.cause, **fields)  # type: ignore[arg-type]

    def _of_spawn(self) -> dict[str, Any]:
        """Return who was spawned. The name is set after the spawn, so it is read from the process, while that lives."""
        process = None if self.pid is None else self.pid.process
        if process is None:
            return self.fields
        told = f"started with {initial_call(process)}"
        return {"name": display_name(process), "key": path_of(process), "message": told}
