"""What can be asked of a supervisor, from any process.

`supervisor` is its Pid or name. Requests wait as long as they must, because a supervisor starts and stops children
while it serves them. All raise CallError when there is no such process or it ends meanwhile. See OTP's supervisor(3)
and Elixir's DynamicSupervisor.
"""

from __future__ import annotations

from typing import Any

from runtime.otp.child_spec import ChildSpec, child_spec
from runtime.otp.gen_server import call
from runtime.supervision.child import ChildInfo
from runtime.terms.errors import StartError, SupervisorError


def which_children(supervisor: Any) -> list[ChildInfo]:
    """Give a ChildInfo for each child, the one started last first; a dynamic supervisor's in start order."""
    children: list[ChildInfo] = call(supervisor, "which_children", timeout=None)
    return children


def count_children(supervisor: Any) -> dict[str, int]:
    """Give ``{"specs": , "active": , "supervisors": , "workers": }``; active ones are running."""
    counts: dict[str, int] = call(supervisor, "count_children", timeout=None)
    return counts


def start_child(supervisor: Any, child: Any) -> Any:
    """Start one more child and give its Pid, ``(Pid, extra)`` when its start function gave that, None when it ignored.

    `child` is what `child_spec` takes; for a simple_one_for_one supervisor it is a list of arguments. Raises SpecError
    for a wrong spec and StartError: ``"already_present"``, ``("already_started", pid)``, ``"max_children"``, or why the
    start failed; then the spec is not kept.
    """
    return _request(supervisor, "start_child", child if isinstance(child, list) else child_spec(child))


def terminate_child(supervisor: Any, child: Any) -> None:
    """Stop a child for good: by id, or for a dynamic supervisor by Pid. It is not restarted; its spec stays.

    Raises SupervisorError ``"not_found"``. One that is not running counts as stopped.
    """
    _request(supervisor, "terminate_child", _hashable(child))


def restart_child(supervisor: Any, id: Any) -> Any:
    """Start a child that is not running, in its place; gives what `start_child` gives.

    Raises SupervisorError ``"not_found"``, ``"running"`` or ``"restarting"``, and StartError when the start failed.
    """
    return _request(supervisor, "restart_child", _hashable(id))


def delete_child(supervisor: Any, id: Any) -> None:
    """Forget a child that is not running. Raises SupervisorError ``"not_found"``, ``"running"``, ``"restarting"``."""
    _request(supervisor, "delete_child", _hashable(id))


def get_childspec(supervisor: Any, child: Any) -> ChildSpec:
    """Give the ChildSpec of a child: by id, or for a dynamic supervisor by Pid.

    Raises SupervisorError ``"not_found"``.
    """
    spec: ChildSpec = _request(supervisor, "get_childspec", _hashable(child))
    return spec


def _hashable(id: Any) -> Any:
    hash(id)  # a TypeError for the caller, not for the supervisor
    return id


def _request(supervisor: Any, request: str, argument: Any) -> Any:
    outcome, value = call(supervisor, (request, argument), timeout=None)
    if outcome == "refused":
        raise SupervisorError(value)
    if outcome == "failed":
        raise StartError(value)
    return value
