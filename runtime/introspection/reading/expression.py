"""The regular expressions that an observer may have searched for.

Python's own engine can need years for a short pattern, and keeps the interpreter all the while: one filter would stop
the whole node. RE2 needs time in proportion to the length of the text, whatever the pattern, and lets the other threads
run meanwhile. It has no backreferences and no looking ahead or behind, which are what makes the others run away.
"""

from __future__ import annotations

import time

import re2

MAX_TEXT = 1_000
"""Characters of one text that are searched; the rest of a longer one is left out."""

MAX_MEMORY = 1 << 18
"""Bytes that one pattern may take, compiled. Larger patterns take longer for every character of the text."""

LIMIT = 1.0
"""Seconds of processor time that a slow pattern may use in one search of a list."""

SLOW = 0.00005
"""A pattern is slow when it needs more than so many seconds for each text. Ordinary ones need a tenth of that."""

_OPTIONS = re2.Options()
_OPTIONS.case_sensitive = False
_OPTIONS.never_capture = True
_OPTIONS.log_errors = False
_OPTIONS.max_mem = MAX_MEMORY


class FilterError(ValueError):
    """A filter cannot be understood, or takes too long. The message says what is wrong and what is allowed."""


class Expression:
    """One pattern, searched for in many texts without regard to case."""

    __slots__ = ("_count", "_pattern", "_spent", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._count = 0
        self._spent = 0.0
        try:
            self._pattern = re2.compile(plain_utf8(text), _OPTIONS)
        except re2.error as error:
            raise FilterError(f"/{text}/ is not a regular expression: {_reason(error)}") from None

    def is_in(self, text: str) -> bool:
        """Return whether the pattern is found anywhere in `text`. Raises FilterError when it takes too long."""
        encoded = plain_utf8(text[:MAX_TEXT])
        begun = time.thread_time()
        found = self._pattern.search(encoded) is not None
        self._spent += time.thread_time() - begun
        self._count += 1
        if self._spent > LIMIT and self._spent > self._count * SLOW:
            raise FilterError(
                f"the search for /{self.text}/ was cut short: it took {self._spent:.1f} s for {self._count:,} texts; "
                f"write a simpler expression"
            )
        return found


def plain_utf8(text: str) -> bytes:
    """Return a text in UTF-8. Lone surrogates, which UTF-8 cannot hold, become escapes like ``\\udce9``."""
    return text.encode("utf-8", "backslashreplace")


def _reason(error: re2.error) -> str:
    reason = error.args[0] if error.args else ""
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if "invalid perl operator" in text:
        return f"{text}; looking ahead and behind is not possible here"
    if "invalid escape sequence" in text:
        return f"{text}; backreferences are not possible here"
    return text
