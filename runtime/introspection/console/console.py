"""One console: a process that evaluates what is typed, its names, and what it has to show."""

from __future__ import annotations

import itertools
from typing import Any

from msgspec import Struct

from runtime.introspection.console.captured_output import captured
from runtime.introspection.console.completion import completions
from runtime.introspection.console.program import Program, compile_program, forget_sources, show_source_of
from runtime.introspection.console.transcript import Transcript
from runtime.introspection.console.vocabulary import vocabulary
from runtime.kernel.body import exit_reason
from runtime.kernel.instrument import Instrument, install_instrument, remove_instrument
from runtime.kernel.mailbox import receive
from runtime.kernel.node import Node
from runtime.kernel.process import DEAD, OUTSIDE, Process, Worker
from runtime.kernel.processes import start_process
from runtime.kernel.signals import deliver, finish, kill
from runtime.terms.crash import Crash
from runtime.terms.errors import CallError
from runtime.terms.text import reason_text, render

MAX_VALUE = 10_000
"""Longest text of a value, in characters."""

LABEL = "console"
"""What observers call the process of a console."""

_numbers = itertools.count(1)


class Console(Instrument):
    """Python that an observer types, evaluated in the node.

    A process evaluates it: it has a pid and a mailbox, and links, monitors and names as any other. When it ends, by an
    exception of what was typed, by an exit signal or by `interrupt`, another takes its place, and the names stay.

    What the process prints, and what the processes print that it has started, is shown to the observer. All methods but
    `Transcript.after` and `compile` are for the node's thread. `names` are those to begin with, by default a new
    vocabulary.
    """

    def __init__(self, node: Node, names: dict[str, Any] | None = None) -> None:
        self.node = node
        self.transcript = Transcript()
        self.names: dict[str, Any] = vocabulary() if names is None else names
        self.process: Process | None = None
        self.evaluating = False
        self.evaluations = 0
        self._prefix = f"<console {next(_numbers)}:"
        self._family: set[int] = set()
        """The numbers of the pids of the evaluator and of all that it has started, directly or not."""
        self._reported: object = None
        """The last reason that was shown as what an exception of the evaluator's says."""
        self._closed = False

    def open(self) -> None:
        """Start the process, and catch what it prints."""
        install_instrument(self)
        captured.add(self)
        self._start()

    def close(self) -> None:
        """End the process, whatever it traps. What it has started lives on, unless it is linked to it.

        It ends with ``shutdown``: that an observer has left is no failure. May be called twice.
        """
        if self._closed:
            return
        self._closed = True
        captured.remove(self)
        remove_instrument(self)
        if self.process is not None and self.process.state is not DEAD:
            kill(self.process, "shutdown", OUTSIDE)
        self.names.clear()
        forget_sources(self._prefix)

    def leave_behind(self) -> None:
        """Drop what the child of a fork has inherited: what it prints goes where it always went."""
        captured.remove(self)
        remove_instrument(self)

    def compile(self, source: str) -> Program:
        """Compile what was typed. Raises SyntaxError and ValueError. From any thread."""
        name = f"{self._prefix}{self.evaluations + 1}>"
        program = compile_program(source, name)
        show_source_of(name, source)
        return program

    def evaluate(self, program: Program) -> bool:
        """Have the process evaluate a program. False, and nothing happens, while it evaluates another one."""
        if self.evaluating or self.process is None or self.process.state is DEAD:
            return False
        self.evaluating = True
        self.evaluations += 1
        deliver(self.process, _Order(program))
        return True

    def completions(self, text: str) -> list[str]:
        """Return what the name at the end of `text` can be completed to. It reads attributes, so it may run code."""
        return completions(text, self.names)

    # -- What happens on the node ---------------------------------------------------------------------------------

    def spawned(self, process: Process) -> None:
        """Count a process to the console's own when one of these has started it."""
        if process.parent is not None and process.parent.id in self._family:
            self._family.add(process.pid.id)

    def exited(self, process: Process, reason: object, cause: object) -> None:
        """Forget a process. When it is the evaluator, another takes its place."""
        self._family.discard(process.pid.id)
        if process is self.process:
            self.node.call_soon_threadsafe(self._replace, reason)
            self.evaluating = False

    def owns(self, process: Process | None) -> bool:
        """Return whether what the process prints belongs to this console."""
        return process is not None and process.pid.id in self._family

    def report(self, reason: object, error: BaseException) -> None:
        """Show the exception that ends the evaluator for this reason, unless it only says the reason."""
        if isinstance(error, CallError):
            shown = Crash.from_exception(error)  # its reason is OTP's, which says less to who has typed the call
        elif isinstance(reason, Crash):
            shown = reason
        else:
            return
        self._reported = reason
        self.transcript.write("error", _report(shown))

    def _start(self) -> None:
        self.process = start_process(self.node, None, _Evaluator(self), None, LABEL)
        self._family.add(self.process.pid.id)

    def _replace(self, reason: object) -> None:
        if self._closed:
            return
        old = self.process
        self._start()
        if reason is not self._reported:
            assert self.process is not None
            was = "" if old is None else f" from {old.pid}"
            text = f"** (EXIT{was}) {reason_text(reason)}; the console goes on in {self.process.pid}\n"
            self.transcript.write("error", text)


class _Order(Struct, frozen=True):
    """What the evaluator finds in its mailbox, among the messages that are sent to it."""

    program: Program


class _Evaluator:
    """What the process of a console runs."""

    initial_call = "runtime.console"

    def __init__(self, console: Console) -> None:
        self.console = console

    def _run_process(self, process: Process, worker: Worker) -> None:
        """Evaluate programs, one after another, until one of them raises."""
        console = self.console
        try:
            while True:
                self._evaluate(process, receive(_Order).program)
                if console.process is process:  # else it was killed and has caught that: another stands in its place
                    console.evaluating = False
        except BaseException as error:
            reason = exit_reason(process, error)
            if process.state is not DEAD:
                console.report(reason, error)
        worker.process = None
        finish(process, reason)

    def _evaluate(self, process: Process, program: Program) -> None:
        names = self.console.names
        exec(program.statements, names)
        if program.expression is None:
            return
        value = eval(program.expression, names)
        if value is not None and self.console.process is process:
            names["_"] = value
            self.console.transcript.write("value", f"{render(value, MAX_VALUE)}\n")


def _report(crash: Crash) -> str:
    """Return what is shown of an exception: where it was raised, by the lines that lead there, and what it says."""
    lines = []
    for frame in crash.stacktrace:
        lines.append(f"  {frame.file}:{frame.line} in {frame.function}")
        if frame.source:
            lines.append(f"    {frame.source}")
    text = f"{crash.exception}: {crash.message}" if crash.message else crash.exception
    return "\n".join([*lines, f"** {text}"]) + "\n"


def syntax_report(error: SyntaxError | ValueError) -> str:
    """Return what is shown of source that cannot be compiled."""
    if not isinstance(error, SyntaxError):
        return f"** What was typed cannot be evaluated: {error}\n"
    lines = []
    if error.text is not None:
        lines.append(f"  {error.text.rstrip()}")
        lines.append("  " + " " * max(0, (error.offset or 1) - 1) + "^")
    lines.append(f"** {type(error).__name__}: {error.msg} (line {error.lineno})")
    return "\n".join(lines) + "\n"
