"""Completing names of processes in a shell, whatever they hold: colons, spaces, quotes, dollar signs.

Typer's script gives bash's own splitting of the line to the command. Bash splits at colons and keeps quotes, and it
inserts what is offered as it is. Our script hands over the line instead. It is read here as the shell reads it, and
what is offered is quoted in the way that was begun.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass

VARIABLE = "_OBSERVER_COMPLETE"
"""What the scripts set to ask for completions."""

LINE, BREAKS = "OBSERVER_LINE", "OBSERVER_BREAKS"
"""In what our script for bash hands over the line up to the cursor, and the characters at which bash splits it."""

BASH_SCRIPT = r"""
_observer_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(IFS=$'\n'; env OBSERVER_LINE="${COMP_LINE:0:COMP_POINT}" OBSERVER_BREAKS="$COMP_WORDBREAKS" \
                 COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" _OBSERVER_COMPLETE=complete_bash "$1")
    return 0
}

complete -o default -F _observer_completion observer
"""
"""Defines and registers the completion in bash, from version 3.2 on."""

_NEEDS_BACKSLASH = re.compile(r"[^\w@%+=:,./-]")
_NEEDS_NO_QUOTES = re.compile(r"[\w.-]+")
_BREAKS = " \t\n\"'><=;|&(:"
"""What bash splits a line at, unless its user has set COMP_WORDBREAKS."""


@dataclass(frozen=True)
class Typed:
    """A command line up to the cursor, as a shell reads it."""

    words: tuple[str, ...] = ()
    """The words that are complete."""
    raw: str = ""
    """The word at the cursor, as it stands there."""
    value: str = ""
    """What that word means so far."""
    quote: str = ""
    """The quotation mark that is still open in it."""


def read_line(line: str) -> Typed:
    """Read a command line that ends at the cursor."""
    words: list[str] = []
    start = 0
    value, quote = "", ""
    begun = escaped = False
    for at, character in enumerate(line):
        if escaped:
            value += character if quote != '"' or character in '"\\$`' else "\\" + character
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = begun = True
        elif quote:
            quote, value = ("", value) if character == quote else (quote, value + character)
        elif character in "\"'":
            quote, begun = character, True
        elif character.isspace():
            if begun:
                words.append(value)
            value, begun, start = "", False, at + 1
        else:
            value, begun = value + character, True
    return Typed(tuple(words), line[start:], value, quote)


def for_bash(name: str, typed: Typed, breaks: str = _BREAKS) -> str:
    """Return what bash is to put in place of what it takes for the word at the cursor, so that it means `name`."""
    rest = name[len(typed.value) :]
    if typed.quote == "'":
        return name.replace("'", "'\\''")
    if typed.quote == '"':
        return re.sub(r'([\\"$`])', r"\\\1", name)
    whole = typed.raw + _NEEDS_BACKSLASH.sub(r"\\\g<0>", rest)
    # Bash replaces only what stands behind the last character at which it splits.
    return whole[_behind_break(typed.raw, breaks) :]


def _behind_break(raw: str, breaks: str) -> int:
    behind = 0
    escaped = False
    for at, character in enumerate(raw):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in breaks:
            behind = at + 1
    return behind


def is_for_bash() -> bool:
    """Return whether our script for bash asks for completions."""
    return os.environ.get(VARIABLE) == "complete_bash" and bool(os.environ.get(LINE))


def answer_bash(parser: Callable[..., object]) -> None:
    """Print what may stand at the cursor, one a line, as bash is to put it in.

    `parser` is the application. It is shown the words as the shell reads them, and prints what they mean.
    """
    typed = read_line(os.environ[LINE])
    os.environ["COMP_WORDS"] = shlex.join([*typed.words, typed.value])
    os.environ["COMP_CWORD"] = str(len(typed.words))
    found = io.StringIO()
    with redirect_stdout(found), suppress(SystemExit):
        parser(prog_name="observer")
    for name in found.getvalue().splitlines():
        print(for_bash(name, typed, os.environ.get(BREAKS) or _BREAKS) if name.startswith(typed.value) else name)


def offered(names: Iterable[str], incomplete: str) -> list[str]:
    """Return those of `names` that begin with `incomplete` and that the shell which asks can be offered, sorted.

    A name that cannot be typed in one line is left out. So is, for zsh, one with a backslash: its script evaluates what
    it is given, and a name from another program must never become a command. Typer's script for bash quotes nothing.
    """
    shell = os.environ.get(VARIABLE, "").removeprefix("complete_")
    found = sorted(name for name in set(names) if name and name.startswith(incomplete) and name.isprintable())
    if shell == "bash" and not is_for_bash():
        return [name for name in found if _NEEDS_NO_QUOTES.fullmatch(name)]
    return [name for name in found if shell != "zsh" or "\\" not in name]
