"""What supervisors answer, and what they are answered, in OTP's terms: towards BEAM nodes, and back.

A supervisor here answers with `ChildInfo`, `ChildSpec` and classes, which Erlang has no terms for. An id or an argument
that has none either goes out as its text, and an answer that does not travel all the same as an error: no question may
end a supervisor, and its tree with it.
"""

from __future__ import annotations

import math
from types import MethodType

from runtime.kernel.process import Pid
from runtime.otp.calls import From
from runtime.otp.child_spec import ChildSpec, Shutdown
from runtime.otp.plain_terms import plain
from runtime.supervision.child import ChildInfo
from runtime.terms.atom import Atom
from runtime.terms.static_lookup import where_defined
from runtime.terms.tag import tagged
from runtime.terms.term import Term
from runtime.terms.text import render

OK, ERROR, UNDEFINED = Atom("ok"), Atom("error"), Atom("undefined")

WITHOUT_VALUE = ("terminate_child", "delete_child")
"""The requests that OTP answers with ``ok`` alone."""

REFUSED = ("not_found", "running", "restarting", "simple_one_for_one")
"""Why OTP refuses a request. Any other error is a start that has failed."""


def answer_elsewhere(request: Term, answer: Term, caller: From) -> None:
    """Answer a caller on another node."""
    try:
        caller.settle(_as_it_travels(request, answer, caller))
    except Exception as error:  # of what the program has put into a spec
        caller.settle((ERROR, render(error)))


def _as_it_travels(request: Term, answer: Term, caller: From) -> Term:
    if caller.needs_terms:
        return to_otp(tagged(request)[0], answer)
    if type(answer) is list:  # the other node need not have the classes
        answer = [info._replace(modules=_modules(info.modules)) for info in answer]
    return answer if caller.takes(answer) else _as_text(answer, caller)


def _as_text(answer: Term, caller: From) -> Term:
    """Return an answer with text for what cannot be sent: an id with a lock in it, or a function."""

    def sent(value: Term) -> Term:
        if caller.takes(value):
            return value
        if type(value) is tuple:
            return tuple(map(sent, value))
        return render(value).encode("ascii", "backslashreplace").decode()

    if type(answer) is list:
        return [info._replace(id=sent(info.id)) if type(info) is ChildInfo else sent(info) for info in answer]
    return tuple(sent(_spec(part) if isinstance(part, ChildSpec) else part) for part in answer)


def to_otp(request: str, answer: Term) -> Term:
    """Return what OTP's supervisor would answer."""
    if type(answer) is list:
        return [_line(info) for info in answer]
    if type(answer) is dict:
        return [(Atom(kind), number) for kind, number in answer.items()]
    outcome, value = answer
    if outcome != "ok":
        return ERROR, _reason(value)
    if request in WITHOUT_VALUE:
        return OK
    if isinstance(value, ChildSpec):
        return OK, _spec(value)
    if type(value) is tuple:
        return OK, value[0], plain(value[1])
    return OK, UNDEFINED if value is None else value


def lines_of(answer: Term) -> list[ChildInfo]:
    """Return the lines of `which_children`, of a supervisor here or of OTP's."""
    return [info if type(info) is ChildInfo else _info(*info) for info in answer]


def counts_of(answer: Term) -> dict[str, int]:
    """Return the counts of `count_children`, of a supervisor here or of OTP's."""
    return {str(kind): number for kind, number in dict(answer).items()}


def outcome_of(request: str, answer: Term) -> tuple[str, Term]:
    """Return ``"ok"``, ``"refused"`` or ``"failed"`` with a value, of what a supervisor here or OTP's has answered."""
    if type(answer) is Atom:
        return str(answer), None
    outcome, *values = answer
    if type(outcome) is str:
        return outcome, values[0]
    if outcome == ERROR:
        is_refusal = request != "start_child" and values[0] in REFUSED
        return "refused" if is_refusal else "failed", values[0]
    if len(values) == 2:
        return "ok", (values[0], values[1])
    return "ok", None if values[0] == UNDEFINED else values[0]


def _line(info: ChildInfo) -> tuple[Term, ...]:
    pid = info.pid if isinstance(info.pid, Pid) else Atom(info.pid or UNDEFINED)
    return UNDEFINED if info.id is None else plain(info.id), pid, Atom(info.type), _modules(info.modules)


def _info(id: Term, pid: Term, type: Term, modules: Term) -> ChildInfo:
    is_nothing = id == UNDEFINED, pid == UNDEFINED
    return ChildInfo(None if is_nothing[0] else id, None if is_nothing[1] else pid, str(type), modules)


def _spec(spec: ChildSpec) -> dict[Term, Term]:
    function, *arguments = spec.start
    values = {
        "id": plain(spec.id),
        "start": (*_function(function), [plain(argument) for argument in arguments]),
        "restart": Atom(spec.restart),
        "shutdown": _milliseconds(spec.shutdown),
        "type": Atom(spec.type),
        "modules": _modules(spec.modules),
        "significant": spec.significant,
    }
    return {Atom(key): value for key, value in values.items()}


def _function(function: Term) -> tuple[Atom, Atom]:
    """Return a function's module and its name in there, as ``Worker.start_link``."""
    module, name = where_defined(function)
    if type(function) is MethodType and issubclass(type(function.__self__), type):
        # the class that a class method was taken from need not be the one that defines it
        module, owner = where_defined(function.__self__)
        name = f"{owner}.{str(name).rpartition('.')[2]}"
    return _name(module), _name(render(function) if name is None else name)


def _milliseconds(shutdown: Shutdown) -> Term:
    if isinstance(shutdown, float | int) and math.isfinite(shutdown):
        return round(1_000 * shutdown)
    return Atom(shutdown) if isinstance(shutdown, str) else Atom("infinity")


def _modules(modules: Term) -> Term:
    if isinstance(modules, str):
        return Atom(modules)
    return [_name(".".join(map(str, where_defined(each))) if type(each) is type else each) for each in modules]


def _name(value: Term) -> Atom:
    return Atom((value if isinstance(value, str) else render(value))[:255])


def _reason(reason: Term) -> Term:
    """Return why a request was not met: a word, or a tuple that begins with one, is an atom there."""
    if type(reason) is str:
        return Atom(reason[:255])
    if type(reason) is tuple and reason and type(reason[0]) is str:
        return (Atom(reason[0][:255]), *map(plain, reason[1:]))
    return plain(reason)
