"""The commands that do something: kill, exit, suspend, resume, send, chaos."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from observer.cli import options, output
from runtime.introspection import wire


def kill(
    words: options.Words,
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="A word or a Python literal.")] = "kill",
    json: options.AsJson = False,
) -> None:
    """Kill a process. Its supervisor decides what comes back.

    PID is a pid (<0.17.0> or 0.17.0) or a name that one process has. The reason kill cannot be trapped.
    """
    _signal(words, reason, json)


def exit(
    words: options.Words,
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="A word or a Python literal.")] = "shutdown",
    json: options.AsJson = False,
) -> None:
    """Send a process an exit signal that it may trap."""
    _signal(words, reason, json)


def suspend(words: options.Words, json: options.AsJson = False) -> None:
    """Let a process run nothing until it is resumed; it still receives messages."""
    from observer.cli import lookup

    node, (who,) = lookup.split(words, "PID")
    with lookup.dial_to_act(node) as client:
        _done(client.expect(wire.Done, wire.Suspend(pid=lookup.pid_of(client, who))), json)


def resume(words: options.Words, json: options.AsJson = False) -> None:
    """Let a suspended process run again."""
    from observer.cli import lookup

    node, (who,) = lookup.split(words, "PID")
    with lookup.dial_to_act(node) as client:
        _done(client.expect(wire.Done, wire.Resume(pid=lookup.pid_of(client, who))), json)


def send(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[NODE] PID MESSAGE", autocompletion=options.complete_process, show_default=False),
    ],
    cast: Annotated[bool, typer.Option("--cast", help="As a cast to a server.")] = False,
    call: Annotated[bool, typer.Option("--call", help="As a call to a server; prints the reply.")] = False,
    json: options.AsJson = False,
) -> None:
    """Send a process a message: one word, or a Python literal such as "('get', 1)"."""
    from observer.cli import lookup
    from observer.cli.errors import CommandError
    from observer.text import literals

    node, (who, message) = lookup.split(words, "PID MESSAGE")
    if cast and call:
        raise CommandError("A message is sent as --cast or as --call, not both.", status=2)
    via: Literal["send", "cast", "call"] = "cast" if cast else "call" if call else "send"
    literal = literals.literal(message)
    with lookup.dial_to_act(node) as client:
        _done(client.expect(wire.Done, wire.Send(pid=lookup.pid_of(client, who), message=literal, via=via)), json)


def _signal(words: list[str], reason: str, json: bool) -> None:
    from observer.cli import lookup
    from observer.text import literals

    node, (who,) = lookup.split(words, "PID")
    literal = literals.literal(reason)
    with lookup.dial_to_act(node) as client:
        _done(client.expect(wire.Done, wire.Exit(pid=lookup.pid_of(client, who), reason=literal)), json)


def _done(done: wire.Done, json: bool) -> None:
    from observer.text.safe_text import lines

    if json:
        output.show_json({"sentence": done.sentence, "value": done.value, "event": done.event})
    else:
        print("\n".join(lines(done.value if done.value is not None else done.sentence or "Done.")))
