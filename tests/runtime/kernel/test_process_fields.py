"""What `Node.spawn` stores in a new process is what the fields of `Process` declare."""

from __future__ import annotations

import gc
import sys
from dataclasses import MISSING, fields

from runtime import exit, receive, run, self_, sleep, spawn
from runtime.kernel.body import PlainBody
from runtime.kernel.node import this_node
from runtime.kernel.process import RUNNABLE, Pid, Process


def test_spawn_sets_every_field_to_its_default() -> None:
    def main() -> tuple[Pid, Process, dict[str, object]]:
        parent = self_().process
        process = this_node().spawn(parent, PlainBody(int, (), {}))
        return self_(), process, {f.name: getattr(process, f.name) for f in fields(Process)}

    pid, process, found = run(main)
    expected = {f.name: f.default for f in fields(Process) if f.default is not MISSING}
    assert {name: found[name] for name in expected} == {**expected, "state": RUNNABLE}
    assert found["parent"] == pid
    assert found["node"] is process.node
    assert isinstance(found["started_at"], float)


def test_the_end_of_a_process_leaves_no_cycle_through_its_pid() -> None:
    def main() -> int:
        process = made()
        exit(process.pid, "kill")
        sleep(0)
        return sys.getrefcount(process)

    gc.disable()
    try:
        assert run(main) == 2  # the variable, and the argument
    finally:
        gc.enable()


def made() -> Process:
    process = spawn(receive).process
    assert process is not None
    return process
