"""The language of filters: what an observer writes to see some processes only, made into a test.

What a field says of a process is not known here: a node reads its processes, an observer the rows of a recording.

A filter is a text, which is looked for in the name, pid, label and initial call; or a ``/regular expression/``, which
is looked for in the same; or conditions on fields: ``mailbox>100 and sup~pool and not state=waiting``. Conditions side
by side must all hold; ``or``, ``not`` and parentheses work as in Python. ``=`` compares whole texts without regard to
case, ``~`` looks for a part or a ``/regular expression/``. Numbers may end in ``k``, ``M`` or ``G`` (thousands,
millions, thousand millions) and times in ``s``, ``m``, ``h`` or ``d``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.introspection.reading.expression import MAX_TEXT, Expression, FilterError

MAX_LENGTH = 1_000
"""Longest filter, in characters."""

MAX_NESTING = 50
"""Deepest nesting of parentheses and ``not``."""

Test = Callable[[Any], bool]
"""A filter, ready to be asked about processes."""

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
"""Other names of fields: those that the columns and `process_info` have."""


@dataclass(frozen=True)
class Fields:
    """What can be asked of a process, and how it is read."""

    texts: Mapping[str, Callable[[Any], str]]
    numbers: Mapping[str, Callable[[Any], float]]
    """Times are in seconds."""
    search: Callable[[Callable[[str], bool], bool], Test]
    """Return the test for a text that stands alone, given what tells whether it is in another text.

    The second argument says whether it may be in a pid."""


_SCALES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""What a letter after a number multiplies it by."""

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


def parse(text: str, fields: Fields) -> Test | None:
    """Return the test that a filter stands for, None for an empty filter. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"the filter has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    if not text.strip():
        return None
    return _Parser(text, fields).parse()


class _Parser:
    """Reads the tokens of one filter from left to right, by one method for each level of the language."""

    def __init__(self, text: str, fields: Fields) -> None:
        self._fields = fields
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
        in_pid = token.kind == "regex" or set(_plain(token)) <= set("<.>0123456789")
        return self._fields.search(_contains(token), in_pid)

    def _comparison(self, field: Token) -> Test:
        name = ALIASES.get(field.text, field.text)
        operator = self._take().text
        value = self._peek()
        if value is None or value.kind in ("op", "paren", "wrong"):
            raise FilterError(f"a value is missing after {field.text}{operator}")
        self._take()
        texts, numbers = self._fields.texts, self._fields.numbers
        if name in numbers:
            return _compare_number(numbers[name], field.text, operator, value)
        if name in texts:
            return _compare_text(texts[name], field.text, operator, value)
        raise FilterError(f"there is no field {field.text!r}; there are {', '.join(sorted({*texts, *numbers}))}")


def _plain(token: Token) -> str:
    return token.text[1:-1] if token.kind == "quoted" else token.text


def _contains(token: Token) -> Callable[[str], bool]:
    """Return the test of whether a text contains what the token stands for."""
    if token.kind == "regex":
        return Expression(token.text[1:-1]).is_in
    part = _plain(token).casefold()
    return lambda text: part in text[:MAX_TEXT].casefold()


def _compare_number(read: Callable[[Any], float], field: str, operator: str, value: Token) -> Test:
    found = _NUMBER.fullmatch(_plain(value))
    if found is None:
        raise FilterError(f"{field} is a number; compare it with one, as in {field}>100, not with {value.text!r}")
    number = float(found[1]) * _SCALES[found[2] or ""]
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


def _compare_text(read: Callable[[Any], str], field: str, operator: str, value: Token) -> Test:
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
