"""What a test leaves behind: processes, names, timers, monitors and greenlets that outlive it."""

from __future__ import annotations

from types import FrameType

import gevent

from runtime import Instrument, Pid, exit, install_instrument, process_info, processes, remove_instrument, sleep
from runtime.kernel.body import PlainBody
from runtime.kernel.node import current, this_node
from runtime.kernel.process import Process, Timer
from runtime.terms.text import render
from runtime.testing.places import PlacedDict, is_of_program, place_here

GRACE = 0.1
"""Seconds that what is about to end has for ending."""

INTERVAL = "runtime.timer._fire_often"
"""What the processes of `timer.send_interval` and `timer.apply_interval` run."""


class LeftBehind(AssertionError):
    """A test ended and something it started did not; the text says what it is and where it waits."""


class _Starts(Instrument):
    """Where the processes that run were started."""

    def __init__(self) -> None:
        self.places: dict[Pid, str] = {}

    def spawned(self, process: Process) -> None:
        """Note the line that starts it."""
        self.places[process.pid] = place_here()

    def exited(self, process: Process, reason: object, cause: object) -> None:
        """Forget it."""
        self.places.pop(process.pid, None)


class Leftovers:
    """Watches from the start of a test for what it starts, and tells at its end what is still there.

    Made in the process in which fixtures run.
    """

    def __init__(self) -> None:
        node = this_node()
        self.before = {*processes()}
        self.names = {*node.names}
        self.had_name = node.cluster is not None
        """Whether other nodes could reach this one. A pool of peers in a test gives it a name."""
        self.timers: PlacedDict[Timer] = PlacedDict(node.timers.pending)
        node.timers.pending = self.timers
        _place_monitors(current())
        self.greenlets: list[tuple[gevent.Greenlet[..., object], str]] = []
        self.of_test: list[str] = []
        """What the test's own process had when the test had passed."""
        self.starts = _Starts()
        install_instrument(self.starts)
        gevent.Greenlet.add_spawn_callback(self._note_greenlet)

    def _note_greenlet(self, greenlet: gevent.Greenlet[..., object]) -> None:
        self.greenlets.append((greenlet, place_here()))

    def begin_test(self) -> None:
        """Note where the calling process, a test's, sets its monitors."""
        _place_monitors(current())

    def note_test(self) -> None:
        """Note the timers and monitors of the calling process: a test's, which ends now and takes them along."""
        process = current()
        if process is not None:
            self.of_test = [*self._held_by(process, "the test"), *self._intervals_of(process)]

    def _intervals_of(self, process: Process) -> list[str]:
        """Return a line for each interval of `runtime.timer` that ends with a process, the last of its arguments."""
        return [
            _process_line(timer.pid, self.starts.places.get(timer.pid, ""))
            for timer in this_node().processes()
            if timer.initial_call == INTERVAL
            and isinstance(timer.body, PlainBody)
            and timer.body.args[-1] == process.pid
        ]

    def check(self) -> None:
        """Raise LeftBehind if something is still there after `GRACE`; it is ended first."""
        self._look_away()
        for _ in range(10):
            if not (self._processes() or self._greenlets()):
                break
            sleep(GRACE / 10)
        lines = [
            *self.of_test,
            *(_process_line(pid, self.starts.places.get(pid, "")) for pid in self._processes()),
            *self._name_lines(),
            *self._held_lines(),
            *(_greenlet_line(greenlet, place) for greenlet, place in self._greenlets()),
        ]
        self._end()
        if lines:
            raise LeftBehind("the test left behind:\n" + "\n".join(f"- {line}" for line in lines))

    def _processes(self) -> list[Pid]:
        return [pid for pid in processes() if pid not in self.before]

    def _greenlets(self) -> list[tuple[gevent.Greenlet[..., object], str]]:
        return [(greenlet, place) for greenlet, place in self.greenlets if not greenlet.dead]

    def _name_lines(self) -> list[str]:
        """Return a line for each new name of a process that was there before the test."""
        names = this_node().names.items()
        new = [(name, process.pid) for name, process in names if name not in self.names and process.pid in self.before]
        return [f"name {render(name)} of {_called(pid)}, which was there before the test" for name, pid in new]

    def _held_lines(self) -> list[str]:
        """Return a line for each timer and monitor of a process that was there before the test, or of a name."""
        lines = []
        for process in this_node().processes():
            if process.pid in self.before:
                lines += self._held_by(process, "a fixture")
        for number, timer in self.timers.items():
            if not isinstance(timer.dest, Pid):
                message = render(timer.message)
                lines.append(f"timer that will send {message} to {render(timer.dest)}, set{self.timers.told(number)}")
        return lines

    def _held_by(self, process: Process, owner: str) -> list[str]:
        """Return a line for each timer and monitor of a process."""
        monitors = process.monitors or {}
        return [
            *(
                f"timer that will send {render(timer.message)} to {process.pid}, set for {owner}"
                f"{self.timers.told(number)}"
                for number, timer in (process.timers or {}).items()
            ),
            *(
                f"monitor of {_called(target.pid)}, set by {owner}"
                f"{monitors.told(number) if isinstance(monitors, PlacedDict) else ''}"
                for number, target in monitors.items()
            ),
        ]

    def clear(self) -> None:
        """End what is there, without a word: another failure has been told already."""
        self._look_away()
        self._end()

    def _look_away(self) -> None:
        gevent.Greenlet.remove_spawn_callback(self._note_greenlet)
        remove_instrument(self.starts)
        if this_node().cluster is not None and not self.had_name:
            from runtime import stop_distribution  # few tests are about other nodes

            stop_distribution()

    def _end(self) -> None:
        for pid in self._processes():
            exit(pid, "kill")
        gevent.killall([greenlet for greenlet, _ in self._greenlets()], block=False)


def _place_monitors(process: Process | None) -> None:
    """Let a process note where it sets its monitors."""
    if process is not None:
        process.monitors = PlacedDict(process.monitors or {})


def _called(pid: Pid) -> str:
    info = process_info(pid, "registered_name", "label", "initial_call")
    if info is None:
        return str(pid)
    name = info["registered_name"] or info["label"]
    return f"{pid}{f' {render(name)}' if name else ''} running {info['initial_call']}"


def _process_line(pid: Pid, place: str) -> str:
    info = process_info(pid, "registered_name", "label", "initial_call", "current_stacktrace", "parent")
    if info is None:
        return f"process {pid}, which ends just now"
    called = info["registered_name"] or info["label"]
    stack = [frame for frame in info["current_stacktrace"] if is_of_program(frame.file)]
    at = f", at {stack[-1].file}:{stack[-1].line} in {stack[-1].function}" if stack else ""
    name = f" {render(called)}" if called else ""
    started = f"started by {info['parent']}{f' at {place}' if place else ''}"
    return f"process {pid}{name} running {info['initial_call']}{at}, {started}"


def _greenlet_line(greenlet: gevent.Greenlet[..., object], place: str) -> str:
    """Say which greenlet it is, where it waits, and where it was started."""
    frame: FrameType | None = greenlet.gr_frame
    while frame is not None and not is_of_program(frame.f_code.co_filename):
        frame = frame.f_back
    at = "" if frame is None else f", at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
    return f"greenlet {greenlet!r}{at}{f', started at {place}' if place else ''}"
