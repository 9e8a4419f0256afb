"""What a plain process runs, and how the end of its code becomes an exit reason."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from runtime import Crash, Down, ProcessExit, receive, spawn_monitor
from runtime.kernel.body import OUT_OF_MEMORY, exit_reason, name_of
from runtime.kernel.node import this_node
from tests.support.in_node import in_node


class Callable_:
    def __call__(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Callable_, f"{__name__}.Callable_"),
        (Callable_.__call__, f"{__name__}.Callable_.__call__"),
        (Callable_(), f"{__name__}.Callable_"),
        (functools.partial(functools.partial(int, base=2), "1"), "builtins.int"),
        (len, "builtins.len"),
        ([].append, "list.append"),
    ],
    ids=["a class", "a function", "an instance", "a partial function", "a built-in one", "a method of a built-in type"],
)
def test_a_callable_is_named_by_its_module_and_what_it_is_called_there(function: Callable[..., Any], name: str) -> None:
    assert name_of(function) == name


class Proxy:
    """Stands for something that is not there now: werkzeug's proxies do, outside a request."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("working outside of a request")

    def __call__(self) -> None:
        """Do nothing."""


class Text(str):
    def __len__(self) -> int:
        raise RuntimeError("no length")


def test_a_callable_that_cannot_be_asked_is_named_by_its_class() -> None:
    assert name_of(Proxy()) == f"{__name__}.Proxy"
    odd = lambda: None  # noqa: E731
    odd.__module__ = Text("odd")
    assert name_of(odd).endswith("<lambda>")


def returns() -> str:
    return "ignored"


def exits() -> NoReturn:
    raise ProcessExit(("my", "reason"))


@pytest.mark.parametrize(
    ("function", "reason"),
    [(returns, "normal"), (exits, ("my", "reason"))],
)
@in_node
def test_the_end_of_its_code_is_the_reason_of_its_end(function: Callable[[], object], reason: object) -> None:
    spawn_monitor(function)
    assert receive(Down).reason == reason


@in_node
def test_an_exception_becomes_a_crash_that_says_which_and_where() -> None:
    def fails(*, why: str) -> NoReturn:
        raise LookupError(why)

    spawn_monitor(fails, why="not there")
    reason = receive(Down).reason
    assert isinstance(reason, Crash)
    assert str(reason) == "LookupError: not there"
    assert reason.stacktrace[-1].function == "fails"


@in_node
def test_without_memory_to_say_where_the_reason_is_one_that_was_made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(error: BaseException) -> NoReturn:
        raise MemoryError

    (process,) = this_node().processes()
    monkeypatch.setattr(Crash, "from_exception", no_memory)
    assert exit_reason(process, MemoryError()) is OUT_OF_MEMORY
