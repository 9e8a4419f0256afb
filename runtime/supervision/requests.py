"""What can be asked of a supervisor, from any process.

`supervisor` is its Pid or name. Requests wait as long as they must, because a supervisor starts and stops children
while it serves them. All raise CallError when there is no such process or it ends meanwhile. The supervisor may run on
another node, Erlang's and Elixir's too: the requests are OTP's. See OTP's supervisor(3) and Elixir's DynamicSupervisor.
"""

from __future__ import annotations

from runtime.otp.callbacks import Callbacks
from runtime.otp.calls import SYSTEM, call, request
from runtime.otp.child_spec import ChildSpec, child_spec
from runtime.supervision.child import ChildInfo
from runtime.supervision.otp_terms import counts_of, lines_of, outcome_of
from runtime.terms.atom import Atom
from runtime.terms.errors import StartError, SupervisorError
from runtime.terms.reason import is_atom
from runtime.terms.term import Term
from runtime.terms.text import reason_text, render


def which_children(supervisor: Term) -> list[ChildInfo]:
    """Return a ChildInfo for each child, the last one first (OTP: supervisor:which_children/1).

    Those of a dynamic supervisor stand in start order.
    """
    return lines_of(_ask(supervisor, "which_children", list))


def count_children(supervisor: Term) -> dict[str, int]:
    """Return ``{"specs": , "active": , "supervisors": , "workers": }``; active ones run (OTP: count_children/1)."""
    return counts_of(_ask(supervisor, "count_children", dict, list))


def start_child(supervisor: Term, child: Term) -> Term:
    """Start one more child and return its Pid, or ``(Pid, extra)`` as its start returned it (OTP: start_child/2).

    Returns None when the child ignored its start. `child` is what `child_spec` takes; for a simple_one_for_one
    supervisor it is a list of arguments. Raises SpecError for a wrong spec and StartError: ``"already_present"``,
    ``("already_started", pid)``, ``"max_children"``, or why the start failed; then the spec is not kept.
    """
    return _request(supervisor, "start_child", child if isinstance(child, list) else child_spec(child))


def terminate_child(supervisor: Term, child: Term) -> None:
    """Stop a child for good: by id, or for a dynamic supervisor by Pid. It is not restarted; its spec stays.

    A child that is not running counts as stopped. Raises SupervisorError ``"not_found"``.
    """
    _request(supervisor, "terminate_child", _check_id(child))


def restart_child(supervisor: Term, id: Term) -> Term:
    """Start a child that is not running, in its place (OTP: restart_child/2); return what `start_child` returns.

    Raises SupervisorError ``"not_found"``, ``"running"`` or ``"restarting"``, and StartError when the start failed.
    """
    return _request(supervisor, "restart_child", _check_id(id))


def delete_child(supervisor: Term, id: Term) -> None:
    """Forget a child that is not running (OTP: supervisor:delete_child/2).

    Raises SupervisorError ``"not_found"``, ``"running"``, ``"restarting"``.
    """
    _request(supervisor, "delete_child", _check_id(id))


def get_childspec(supervisor: Term, child: Term) -> ChildSpec:
    """Return the ChildSpec of a child: by id, or for a dynamic supervisor by Pid (OTP: get_childspec/2).

    For a simple_one_for_one supervisor it is the template, by its id or by the Pid of a child. That of a temporary
    child that was started by request has lost its arguments. Raises SupervisorError ``"not_found"``.
    """
    spec: ChildSpec = _request(supervisor, "get_childspec", _check_id(child))
    return spec


def get_callback_module(supervisor: Term) -> type[Callbacks]:
    """Return the class of a supervisor or another server (OTP: supervisor:get_callback_module/1).

    Raises CallError when there is no such process, or it does not answer within 5 seconds.
    """
    module: type[Callbacks] = request(supervisor, SYSTEM, ("get_callback_module",), 5.0, "get_callback_module", "sys")
    return module


def _check_id(id: Term) -> Term:
    """Return `id`. Raises TypeError here, in the caller, for one that would crash the supervisor."""
    try:
        hash(id)
    except TypeError:
        raise TypeError(f"the id {render(id)} is unhashable; an id is a string, a number, a tuple, or a Pid") from None
    return id


def _refusal(supervisor: Term, what: str, argument: Term, reason: Term) -> str:
    """Say which request was refused, of which supervisor and about which child."""
    who, child = render(supervisor, 100), render(argument, 100)
    if is_atom(reason, "not_found"):
        return f"the supervisor {who} refused {what}(): not_found, it has no child {child}; which_children() lists them"
    return f"the supervisor {who} refused {what}() of the child {child}: {reason_text(reason)}"


def _ask(supervisor: Term, what: str, *kinds: type) -> Term:
    """Return the answer to a question. Raises SupervisorError for one that no supervisor gives."""
    answer = call(supervisor, Atom(what), timeout=None)
    if type(answer) not in kinds:
        raise SupervisorError(answer, f"{render(supervisor, 100)} has answered {what}() with {render(answer, 100)}")
    return answer


def _request(supervisor: Term, what: str, argument: Term) -> Term:
    outcome, value = outcome_of(what, call(supervisor, (Atom(what), argument), timeout=None))
    if outcome == "refused":
        raise SupervisorError(value, _refusal(supervisor, what, argument, value))
    if outcome == "failed":
        raise StartError(value)
    return value
