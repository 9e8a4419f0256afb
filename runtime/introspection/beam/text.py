"""Terms of Erlang as text, in Erlang's own way of writing, cut to a length."""

from __future__ import annotations

import re

from runtime.distribution.parts import ImproperList, Opaque
from runtime.kernel.process import Pid
from runtime.terms.atom import Atom
from runtime.terms.ref import Ref
from runtime.terms.term import Term

LONGEST = 20_000
"""Characters of a text."""

DEEPEST = 12
"""How deep a term is followed."""

SHOWN_BYTES = 200
"""Bytes of a binary that is no text which are shown."""

_PLAIN_ATOM = re.compile(r"[a-z][A-Za-z0-9_@]*")


def text_of(term: Term, longest: int = LONGEST) -> str:
    """Return a term as Erlang would write it, with ``...`` where it is cut."""
    parts: list[str] = []
    left = _write(term, parts, longest, 0)
    return "".join(parts) + ("..." if left < 0 else "")


def _write(term: Term, parts: list[str], left: int, depth: int) -> int:
    """Append the text of a term; return how many characters are left, a negative number when it was cut."""
    if left < 0:
        return left
    match term:
        case bool() | None | Atom():
            return _append(
                atom_text("nil" if term is None else str(term).lower() if type(term) is bool else term), parts, left
            )
        case int() | float():
            return _append(repr(term), parts, left)
        case str():
            return _append('<<"' + term[:LONGEST].replace("\\", "\\\\").replace('"', '\\"') + '">>', parts, left)
        case bytes():
            return _append(
                "<<" + ",".join(map(str, term[:200])) + (",..." if len(term) > 200 else "") + ">>", parts, left
            )
        case ImproperList(items, tail):
            left = _items([*items], parts, left, depth, "[", "")
            left = _append("|", parts, left)
            return _append("]", parts, _write(tail, parts, left, depth + 1))
        case tuple():
            return _items([*term], parts, left, depth, "{", "}")
        case list():
            if (
                term
                and len(term) <= LONGEST
                and all(type(each) is int and (32 <= each < 127 or each == 10) for each in term)
            ):
                return _append('"' + bytes(term).decode() + '"', parts, left)
            return _items(term, parts, left, depth, "[", "]")
        case dict():
            return _map(term, parts, left, depth)
        case Pid() | Ref():
            return _append(pid_text(term) if isinstance(term, Pid) else str(term), parts, left)
        case Opaque(kind=kind):
            return _append(f"#<{kind}>", parts, left)
    return _append(str(term), parts, left)


def _atom(value: bool | Atom) -> str:
    return str(value).lower() if type(value) is bool else atom_text(str(value))


def _append(text: str, parts: list[str], left: int) -> int:
    if left < 0:
        return left
    parts.append(text[:left] if len(text) > left else text)
    return left - len(text)


def _items(items: list[Term], parts: list[str], left: int, depth: int, opens: str, closes: str) -> int:
    if depth > DEEPEST:
        return _append(f"{opens}...{closes}", parts, left)
    left = _append(opens, parts, left)
    for number, item in enumerate(items):
        if left < 0:
            return left
        if number:
            left = _append(",", parts, left)
        left = _write(item, parts, left, depth + 1)
    return _append(closes, parts, left)


def _map(term: dict[Term, Term], parts: list[str], left: int, depth: int) -> int:
    if depth > DEEPEST:
        return _append("#{...}", parts, left)
    left = _append("#{", parts, left)
    for number, (key, value) in enumerate(term.items()):
        if left < 0:
            return left
        left = _write(key, parts, _append(", " if number else "", parts, left), depth + 1)
        left = _write(value, parts, _append(" => ", parts, left), depth + 1)
    return _append("}", parts, left)


def atom_text(atom: str) -> str:
    """Return an atom as it is read by a person: Elixir's modules without their prefix."""
    if atom.startswith("Elixir."):
        return atom.removeprefix("Elixir.")
    return str(atom) if _PLAIN_ATOM.fullmatch(atom) else "'" + atom.replace("'", "\\'") + "'"


def call_text(call: Term) -> str:
    """Return ``module:function/arity`` as text, an empty text for anything else."""
    match call:
        case (str(module), str(function), int(arity)):
            return f"{atom_text(module)}:{atom_text(function).strip(chr(39))}/{arity}"
    return ""


def pid_text(pid: Pid) -> str:
    """Return a pid as its own node prints it."""
    process = pid.process
    there = getattr(process, "pid_there", None)
    return str(pid) if there is None else str(there)
