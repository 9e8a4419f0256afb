"""Help in plain words: without the types of Python, and with paragraphs as wide as the terminal."""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

AFTER_DASHES = "observer.after_dashes"
"""Where a command finds whether its arguments stand after ``--``, which the parser takes out."""


class Command(TyperCommand):
    """A command whose arguments and flags are shown without a type."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = _in_paragraphs(self.help)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line, and note whether its arguments stand after ``--``."""
        given = [*args]
        rest = super().parse_args(ctx, args)
        words = [word for each in self.params if each.param_type_name == "argument" for word in _words(ctx, each)]
        ctx.meta[AFTER_DASHES] = bool(words) and given[-len(words) - 1 : -len(words)] == ["--"]
        return rest

    def get_params(self, *arguments: Any, **options: Any) -> list[Any]:
        """Return the parameters, as the help and the parser see them."""
        return _without_types(super().get_params(*arguments, **options))


class Group(TyperGroup):
    """The command of commands, whose flags are shown without a type."""

    def get_params(self, *arguments: Any, **options: Any) -> list[Any]:
        """Return the parameters, as the help and the parser see them."""
        return _without_types(super().get_params(*arguments, **options))


def _words(context: Any, parameter: Any) -> list[str]:
    value = context.params.get(parameter.name)
    return [] if value is None else [value] if isinstance(value, str) else [*value]


def _without_types(parameters: list[Any]) -> list[Any]:
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
        elif isinstance(each, TyperArgument):
            vars(each)["display_type_rich"] = _no_type
            if each.metavar:  # it says itself what may be left out or repeated
                vars(each)["get_usage_pieces"] = partial(_usage, each.metavar)
    return parameters


def _usage(metavar: str, *arguments: Any) -> list[str]:
    return [metavar]


def _no_type(*arguments: Any, **options: Any) -> None:
    """Stand in for what gives the type of a parameter: the name of an argument says what it is."""


def _in_paragraphs(text: str | None) -> str | None:
    """Take the line breaks of a docstring out of its paragraphs: Typer would print them."""
    if text is None:
        return None
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))
