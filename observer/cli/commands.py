"""Puts all commands together."""

from __future__ import annotations

from typing import Annotated

import typer

from observer.cli import (
    acting,
    black_box,
    chaos,
    cluster,
    config,
    console,
    doctor,
    instrument,
    listing,
    looking,
    mcp,
    memory,
    metrics,
    plain_help,
    recording,
    trace,
    waits,
    watching,
)

SHORT_HELP = """\
observer shows what is alive in a program of processes, what is failing, and why.

  observer demo             open the dashboard on a demo ('observer demo --list' lists them)
  observer run SCRIPT       open it on a program of yours ('observer run -- COMMAND' on any command)
  observer instrument -- COMMAND
                            run a command as it is, to be watched by 'observer attach'
  observer attach           open it on a node that runs already
  observer nodes            which nodes run
  observer tree             print the supervision tree of a node ('ps' prints its processes)

'observer --help' names all commands, 'observer COMMAND --help' explains one.
"""

app = typer.Typer(
    name="observer",
    cls=plain_help.Group,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"observer {version('process-observer')}")
        except PackageNotFoundError:
            print("observer (not installed: runs from its source)")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def observer(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Watch a program of processes: what is alive, what fails and why. Kill any of it and see it come back.

    Exit status: 0 for done, 1 for a failure or a finding, 2 for wrong usage. NODE may be left out when there is one.
    """
    if context.invoked_subcommand is None:
        print(SHORT_HELP, end="")


_PROGRAMS_OWN = {
    # What follows a script is the script's, whatever it looks like; a demo gets what the observer does not know.
    watching.run: {"allow_interspersed_args": False},
    instrument.instrument: {"allow_interspersed_args": False},
    watching.demo: {"ignore_unknown_options": True},
}

for _panel, _commands in (
    ("Watch", (watching.demo, watching.run, instrument.instrument, watching.attach, watching.bridge)),
    ("Look", (listing.nodes, listing.tree, listing.ps, looking.top, looking.info, looking.events, cluster.cluster)),
    ("Find", (looking.diagnose, memory.memory, trace.trace, waits.waits)),
    ("Keep", (recording.record, recording.replay, black_box.dump, black_box.open_)),
    ("Export", (metrics.metrics, mcp.mcp)),
    ("Act", (acting.kill, acting.exit, acting.suspend, acting.resume, acting.send, console.console, chaos.chaos)),
    ("Set up", (doctor.doctor, config.config, config.schema, config.completion)),
):
    for _command in _commands:
        app.command(
            _command.__name__.rstrip("_").replace("_", "-"),
            cls=plain_help.Command,
            rich_help_panel=_panel,
            context_settings=_PROGRAMS_OWN.get(_command),
        )(_command)
