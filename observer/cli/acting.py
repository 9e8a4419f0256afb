"""The commands that change something: kill, exit, suspend, resume, send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from observer.cli import options, output
from observer.cli.errors import CommandError, WrongUsageError
from runtime.introspection import wire

if TYPE_CHECKING:
    from observer.model.aftermath import Aftermath
    from observer.node.client import Client

Reason = Annotated[str, typer.Option("--reason", metavar="R", help="A word or a Python literal.")]


def kill(
    words: options.Words,
    reason: Reason = "kill",
    plan: Annotated[bool, typer.Option("--plan", help="Say what it would do, and do nothing.")] = False,
    json: options.AsJson = False,
) -> None:
    """Kill processes, and say what came back in their places, or with --plan what would.

    PID is a pid (<0.17.0> or 0.17.0) or a name that one process has; there may be several. The reason kill cannot be
    trapped. Exits with 1 when one of them has not ended.
    """
    if plan:
        _show_plan(words, reason, json)
    else:
        _signal(words, reason, json)


def exit(words: options.Words, reason: Reason = "shutdown", json: options.AsJson = False) -> None:
    """Send processes an exit signal that they may trap, and say what came of it."""
    _signal(words, reason, json)


def suspend(words: options.Word, json: options.AsJson = False) -> None:
    """Let a process run nothing until it is resumed; it still receives messages."""
    _order(words, lambda pid: wire.Suspend(pid=pid), json)


def resume(words: options.Word, json: options.AsJson = False) -> None:
    """Let a suspended process run again."""
    _order(words, lambda pid: wire.Resume(pid=pid), json)


def send(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[NODE] PID MESSAGE", autocompletion=options.complete_process, show_default=False),
    ],
    cast: Annotated[bool, typer.Option("--cast", help="Send it as a cast to a server.")] = False,
    call: Annotated[bool, typer.Option("--call", help="Send it as a call to a server, and print the reply.")] = False,
    json: options.AsJson = False,
) -> None:
    """Send a process a message: one word, or a Python literal such as "('get', 1)"."""
    from observer.cli import lookup
    from observer.output import records
    from observer.text import literals
    from observer.text.safe_text import lines

    node, (who, message) = lookup.split(words, "PID MESSAGE")
    if cast and call:
        raise WrongUsageError("A message is sent as --cast or as --call, not both.")
    via: Literal["send", "cast", "call"] = "cast" if cast else "call" if call else "send"
    literal = literals.literal(message)
    with lookup.dial_to_act(node) as client:
        pid = lookup.pid_of(client, who)
        done = client.expect(wire.Done, wire.Send(pid=pid, message=literal, via=via))
    if json:
        output.show_json(records.of_done(pid, done))
    else:
        print("\n".join(lines(done.value if done.value is not None else done.sentence or "Done.")))


@dataclass(frozen=True)
class _Signalled:
    """A process that was sent an exit signal, and what came of it."""

    pid: str
    happened: str
    """What was done and what came of it, in a sentence."""
    event: int | None
    """The log's entry of the signal; None for a node that logs none, of which nothing more can be known."""
    aftermath: Aftermath
    plan: wire.Plan | None


def _signal(words: list[str], reason: str, json: bool) -> None:
    """Send exit signals. All processes are found before the first of them is touched."""
    from observer.cli import lookup
    from observer.output import records
    from observer.text import literals
    from observer.text.safe_text import safe

    literal = literals.literal(reason)
    node, names = lookup.split_targets(words)
    with lookup.dial_to_act(node) as client:
        pids = [lookup.pid_of(client, name) for name in names]
        found = [send_signal(client, pid, literal) for pid in dict.fromkeys(pids)]
    if json:
        output.show_json(
            [records.of_kill(each.pid, each.aftermath, each.plan, each.happened, each.event) for each in found]
        )
    else:
        for each in found:
            print(safe(each.happened))
    if literal == "'kill'" and any(each.event is not None and not each.aftermath.ended for each in found):
        raise typer.Exit(1)


def send_signal(client: Client, pid: str, literal: str) -> _Signalled:
    """Send an exit signal, and wait for what comes of it. `literal` is the reason, as a Python literal."""
    from observer.cli.aftermath import comes_back, plan_of, wait_for
    from observer.model.aftermath import Aftermath
    from observer.node import discovery
    from observer.node.source import NodeLostError

    plan = None
    try:
        plan = plan_of(client, pid, literal)
        done = client.expect(wire.Done, wire.Exit(pid=pid, reason=literal))
    except NodeLostError:
        if not discovery.has_gone(client.name):
            raise
        return _Signalled(
            pid, f"{pid} has ended, and the program with it.", None, Aftermath(True, program_ended=True), plan
        )
    if done.event is None:
        return _Signalled(pid, done.sentence, None, Aftermath(), plan)
    known = wait_for(client, done.event, pid, plan)
    happened = f"{done.sentence} {known.sentence(comes_back(plan, pid))}".lstrip()
    return _Signalled(pid, happened, done.event, known, plan)


def _show_plan(words: list[str], reason: str, json: bool) -> None:
    """Say what a signal would do: each process of itself for a program, all of them at once for a person."""
    from observer.cli import lookup
    from observer.cli.aftermath import is_planned_for, plan_of
    from observer.model.aftermath import Aftermath
    from observer.output import records, tables
    from observer.text import literals

    literal = literals.literal(reason)
    node, names = lookup.split_targets(words)
    with lookup.dial(node) as client:
        pids = tuple(dict.fromkeys(lookup.pid_of(client, name) for name in names))
        if json:
            plans = [plan_of(client, pid, literal) for pid in pids]
            output.show_json([records.of_kill(pid, Aftermath(), plan) for pid, plan in zip(pids, plans, strict=True)])
            return
        plan = client.expect(wire.Plan, wire.GetPlan(pid=pids[0], others=pids[1:], reason=literal))
        if not is_planned_for(plan, literal):
            raise CommandError(f"{client.name} plans for the reason kill alone: leave --reason out.")
    output.show(tables.plan(plan))


def _order(words: list[str], command: Callable[[str], wire.Query], json: bool) -> None:
    """Have the node carry out a command on the process that `words` name."""
    from observer.cli import lookup
    from observer.output import records
    from observer.text.safe_text import safe

    node, (who,) = lookup.split(words, "PID")
    with lookup.dial_to_act(node) as client:
        pid = lookup.pid_of(client, who)
        done = client.expect(wire.Done, command(pid))
    if json:
        output.show_json(records.of_done(pid, done))
    else:
        print(safe(done.sentence or "Done."))
