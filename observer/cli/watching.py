"""The commands that open the dashboard: demo, run, attach."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from observer.cli import options, plain_help, progress
from observer.cli.errors import CommandError, WrongUsageError, say
from observer.text.safe_text import safe
from runtime.introspection.recording import kept_boxes

if TYPE_CHECKING:
    from observer.model.settings import Settings
    from observer.node.child import Child
    from observer.node.discovery import Found
    from observer.node.source import Source

LAST_WORDS = 10
"""How many of its last lines are shown of a program that failed without an exception."""

SETTLE = 0.2
"""Seconds within which a program that cannot start fails, so that the screen need not open."""

PROMPT = 0.5
"""Seconds within which a program is expected to end. If it takes longer, the command says so."""

LETS_OTHERS_LOOK = "lets the other commands look at it"
"""What a command does that stands for the dashboard where there is no terminal."""

_LOCATION = re.compile(r'\s*File "(?P<file>.*)", line (?P<line>\d+)')


def demo(
    name: options.Demo = None,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="ARGS", help="Arguments of the demo.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the demos.")] = False,
    json: options.AsJson = False,
    read_only: options.ReadOnly = False,
    time_slice: options.TimeSlice = None,
    no_state: options.NoState = False,
    no_exception_texts: options.NoExceptionTexts = False,
) -> None:
    """Start a demo and watch it. Quitting ends it."""
    from observer.cli import demos

    if list_all or json:
        return _list_demos(json)
    try:
        chosen = demos.find(name or "chat")
    except demos.DemoNotFoundError as error:
        raise WrongUsageError(str(error)) from error
    program = ["-m", f"{demos.PACKAGE}.{chosen.name}", *(arguments or ())]
    _watch_program(
        chosen.name, program, _launch_options(time_slice, no_state, no_exception_texts), settings_of(read_only)
    )
    return None


def _list_demos(json: bool) -> None:
    from observer.cli import demos, output
    from observer.output import records

    listed = demos.demos()
    if json:
        output.show_json([records.DemoRecord.of(demo) for demo in listed])
        return
    width = max((len(demo.name) for demo in listed), default=0)
    for demo in listed:
        print(f"{demo.name:{width}}  {demo.summary}")


def run(
    context: typer.Context,
    program: Annotated[str, typer.Argument(metavar="SCRIPT", help="A Python file; with -m, a module.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGS", help="What follows is passed to the program.")
    ] = None,
    module: Annotated[bool, typer.Option("-m", help="SCRIPT is the name of a module.")] = False,
    name: options.NodeName = None,
    node: options.DistributedAs = None,
    cookie_file: options.CookieFile = None,
    read_only: options.ReadOnly = False,
    time_slice: options.TimeSlice = None,
    no_state: options.NoState = False,
    no_exception_texts: options.NoExceptionTexts = False,
) -> None:
    """Start a program of yours and watch it. Quitting ends it. Options of the observer stand before SCRIPT.

    'observer run -- COMMAND ARGS' runs any command, and watches every Python process in it that uses gevent.
    """
    words = [program, *(arguments or ())]
    if context.meta.get(plain_help.AFTER_DASHES) and not module:
        if time_slice is not None:
            raise WrongUsageError("--time-slice is for a SCRIPT: a command has processes of its own making.")
        if node is not None:
            raise WrongUsageError("--node is for a SCRIPT: a command may be several programs.")
        return _watch_command(words, name, settings_of(read_only), no_state, no_exception_texts)
    if not module:
        _check_script(Path(program))
    called = program if module else Path(program).resolve().stem
    if cookie_file is not None and node is None:
        raise WrongUsageError("--cookie-file is for a program with a name: give --node, too.")
    launch = [
        *_launch_options(time_slice, no_state, no_exception_texts),
        *(["--node", node] if node is not None else []),
        *(["--cookie-file", cookie_file] if cookie_file is not None else []),
    ]
    return _watch_program(called, ["-m", *words] if module else words, launch, settings_of(read_only), exact_name=name)


def _watch_command(
    words: Sequence[str], name: str | None, settings: Settings, no_state: bool, no_exception_texts: bool
) -> None:
    """Start a command with its processes observed, show the dashboard until the user quits, and end the command."""
    require_terminal("observer instrument -- COMMAND", LETS_OTHERS_LOOK)
    from observer.cli import instrument
    from observer.node.command import Command, CommandNode
    from observer.node.recorded.seen import remembering

    if name is not None:
        instrument.check_name(name)
    instrument.check_command(words[0])
    environment = instrument.settings_of(settings.read_only, no_state, no_exception_texts)
    with Command(name or instrument.called(words), words, environment) as command:
        watch = _started(command)
        if watch is not None:
            _end_with(command, watch(remembering(CommandNode(command)), settings))
        elif command.returncode is None:
            said = _last_words(command.stderr()) or "It has written nothing to standard error."
            raise CommandError(f"No process of {command.command} has run a hub of gevent in its main thread.\n{said}")
        else:
            _tell_end(command)


def _end_with(child: Child, status: int) -> None:
    """End a program that was watched, and tell how it has ended if it did so by itself."""
    end_program(child)
    if child.ended_by_itself:
        _tell_end(child)
    if status:
        raise typer.Exit(status)


def attach(
    node: options.Node = None,
    cookie_file: options.BeamCookieFile = None,
    read_only: options.ReadOnly = False,
    no_state: options.NoState = False,
) -> None:
    """Watch a node that is already running. Quitting leaves it as it is.

    beam:app@host is an Erlang or Elixir node, reached by distribution. Nothing has to be installed there.
    """
    from observer.node.bridge import beam_name

    settings = settings_of(read_only)
    beam = beam_name(node)
    if beam is not None:
        return _watch_beam(beam, cookie_file, settings, no_state)
    if cookie_file is not None or no_state:
        raise WrongUsageError("--cookie-file and --no-state are for a node of Erlang or Elixir: beam:app@host.")
    from observer.dashboard import watch
    from observer.node.program_node import ProgramNode
    from observer.node.recorded.seen import remembering

    found = _pick(node)
    require_terminal(f"observer tree {found.name}")
    if status := watch(remembering(ProgramNode(found)), settings):
        raise typer.Exit(status)
    return None


def _watch_beam(name: str, cookie_file: str | None, settings: Settings, no_state: bool) -> None:
    """Start the bridge to a BEAM node, show the dashboard until the user quits, and end the bridge."""
    if "@" not in name.strip("@"):
        raise WrongUsageError(f"beam:{name} names no node: one looks like beam:app@127.0.0.1.")
    require_terminal(f"observer bridge {name}", LETS_OTHERS_LOOK)
    from observer.node.bridge import Bridge
    from observer.node.child import ChildNode
    from observer.node.recorded.seen import remembering

    chosen = [
        *(["--cookie-file", cookie_file] if cookie_file is not None else []),
        *(["--read-only"] if settings.read_only else []),
        *(["--no-state"] if no_state else []),
    ]
    with Bridge(name, chosen) as bridge:
        watch = _started(bridge)
        if watch is None:
            raise CommandError(bridge.status().cause or _last_words(bridge.stderr()) or f"There is no way to {name}.")
        status = watch(remembering(ChildNode(bridge)), settings)
    if status:
        raise typer.Exit(status)


def bridge(
    node: Annotated[str, typer.Argument(metavar="APP@HOST", help="The Erlang or Elixir node.")],
    cookie_file: options.BeamCookieFile = None,
    name: options.NodeName = None,
    read_only: options.ReadOnly = False,
    no_state: options.NoState = False,
) -> None:
    """Let the other commands look at an Erlang or Elixir node, without a dashboard, until Ctrl-C."""
    from observer.node.bridge import Bridge

    os.execv(
        Bridge.launch[0],
        [
            *Bridge.launch,
            *(["--name", name] if name is not None else []),
            *(["--cookie-file", cookie_file] if cookie_file is not None else []),
            *(["--read-only"] if read_only else []),
            *(["--no-state"] if no_state else []),
            node.removeprefix("beam:"),
        ],
    )


def _pick(node: str | None) -> Found:
    """Return the node to attach to; ask when there are several. Raises what `discovery.find` and `Client` raise."""
    from observer.cli import lookup
    from observer.node import discovery
    from observer.node.client import Client

    try:
        found = lookup.find(node)
    except discovery.AmbiguousNodeError as error:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise
        for number, name in enumerate(error.names, 1):
            print(f"{number:>3}  {name}")
        found = lookup.find(typer.prompt("Which node", value_proc=partial(_numbered, error.names)))
    Client(found.name, found.path).close()  # says what is wrong with it before the screen opens
    return found


def _numbered(names: Sequence[str], typed: str) -> str:
    if typed.strip() in names:
        return typed.strip()
    if not typed.strip().isdigit() or not 1 <= int(typed) <= len(names):
        raise typer.BadParameter(f"type a number from 1 to {len(names)}")
    return names[int(typed) - 1]


def _check_script(script: Path) -> None:
    if not script.exists():
        raise WrongUsageError(
            f"There is no file {script}. For a module, say 'observer run -m MODULE'; for any command, "
            "'observer run -- COMMAND'."
        )
    if script.is_dir() and not (script / "__main__.py").exists():
        raise WrongUsageError(f"{script} is a folder without a __main__.py: name the file to run.")
    if not os.access(script, os.R_OK):
        raise CommandError(f"{script} may not be read.")


def _launch_options(time_slice: float | None, no_state: bool, no_exception_texts: bool) -> list[str]:
    return [
        *(["--time-slice", str(time_slice)] if time_slice is not None else []),
        *(["--no-state"] if no_state else []),
        *(["--no-exception-texts"] if no_exception_texts else []),
    ]


def settings_of(read_only: bool) -> Settings:
    """Return the user's settings, read-only where that is asked for."""
    import msgspec

    from observer.model import settings

    loaded = settings.load()
    return msgspec.structs.replace(loaded, read_only=True) if read_only else loaded


def require_terminal(instead: str, does: str = "prints what is there") -> None:
    """Raise `CommandError` where no dashboard can be drawn; `instead` is a command without one, and what it `does`."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(f"The dashboard needs a terminal. For a script, '{instead}' {does}.")
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise CommandError(
            "The dashboard needs a terminal that can move its cursor, and TERM says that this one cannot."
        )


def _watch_program(
    called: str, program: Sequence[str], launch: Sequence[str], settings: Settings, exact_name: str | None = None
) -> None:
    """Start a program, show the dashboard until the user quits, and end the program."""
    require_terminal("observer tree NODE")
    from observer.node import discovery
    from observer.node.child import Child, ChildNode
    from observer.node.recorded.seen import remembering
    from runtime.introspection import address

    if settings.read_only:
        launch = ["--read-only", *launch]

    try:
        reservation = discovery.reserve_name(called) if exact_name is None else address.reserve([exact_name])
    except address.NameTakenError as error:
        raise CommandError(f"{error} Choose another --name.") from None
    with Child(reservation.name, program, launch, {"OBSERVER": "1"}, reservation) as child:
        status = 0
        watch = _started(child)
        if watch is not None:
            status = watch(remembering(ChildNode(child)), settings)
        elif child.returncode is None:
            words = _last_words(child.stderr()) or "It has written nothing to standard error."
            raise CommandError(f"{child.command} has opened no socket for its node.\n{words}")
        _end_with(child, status)


def _started(child: Child) -> Callable[[Source, Settings], int] | None:
    """Wait for a program's node and return what shows the dashboard; None when no node listens or it has ended.

    A start that takes longer than half a second is said to be under way.
    """
    with progress.busy(f"starting {child.command} …"):
        from observer.dashboard import watch  # takes its time, while the child starts

        return watch if child.wait_until_listening() and child.wait(SETTLE) is None else None


def end_program(child: Child) -> None:
    """End a program, and say that it is waited for when it takes its time."""
    notice = threading.Timer(PROMPT, say, [f"observer: waiting for {child.command} to end …"])
    notice.start()
    try:
        child.end()
    finally:
        notice.cancel()


def _tell_end(child: Child) -> None:
    """Say how a program ended by itself, and end with its exit status.

    When all went well, print what it printed.
    """
    if child.returncode:
        cause = child.status().cause
        box = kept_boxes.find(f"{child.name}@{child.pid}")
        if box is not None:
            say(f"observer: it has left a black box: 'observer open {safe(child.name)}' shows it.")
        words = f"  {safe(cause)}" if cause else _last_words(child.stderr())
        status = child.returncode if child.returncode > 0 else 128 - child.returncode  # as a shell has it
        raise CommandError(f"{child.verdict()}\n{words}".rstrip(), status)
    print("\n".join(map(safe, child.stdout())))
    say(f"observer: {child.verdict()}")


def _last_words(stderr: Sequence[str]) -> str:
    """Return the end of what a program wrote to standard error: for an exception what it was and where, else lines."""
    for index in reversed(range(len(stderr))):
        if place := _LOCATION.match(stderr[index]):
            words = [line for line in stderr[index:] if line.strip() and not line.startswith(" ")]
            if words and len(words) <= LAST_WORDS:
                return f"  {words[0]} ({place['file']}, line {place['line']})"
            break
    return "\n".join(f"  {line}" for line in stderr[-LAST_WORDS:])
