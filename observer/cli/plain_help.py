"""Help that does not say of a flag that it takes a ``<bool>``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

AFTER_DASHES = "observer.after_dashes"
"""Where a command finds whether its arguments stand after ``--``, which the parser takes out."""


class Command(TyperCommand):
    """A command whose flags are shown without a type."""

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
    return parameters
