"""The help of commands says of a flag that it is one, and of an option what it takes."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from observer.cli.plain_help import Command, Group


def test_flags_have_no_type_and_options_have_one() -> None:
    app = typer.Typer(cls=Group)

    @app.command(cls=Command)
    def show(loud: bool = False, count: int = 1) -> None:
        """Show."""

    @app.callback()
    def main(quiet: bool = False) -> None:
        """Do."""

    text = CliRunner().invoke(app, ["show", "--help"]).output
    assert "--loud" in text
    assert "bool" not in text.lower()
    assert "int" in text.lower()
    assert "bool" not in CliRunner().invoke(app, ["--help"]).output.lower()
