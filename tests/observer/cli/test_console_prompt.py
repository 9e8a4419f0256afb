"""The prompt of a console in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from observer.cli import console_prompt
from observer.cli.console_prompt import ConsolePrompt
from observer.node.client import NodeRefusedError
from runtime.introspection.wire import ConsoleText, Failed


class Session:
    """A console's session that refuses what is called ``refused``."""

    evaluations = 0

    def evaluate(self, source: str) -> Iterator[tuple[ConsoleText, ...]]:
        """Return the source as the value."""
        if source == "refused":
            raise NodeRefusedError(Failed(why="The hub was busy, so nothing was done.", kind="timeout"))
        yield (ConsoleText(kind="value", text=f"{source}\n"),)


def test_a_line_further_out_is_typed_with_one_backspace() -> None:
    with create_pipe_input() as keyboard:
        keyboard.send_text("if x:\rif y:\rab\x7f\x7fz\r\x7fw\r\x7f\r")
        prompt: PromptSession[str] = PromptSession(
            input=keyboard, output=DummyOutput(), multiline=True, key_bindings=console_prompt._keys()
        )
        assert prompt.prompt() == "if x:\n    if y:\n        z\n    w\n"


def test_what_the_node_refuses_to_evaluate_is_told_and_the_prompt_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    typed = iter(["refused", "  ", "1 + 1"])

    def read(prompt: ConsolePrompt) -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    def show(text: Any) -> None:
        shown.extend(part for _, part in text)

    monkeypatch.setattr(console_prompt, "PromptSession", lambda **how: SimpleNamespace())
    monkeypatch.setattr(console_prompt, "print_formatted_text", show)
    monkeypatch.setattr(ConsolePrompt, "_read", read)
    session: Any = Session()
    ConsolePrompt(session, "chat").run()
    assert shown == ["The hub was busy, so nothing was done.", "1 + 1"]
