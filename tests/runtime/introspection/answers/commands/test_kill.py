"""`Exit` is answered with what came of the signal. Processes that hold the hub are killed in the tests of programs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import pytest

from runtime import Exit, alive, flag, install_instrument, receive, remove_instrument, sleep, spawn
from runtime.introspection import wire
from runtime.introspection.answers.commands import kill
from runtime.kernel.process import OUTSIDE, Pid, Process
from runtime.kernel.signals import exit_signal
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.trees import Observer


def _done(observer: Observer, pid: object, reason: str = "'kill'") -> wire.Done:
    answer = in_thread(lambda: observer.ask(wire.Exit(pid=str(pid), reason=reason)))
    assert isinstance(answer, wire.Done), answer
    return answer


@in_node
def test_a_process_that_ends_is_said_to_have_and_the_event_is_the_cause_of_its_exit() -> None:
    observer = Observer()
    install_instrument(observer.log)
    first, second = spawn(receive), spawn(receive)
    killed = _done(observer, first)
    assert killed.sentence == f"Killed {first}."
    assert _done(observer, second, "('no', 'disk')").sentence == f"Ended {second} with (no, disk)."
    assert not alive(first)
    remove_instrument(observer.log)
    kinds = {event.id: event for event in observer.events()}
    exited = next(event for event in kinds.values() if (event.kind, event.pid) == ("exit", str(first)))
    assert exited.cause == killed.event
    assert kinds[killed.event or 0].kind == "kill"


@in_node
def test_a_process_that_lives_on_is_said_to_and_why() -> None:
    observer = Observer()
    told: list[object] = []

    def trap() -> None:
        flag(trap_exit=True)
        told.append(receive(Exit).reason)
        receive()

    trapping, plain = spawn(trap), spawn(receive)
    while not (trapping.process and trapping.process.trap_exit):
        sleep(0)
    text = _done(observer, trapping, "'boom'").sentence
    assert text == f"Sent boom to {trapping}, which traps exits and has it as a message."
    while not told:
        sleep(0)
    assert told == ["boom"]
    assert _done(observer, plain, "'normal'").sentence == (
        f"Sent normal to {plain}, which takes no notice of that reason."
    )
    assert alive(trapping)
    assert alive(plain)


@in_node
def test_frames_that_run_on_are_named_and_interrupted_by_a_second_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill, "SETTLES_WITHIN", 0.05)
    observer = Observer()
    pid = spawn(_linger)
    sleep(0)
    text = _done(observer, pid).sentence
    assert text.startswith(
        f"Killed {pid}: it has ended for all others, and its frames are still cleaning up at test_kill.py:"
    )
    assert text.endswith(" in _linger; kill it again to stop them.")
    text = _done(observer, pid).sentence
    assert text.startswith(f"{pid} had ended already; its frames were still running at ")
    assert text.endswith(" in _linger: they wait again, and are interrupted from time to time.")
    over.append(True)
    last = in_thread(lambda: observer.ask(wire.Exit(pid=str(pid), reason="'kill'")))
    ended_before = wire.Failed(why=f"There is no process {pid}: it has ended.", kind="noproc")  # it was interrupted
    assert last == ended_before or last.sentence.endswith(": they have ended now.")
    answer = in_thread(lambda: observer.ask(wire.Exit(pid=str(pid))))
    assert answer == wire.Failed(why=f"There is no process {pid}: it has ended.", kind="noproc")


over: list[bool] = []


def _linger() -> None:
    with suppress(BaseException):
        receive()
    while not over:
        with suppress(BaseException):
            gevent.sleep(60)


@in_node
def test_a_greenlet_is_killed_and_its_end_is_no_crash() -> None:
    observer = Observer()
    observer.greenlets.switch_on()
    greenlet = gevent.spawn(gevent.sleep, 60)
    killed = _done(observer, "g1")
    assert killed.sentence == "Killed g1."
    assert greenlet.dead
    sleep(0.01)  # what is linked to a greenlet is called in the hub's next turn
    ended = [event for event in observer.events() if event.kind == "exit"]
    assert [event.cause for event in ended] == [killed.event]
    observer.greenlets.switch_off()


@in_node
def test_a_process_that_ends_before_its_kill_arrives_is_said_to_be_gone() -> None:
    observer = Observer()
    pid: Pid = spawn(receive)
    process = pid.process
    assert process is not None
    observer.node.calls.in_hub = _after(process, observer.node.calls.in_hub)  # type: ignore[method-assign]
    answer = in_thread(lambda: observer.ask(wire.Exit(pid=str(pid))))
    assert answer == wire.Failed(why=f"There is no process {pid}: it has ended.", kind="noproc")


def _after(process: Process, in_hub: Callable[..., Any]) -> Callable[..., Any]:
    def ended_first(function: object, **options: object) -> object:
        in_hub(lambda: exit_signal(process, OUTSIDE, "kill"))
        return in_hub(function, **options)

    return ended_first
