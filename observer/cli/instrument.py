"""The command that has any program observed as it is: instrument."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from observer.cli import options
from observer.cli.errors import CommandError, WrongUsageError, say

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit statuses of a command that could not be run, as shells and `env` have them."""

NO_SITE = {
    "-S": "does without the module 'site'",
    "-I": "ignores PYTHONPATH",
    "-E": "ignores PYTHONPATH",
}
"""Options of Python under which it does not look for what has a process observed."""

IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
"""Signals that Python ignores in every program of its own, this one included; the command gets them as they were."""


def instrument(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND ARGS", help="What to run, as you would run it.")],
    name: options.NodeName = None,
    read_only: options.ReadOnly = False,
    no_state: options.NoState = False,
    no_exception_texts: options.NoExceptionTexts = False,
) -> None:
    """Run a command as it is, and let 'observer attach' watch every Python process in it that uses gevent.

    This process becomes the command: its input, output, terminal, signals and exit status are its own.
    Say 'observer instrument -- COMMAND ARGS'; options of the observer stand before the command.
    """
    environment = environment_of(command, name, read_only, no_state, no_exception_texts)
    warn_of(command)
    become(command, environment)


def environment_of(
    command: Sequence[str], name: str | None, read_only: bool, no_state: bool, no_exception_texts: bool
) -> dict[str, str]:
    """Return the environment in which a command is observed. Raises `WrongUsageError` for a name that is no name."""
    from runtime.introspection import program

    if name is not None:
        check_name(name)
    return {
        **program.instrumented(os.environ, name or called(command)),
        **settings_of(read_only, no_state, no_exception_texts),
    }


def check_name(name: str) -> None:
    """Raise `WrongUsageError` when a program cannot be called so."""
    from runtime.introspection import address

    try:
        address.check_name(name)
    except ValueError as error:
        raise WrongUsageError(str(error)) from None


def settings_of(read_only: bool, no_state: bool, no_exception_texts: bool) -> dict[str, str]:
    """Return the variables that say what observers may see and do."""
    settings = {
        "OBSERVER_READ_ONLY": read_only,
        "OBSERVER_NO_STATE": no_state,
        "OBSERVER_NO_EXCEPTION_TEXTS": no_exception_texts,
    }
    return {key: "1" for key, wanted in settings.items() if wanted}


def check_command(word: str) -> None:
    """Raise `CommandError` when the system would not run a command."""
    import shutil

    if shutil.which(word) is None:
        exists = Path(word).exists()
        raise CommandError(
            *refusal(word, PermissionError(errno.EACCES, "Permission denied") if exists else FileNotFoundError())
        )


def called(command: Sequence[str]) -> str:
    """Return what to call a command: the script or the module that Python runs, else the command itself."""
    from runtime.introspection import program

    words = [*command]
    if not is_python(words[0]):
        return program.name_after(f"/{Path(words[0]).name}")
    while len(words) > 1:
        word = words.pop(1)
        if word == "-m" and len(words) > 1:
            return program.name_after(words[1])
        if word in ("-W", "-X") and len(words) > 1:
            words.pop(1)
        elif word == "-c":
            break
        elif not word.startswith("-"):
            return program.name_after(word if word.endswith(".py") else f"/{word}")
    return "python"


def is_python(word: str) -> bool:
    """Return whether a command is a Python interpreter, by its name."""
    return Path(word).name.rstrip("0123456789.") in ("python", "pypy")


def warn_of(command: Sequence[str]) -> None:
    """Say when an option of Python keeps a process from being observed."""
    if not is_python(command[0]):
        return
    for word in command[1:]:
        if not word.startswith("-") or word.startswith("--") or word in ("-m", "-c", "-"):
            return
        for option, why in NO_SITE.items():
            if option[1] in word[1:] and word[1:].isalpha():
                say(f"observer: Python with {option} {why}: this process will not be observed.")
                return


def become(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process by a command. Raises `CommandError` when that cannot be run."""
    for each in IGNORED_BY_PYTHON:
        number = getattr(signal, each, None)
        if number is not None:
            signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], [*command], environment)
    except OSError as error:
        raise CommandError(*refusal(command[0], error)) from None


def refusal(word: str, error: OSError) -> tuple[str, int]:
    """Return the sentence and the exit status for a command that the system does not run."""
    if error.errno == errno.ENOEXEC:
        return (
            f"{word} is no program: it has no first line that names one, such as '#!/usr/bin/env python3'.",
            NOT_EXECUTABLE,
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        hint = f" For a Python script, say 'python {word}'." if word.endswith(".py") and Path(word).exists() else ""
        return f"There is no command {word}.{hint}", NOT_FOUND
    if word.endswith(".py"):
        return f"{word} is not executable. Say 'python {word}'.", NOT_EXECUTABLE
    return f"{word} cannot be run: {error.strerror}.", NOT_EXECUTABLE
