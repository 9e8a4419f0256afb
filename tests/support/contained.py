"""Helpers of the tests of containment: processes that fail, and programs of their own."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NoReturn

from runtime import ANY, Down, GenServer, receive, spawn_monitor


def end_of(function: Callable[..., Any], *args: Any) -> Any:
    """Run a function in a process of its own and return its exit reason."""
    pid, ref = spawn_monitor(function, *args)
    return receive(Down(ref, pid, ANY)).reason


def raises(error: BaseException) -> NoReturn:
    """Raise an exception, as an expression."""
    raise error


def script(text: str, *arguments: str, status: int = 0) -> str:
    """Run a program in an operating-system process of its own and return what it prints."""
    program = [sys.executable, "-c", textwrap.dedent(text), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done.stdout


class Unspeakable(Exception):
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise SystemExit("no words")

    __repr__ = __str__


class Faulty(GenServer):
    """Raises where it is told to."""

    def init(self, where: str, error: BaseException) -> None:
        self.where, self.error = where, error
        self.maybe("init")

    def maybe(self, where: str) -> None:
        if where == self.where:
            raise self.error

    def handle_call(self, request: Any, caller: Any) -> str:
        self.maybe("handle_call")
        return "fine"

    def handle_cast(self, message: Any) -> None:
        self.maybe("handle_cast")

    def handle_info(self, message: Any) -> None:
        self.maybe("handle_info")

    def terminate(self, reason: Any) -> None:
        self.maybe("terminate")

    def format_status(self, state: dict[str, Any]) -> Any:
        self.maybe("format_status")
        return state


class Silent:
    """Cannot be shown, compared or hashed."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error

    def __eq__(self, other: object) -> bool:
        raise self.error

    def __hash__(self) -> int:
        raise self.error
