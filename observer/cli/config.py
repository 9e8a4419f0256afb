"""The commands about the observer itself: config, schema, completion."""

from __future__ import annotations

import os
from typing import Annotated, Literal

import typer

from observer.cli import options, output
from observer.cli.completion import BASH_SCRIPT, VARIABLE


def config(
    path: Annotated[bool, typer.Option("--path", help="Print the path of the settings file alone.")] = False,
    json: options.AsJson = False,
) -> None:
    """Show the settings in force and the file they stand in."""
    import msgspec

    from observer.model import settings
    from observer.output import records

    file = settings.settings_path()
    if path:
        print(file)
        return
    values = settings.load()
    if json:
        record = records.ConfigRecord(path=str(file), exists=file.exists(), settings=msgspec.to_builtins(values))
        output.show_json(record)
        return
    print(f"# {file}{'' if file.exists() else ' (does not exist: these are the defaults)'}")
    print(msgspec.toml.encode(values).decode(), end="")


def schema() -> None:
    """Print the JSON Schema of what the commands print with --json."""
    from observer.output.schema import schema

    output.show_json(schema())


def completion(
    context: typer.Context,
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the script that completes commands, nodes, processes and demos in a shell.

    For bash: eval "$(observer completion bash)"
    """
    if shell == "bash":
        print(BASH_SCRIPT)
        return
    # The parser prints the script when this variable asks for it, and ends the command.
    os.environ[VARIABLE] = f"source_{shell}"
    context.find_root().command.main(args=[], prog_name="observer")
