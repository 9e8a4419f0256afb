"""Processes that a test starts and that are stopped before the next one."""

from __future__ import annotations

from contextlib import suppress

from runtime import (
    NotInProcessError,
    Pid,
    StartError,
    Supervisor,
    SupervisorError,
    alive,
    delete_child,
    start_child,
    stop,
    terminate_child,
)

RESTARTS = 1_000_000
"""Restarts within a second that the test's supervisor allows: a test is never ended by its own supervisor."""

_supervisor: Pid | None = None


def begin() -> None:
    """Start the supervisor of the test that begins."""
    global _supervisor
    _supervisor = Supervisor.start_link([], max_restarts=RESTARTS, max_seconds=1.0)


def end() -> None:
    """Stop the supervisor and its children, the newest first."""
    global _supervisor
    supervisor, _supervisor = _supervisor, None
    if supervisor is not None and alive(supervisor):
        stop(supervisor, "shutdown")


def start_supervised(spec: object) -> Pid:
    """Start a child under the test's supervisor and return its pid (ExUnit: start_supervised!).

    `spec` is what a supervisor takes: a class, ``(class, argument)`` or a ChildSpec. Children are restarted as their
    spec says, and stopped in the reverse order of their start before the next test begins. Raises StartError when the
    child does not start, and NotInProcessError outside a test that runs in a node.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    pid = start_child(_of_this_test(), spec)
    if not isinstance(pid, Pid):
        raise StartError(pid)
    return pid


def stop_supervised(id: object) -> None:
    """Stop the child with that id in an orderly way (ExUnit: stop_supervised!).

    Raises SupervisorError ``"not_found"`` when the test has no such child.
    """
    __tracebackhide__ = True  # a failure is shown at the line of the test
    supervisor = _of_this_test()
    terminate_child(supervisor, id)
    with suppress(SupervisorError):  # a temporary child's spec went with it
        delete_child(supervisor, id)


def _of_this_test() -> Pid:
    if _supervisor is None:
        raise NotInProcessError("start_supervised() works inside a test that runs in a node; mark it @pytest.mark.node")
    return _supervisor
