"""Help that does not say of a flag that it takes a ``<bool>``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose flags are shown without a type."""

    def get_params(self, *arguments: Any, **options: Any) -> list[Any]:
        """Return the parameters, as the help and the parser see them."""
        return _without_types(super().get_params(*arguments, **options))


class Group(TyperGroup):
    """The command of commands, whose flags are shown without a type."""

    def get_params(self, *arguments: Any, **options: Any) -> list[Any]:
        """Return the parameters, as the help and the parser see them."""
        return _without_types(super().get_params(*arguments, **options))


def _without_types(parameters: list[Any]) -> list[Any]:
    for each in parameters:
        if getattr(each, "is_flag", False):
            each.metavar = ""
    return parameters
