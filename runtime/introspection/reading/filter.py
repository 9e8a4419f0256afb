"""Filters: what the observer's filter line says, as a test of processes.

A filter is text (found anywhere in the name, pid, label or initial call), a ``/regular expression/``, or conditions on
fields: ``mailbox>100 and sup~pool and not state=waiting``. Conditions side by side must all hold; ``or``, ``not`` and
parentheses work as in Python. ``=`` compares whole texts without regard to case, ``~`` looks for a part or a
``/regular expression/``; numbers may carry ``k``, ``M``, ``G`` (thousands) and ages ``s``, ``m``, ``h``, ``d``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from runtime.introspection.reading.rows import queue_length
from runtime.introspection.reading.tree_path import (
    ChildFinder,
    Position,
    child_text,
    children_of,
    display_name,
    initial_call,
    is_dynamic,
    is_supervisor,
    join,
    name_of,
    path_of,
    text_of,
)
from runtime.kernel.info import status_of
from runtime.kernel.process import Process
from runtime.supervision.child import Child
from runtime.supervision.dynamic import DynamicChildren

MAX_LENGTH = 1_000
"""Longest filter, in characters."""

MAX_NESTING = 50
"""Deepest nesting of parentheses and ``not``."""


class Subject:
    """What a filter is asked about. `process` is None for a child that has none.

    Where it stands is found out only when a filter asks for it: most ask for less, of a great many processes.
    """

    __slots__ = ("_key", "_place", "process")

    def __init__(self, process: Process | None, place: Position | ChildFinder | None, key: str = "") -> None:
        self.process = process
        self._place = place
        self._key = key

    @property
    def supervisor(self) -> Process | None:
        """Who keeps it, None for a process under no supervisor."""
        place = self._place
        if isinstance(place, ChildFinder):
            return None if self.child is None else place.supervisor
        return None if place is None else place.supervisor

    @property
    def child(self) -> Child | None:
        """Its supervisor's record of it."""
        place = self._place
        if isinstance(place, ChildFinder):
            return None if self.process is None else place.child_of(self.process)
        return None if place is None else place.child

    @property
    def key(self) -> str:
        """Names its place, as a row does."""
        return self._key or ("" if self.process is None else path_of(self.process))


class ChildSubject(Subject):
    """A child whose record is at hand, running or not."""

    __slots__ = ("_child", "_parent_key", "_supervisor")

    def __init__(self, supervisor: Process, child: Child, parent_key: str) -> None:
        pid = child.pid
        self.process = None if pid is None else pid.process
        self._supervisor, self._child, self._parent_key = supervisor, child, parent_key

    @property
    def supervisor(self) -> Process:
        """Who keeps it."""
        return self._supervisor

    @property
    def child(self) -> Child:
        """Its supervisor's record of it."""
        return self._child

    @property
    def key(self) -> str:
        """Names its place."""
        return join(self._parent_key, self._child)


Test = Callable[[Subject], bool]


class FilterError(ValueError):
    """A filter cannot be understood; the message says what is wrong and what is allowed."""


# -- Fields -------------------------------------------------------------------------------------------------------


def _name(subject: Subject) -> str:
    process, child = subject.process, subject.child
    if process is not None:
        return display_name(process, child)
    return "" if child is None or is_dynamic(child) else child_text(child)


def _supervisor(subject: Subject) -> str:
    supervisor = subject.supervisor
    return "" if supervisor is None else f"{name_of(supervisor)} {supervisor.pid}"


def _status(subject: Subject) -> str:
    if subject.process is not None:
        return status_of(subject.process)
    child = subject.child
    return "stopped" if child is None or child.at is None else "restarting"


def _strategy(subject: Subject) -> str:
    kept = children_of(subject.process)
    return "" if kept is None else "dynamic" if isinstance(kept, DynamicChildren) else kept.strategy


def _text(read: Callable[[Process], Any]) -> Callable[[Subject], str]:
    def field(subject: Subject) -> str:
        value = None if subject.process is None else read(subject.process)
        return "" if value is None else text_of(value)

    return field


def _number(read: Callable[[Process], float | None]) -> Callable[[Subject], float]:
    def field(subject: Subject) -> float:
        return 0 if subject.process is None else read(subject.process) or 0

    return field


def _child_count(process: Process) -> int:
    kept = children_of(process)
    return 0 if kept is None else len(kept.children)


TEXTS: dict[str, Callable[[Subject], str]] = {
    "name": _name,
    "registered_name": _text(lambda process: process.name),
    "label": _text(lambda process: process.label),
    "pid": _text(lambda process: str(process.pid)),
    "state": _status,
    "sup": _supervisor,
    "child_id": lambda subject: "" if (child := subject.child) is None else child_text(child),
    "initial_call": _text(initial_call),
    "kind": _text(lambda process: "supervisor" if is_supervisor(process) else "worker"),
    "key": lambda subject: subject.key,
    "restart": lambda subject: "" if (child := subject.child) is None else child.spec.restart,
    "strategy": _strategy,
    "priority": _text(lambda process: process.priority),
}
"""Fields that are text."""

NUMBERS: dict[str, Callable[[Subject], float]] = {
    "mailbox": _number(queue_length),
    "memory": _number(lambda process: process.memory),
    "messages_in": _number(lambda process: process.messages_in),
    "messages_out": _number(lambda process: process.messages_out),
    "reductions": _number(lambda process: process.reductions),
    "cpu_time": _number(lambda process: process.cpu_time),
    "age": _number(lambda process: time.time() - process.started_at),
    "links": _number(lambda process: len(process.links)),
    "children": _number(_child_count),
    "restarts": lambda subject: 0 if (child := subject.child) is None else child.restarts,
}
"""Fields that are numbers; ages in seconds."""

ALIASES = {
    "status": "state",
    "supervisor": "sup",
    "message_queue_len": "mailbox",
    "child": "child_id",
    "call": "initial_call",
    "cpu": "cpu_time",
    "mem": "memory",
    "in": "messages_in",
    "out": "messages_out",
}

SCALES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

# -- Language -----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<regex>/(?:[^/\\]|\\.)*/)
      | (?P<quoted>"[^"]*"|'[^']*')
      | (?P<pid><\d+\.\d+\.\d+>)
      | (?P<op>!=|!~|>=|<=|==|[=~<>])
      | (?P<paren>[()])
      | (?P<word>[^\s()<>=!~"']+)
      | (?P<wrong>\S)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(k|K|M|G|s|m|h|d)?(?:i?B)?")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign of a filter."""

    kind: str
    text: str


def parse_filter(text: str) -> Test | None:
    """Make a test of a filter; None for an empty one, which everything passes. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"the filter has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if not text.strip():
        return None
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = [Token(m.lastgroup or "", m[m.lastgroup or 0]) for m in _TOKEN.finditer(text)]
        self._next = 0
        self._depth = 0

    def parse(self) -> Test:
        test = self._either()
        if self._peek() is not None:
            raise FilterError("there is a ')' too many in the filter")
        return test

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _is(self, kind: str, *texts: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == kind and token.text in texts

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _either(self) -> Test:
        tests = [self._all()]
        while self._is("word", "or"):
            self._take()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda subject: any(test(subject) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek() is not None and not self._is("paren", ")") and not self._is("word", "or"):
            if self._is("word", "and"):
                self._take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda subject: all(test(subject) for test in tests)

    def _one(self) -> Test:
        token = self._peek()
        if token is None:
            raise FilterError("the filter ends where a condition should follow")
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise FilterError(f"the filter is nested more than {MAX_NESTING} deep")
        try:
            return self._condition(self._take())
        finally:
            self._depth -= 1

    def _condition(self, token: Token) -> Test:
        if token.kind == "paren" and token.text == "(":
            inner = self._either()
            if not self._is("paren", ")"):
                raise FilterError("a ')' is missing in the filter")
            self._take()
            return inner
        if token.kind == "word" and token.text == "not":
            negated = self._one()
            return lambda subject: not negated(subject)
        if token.kind in ("paren", "op", "wrong") or (token.kind == "word" and token.text in ("and", "or")):
            raise FilterError(f"a condition cannot begin with {token.text!r}; write e.g. mailbox>100 or sup~pool")
        following = self._peek()
        if following is not None and following.kind == "op":
            return self._comparison(token)
        return _search(token)

    def _comparison(self, field: Token) -> Test:
        name = ALIASES.get(field.text, field.text)
        operator = self._take().text
        value = self._peek()
        if value is None or value.kind in ("op", "paren", "wrong"):
            raise FilterError(f"a value is missing after {field.text}{operator}")
        self._take()
        if name in NUMBERS:
            return _compare_number(NUMBERS[name], field.text, operator, value)
        if name in TEXTS:
            return _compare_text(TEXTS[name], field.text, operator, value)
        raise FilterError(f"there is no field {field.text!r}; there are {', '.join(sorted({**TEXTS, **NUMBERS}))}")


def _plain(token: Token) -> str:
    return token.text[1:-1] if token.kind == "quoted" else token.text


def _contains(token: Token) -> Callable[[str], bool]:
    if token.kind == "regex":
        try:
            pattern = re.compile(token.text[1:-1], re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            raise FilterError(f"{token.text} is not a regular expression: {error}") from None
        return lambda text: pattern.search(text) is not None
    part = _plain(token).casefold()
    return lambda text: part in text.casefold()


def _search(token: Token) -> Test:
    """Look for a text in the name, the pid, the label and the initial call, where it is found soonest first."""
    contains = _contains(token)
    in_call = lru_cache(1_000)(contains)  # there are few
    in_pid = token.kind == "regex" or set(_plain(token)) <= set("<.>0123456789")

    def test(subject: Subject) -> bool:
        process = subject.process
        if process is None:
            return contains(_name(subject)) or contains("")
        return (
            in_call(initial_call(process))
            or contains(_name(subject))
            or (process.label is not None and contains(process.label))
            or (in_pid and contains(str(process.pid)))
        )

    return test


def _compare_number(read: Callable[[Subject], float], field: str, operator: str, value: Token) -> Test:
    found = _NUMBER.fullmatch(_plain(value))
    if found is None:
        raise FilterError(f"{field} is a number; compare it with one, as in {field}>100, not with {value.text!r}")
    number = float(found[1]) * SCALES[found[2] or ""]
    match operator:
        case "=" | "==":
            return lambda subject: read(subject) == number
        case "!=":
            return lambda subject: read(subject) != number
        case ">":
            return lambda subject: read(subject) > number
        case ">=":
            return lambda subject: read(subject) >= number
        case "<":
            return lambda subject: read(subject) < number
        case "<=":
            return lambda subject: read(subject) <= number
    raise FilterError(f"{field} is a number; compare it with = != > >= < <=, not with {operator}")


def _compare_text(read: Callable[[Subject], str], field: str, operator: str, value: Token) -> Test:
    contains = _contains(value)
    whole = _plain(value).casefold()
    if value.kind == "regex" and operator in ("=", "==", "!="):
        operator = "~" if operator != "!=" else "!~"
    match operator:
        case "=" | "==":
            return lambda subject: read(subject).casefold() == whole or whole in read(subject).casefold().split()
        case "!=":
            return lambda subject: read(subject).casefold() != whole and whole not in read(subject).casefold().split()
        case "~":
            return lambda subject: contains(read(subject))
        case "!~":
            return lambda subject: not contains(read(subject))
    raise FilterError(f"{field} is text; compare it with = != ~ !~, not with {operator}")
