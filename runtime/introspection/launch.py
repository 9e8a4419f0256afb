"""Starts a program with introspection switched on: ``python -m runtime.introspection.launch [OPTIONS] SCRIPT [ARGS]``.

What ``observer run`` and ``observer demo`` start as a child process. The program runs as ``__main__``, as if python had
been given it. When the lifeline ends, which is a pipe whose other end the observer holds, so does this process: it gets
SIGTERM and some seconds to stop its processes in order, and is then ended for good.
"""

from __future__ import annotations

import _socket
import argparse
import importlib.util
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

from runtime.distribution.cookie import read_cookie
from runtime.distribution.errors import DistributionError
from runtime.introspection.address import NameTakenError, Reservation, reserve, socket_path
from runtime.introspection.answers.observed_node import Permissions
from runtime.introspection.black_box.settings import BlackBoxSettings
from runtime.introspection.program import name_after, names_for
from runtime.introspection.service import Service, fail_with
from runtime.kernel.node import Node, this_node, when_started
from runtime.kernel.threads import sleep, start_thread
from runtime.preemption.time_slice import TimeSlices
from runtime.terms.crash import Crash
from runtime.terms.errors import ProcessExit
from runtime.terms.explanation import explain

GRACE = 5.0
"""Seconds between the end of the lifeline, which is passed on as SIGTERM, and the end of the process."""

LONGEST_CAUSE = 2_000
"""Longest cause of a program's end that the observer is told, in bytes."""

ENDED_BY_LIFELINE = 143
"""Exit status of a process that had to be ended: what a shell says of SIGTERM."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    if options.lifeline is not None:
        start_thread(_hold_on, (options.lifeline,))
    _check(options)
    os.environ["OBSERVER"] = "1"  # for the program: it may want to know that it is watched
    try:
        when_started(lambda node: _observe(node, options))
        this_node()
    except DistributionError as error:
        _fail(f"The program was not started, because its node could not be given a name: {error}")
    except (NameTakenError, ValueError, OSError) as error:
        _fail(f"The program was not started, because it could not be observed: {error}")
    late = LateStop()
    try:
        _run(options, late)
    except SystemExit as end:
        _report(options.ending, end)
        late.let_come()
        raise


class LateStop:
    """Puts SIGTERM off while a program that has failed says what it ended of: its default would end it before."""

    def __init__(self) -> None:
        self._has_come = self._puts_off = False
        self._last_words: Callable[[], object] | None = None

    def put_off(self) -> None:
        """Begin, unless the program handles the signal itself."""
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._puts_off = True
            signal.signal(signal.SIGTERM, self._note)

    def wait_only_for(self, last_words: Callable[[], object]) -> None:
        """Have the signal end the program as soon as `last_words` is called: code of its own may take any time."""
        self._last_words = last_words
        if self._has_come:
            self._end()

    def let_come(self) -> None:
        """Let the signal do again what it does by default, also one that was put off.

        A handler that the program has set meanwhile stays.
        """
        if self._puts_off and signal.getsignal(signal.SIGTERM) == self._note:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if self._has_come:
            os.kill(os.getpid(), signal.SIGTERM)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._has_come = True
        if self._last_words is not None:
            self._end()

    def _end(self) -> None:
        if self._last_words is not None:
            self._last_words()
        self.let_come()


def _report(ending: int | None, end: SystemExit) -> None:
    """Tell the observer why the program ends, where its status alone does not say it."""
    if ending is None:
        return
    cause = getattr(end, "cause", None) or (end.code if isinstance(end.code, str) else None)
    with suppress(OSError):
        os.write(ending, (cause or "").encode("utf-8", "replace")[:LONGEST_CAUSE])


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m runtime.introspection.launch",
        description="Run a program with introspection on.",
        usage="%(prog)s [options] (-m MODULE | SCRIPT) [ARGS ...]",
    )
    parser.add_argument("--name", help="what the node is called; by default after the program")
    parser.add_argument("--listener", type=int, metavar="FD", help="a socket that is bound to the name, to listen on")
    parser.add_argument("--lifeline", type=int, metavar="FD", help="end when this pipe ends")
    parser.add_argument("--ending", type=int, metavar="FD", help="write to this pipe what the program died of")
    parser.add_argument("--read-only", action="store_true", help="let observers change nothing")
    parser.add_argument("--no-state", action="store_true", help="do not show what processes hold")
    parser.add_argument("--no-exception-texts", action="store_true", help="do not show what exceptions say")
    parser.add_argument(
        "--time-slice", type=float, metavar="S", help="seconds a process may run while others are ready"
    )
    parser.add_argument("--node", metavar="NAME", help="the name by which other nodes reach it")
    parser.add_argument("--cookie-file", metavar="FILE", help="the file of the cookie, by default ~/.erlang.cookie")
    parser.add_argument("-m", dest="module", metavar="MODULE", nargs=argparse.REMAINDER, help="a module to run")
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="SCRIPT", help="a script to run, and its arguments"
    )
    options = parser.parse_args(arguments)
    words = options.module if options.module is not None else options.program
    if not words:
        parser.error("say what to run: a SCRIPT, or -m MODULE")
    options.target, options.words = words[0], words[1:]
    options.is_module = options.module is not None
    return options


def _check(options: argparse.Namespace) -> None:
    """Prepare the path for the program; end with a sentence when there is nothing to run."""
    target: str = options.target
    if not options.is_module:
        if not Path(target).exists():
            _fail(f"There is no file {target}.")
        sys.path[0] = str(Path(target).resolve().parent)
        return
    sys.path[0] = os.getcwd()
    try:
        found = importlib.util.find_spec(target)
        if found is not None and found.submodule_search_locations is not None:
            found = importlib.util.find_spec(f"{target}.__main__")
    except ImportError as error:
        _fail(f"The module {target} cannot be imported: {error}.")
    except ValueError:
        found = None
    if found is None:
        _fail(f"There is no module {target}, or it is a package without a __main__ module.")


def _observe(node: Node, options: argparse.Namespace) -> None:
    """Switch on what the options say for a node of the program's; a program may start one after another."""
    Service(
        node,
        _reservation(options),
        Permissions(options.read_only, not options.no_state, not options.no_exception_texts),
        black_box=BlackBoxSettings.from_environment(os.environ),
    )
    if options.node is not None:
        from runtime.distribution.nodes import start_distribution  # sockets and TLS, which few programs need

        start_distribution(
            options.node, None if options.cookie_file is None else read_cookie(Path(options.cookie_file))
        )
    if options.time_slice is not None:
        slices = TimeSlices(node, options.time_slice)
        slices.start()
        node.closing.append(slices.stop)


def _reservation(options: argparse.Namespace) -> Reservation:
    """Return the name that was taken for the node, or take one."""
    if options.listener is not None:
        listener = _socket.socket(fileno=options.listener)
        os.set_inheritable(options.listener, False)
        options.listener = None  # a second node of the same program takes the name anew
        return Reservation(options.name, socket_path(options.name), listener)
    return reserve([options.name] if options.name is not None else names_for(name_after(options.target)))


def _run(options: argparse.Namespace, late: LateStop) -> None:
    """Run the program as ``__main__``. An exception ends it as it would have ended python, in fewer lines."""
    sys.argv = [options.target, *options.words]
    try:
        if options.is_module:
            runpy.run_module(options.target, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(options.target, run_name="__main__")
    except SystemExit:
        raise
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BaseException as error:
        late.put_off()
        fail_with(error)
        if sys.excepthook is not sys.__excepthook__:  # the program reports its exceptions itself
            end = _ending(explain(Crash.from_exception(error)))
            late.wait_only_for(lambda: _report(options.ending, end))
            sys.excepthook(type(error), error, _own_traceback(error))
            raise end from None
        _tell_end(error, options.target)


def _tell_end(error: BaseException, target: str) -> NoReturn:
    """Say what a program ended with, and where."""
    match error:
        case ImportError():
            _tell(error)
            _fail(f"{target} could not be started, because an import failed: {error}.")
        case SyntaxError():
            _fail(f"{error.filename}, line {error.lineno}: {error.msg}. The program was not started.")
        case ProcessExit() | DistributionError():
            _fail(f"{target} ended: {error}", str(error))
    _tell(error)
    _fail(f"{target} ended with {type(error).__name__}: {error}", explain(Crash.from_exception(error)))


def _tell(error: BaseException) -> None:
    """Print the part of the traceback that is the program's, after those of the exceptions that led to it."""
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        _tell(earlier)
        print(f"{type(earlier).__name__}: {earlier}", file=sys.stderr)
        how = "was the direct cause of" if error.__cause__ else "was being handled at the time of"
        print(f"\nThat {how} the following exception:\n", file=sys.stderr)
    print("".join(traceback.format_tb(_own_traceback(error))), end="", file=sys.stderr)


def _own_traceback(error: BaseException) -> TracebackType | None:
    """Return the traceback of an exception without the frames that started the program."""
    trace = error.__traceback__
    while trace is not None and _is_of_launch(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_of_launch(file: str) -> bool:
    return file == __file__ or "runpy" in file or "importlib" in file


def _fail(sentence: str, cause: str | None = None) -> NoReturn:
    """Print a sentence and end with status 1; `cause` is what the observer is told, by default the sentence."""
    print(sentence, file=sys.stderr, flush=True)
    raise _ending(cause or sentence)


def _ending(cause: str) -> SystemExit:
    end = SystemExit(1)
    end.cause = cause  # type: ignore[attr-defined]
    return end


def _hold_on(lifeline: int) -> None:
    """Wait, on a native thread, until the observer is gone; then end this process."""
    try:
        while os.read(lifeline, 4_096):
            pass
    except OSError:
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    sleep(GRACE)
    os._exit(ENDED_BY_LIFELINE)


if __name__ == "__main__":
    main()
