"""The figures of a node: what is counted, and that sums never go back."""

from __future__ import annotations

import errno
import os
import resource
import signal
import time
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import (
    exit,
    install_instrument,
    receive,
    register,
    remove_instrument,
    run,
    self_,
    send,
    send_after,
    sleep,
    spawn,
    unregister,
)
from runtime.introspection.answers import node_figures
from runtime.introspection.measuring.resident_memory import ResidentMemory
from runtime.introspection.threads.pace import Pace
from runtime.introspection.wire import NodeStats
from tests.support.in_node import in_node
from tests.support.trees import Observer


def _stats(observer: Observer) -> NodeStats:
    return observer.node.figures.stats(Pace())


@in_node
def test_processes_messages_names_and_timers_are_counted() -> None:
    observer = Observer()
    before = _stats(observer)
    pids = [spawn(lambda: (receive(), receive())) for _ in range(3)]
    for pid in pids[:2]:
        send(pid, "hello")
    exit(pids[2], "kill")
    register("shop", self_())
    send_after(self_(), "late", 60)
    sleep(0)
    after = _stats(observer)
    assert after.spawned == before.spawned + 3
    assert after.exited == before.exited + 1
    assert after.process_count == before.process_count + 2
    assert after.messages == before.messages + 2
    assert after.reductions > before.reductions
    assert (after.names, after.timers) == (before.names + 1, before.timers + 1)
    assert (after.os_pid, after.name, after.read_only) == (os.getpid(), "test", False)
    assert after.rss > 1_000_000
    unregister("shop")


@in_node
def test_what_dead_processes_had_taken_is_still_counted() -> None:
    observer = Observer()
    install_instrument(observer.log)
    pid = spawn(lambda: (receive(), receive()))
    send(pid, "hello")
    sleep(0)
    before = _stats(observer)
    exit(pid, "kill")
    sleep(0)
    observer.log.past_messages, kept = 0, observer.log.past_messages
    assert kept == 1
    assert _stats(observer).messages == before.messages  # also at the moment when it is in neither sum
    observer.log.past_messages = kept
    assert _stats(observer).messages == before.messages
    remove_instrument(observer.log)


@in_node
def test_who_holds_the_hub_is_in_the_figures_while_it_does() -> None:
    observer = Observer()
    assert (_stats(observer).hub_busy_with, _stats(observer).hub_busy_at) == (None, None)
    me = self_()
    observer.watchdog.busy_at, observer.watchdog.busy_with = "hog.py:7 in work", me.process
    assert (_stats(observer).hub_busy_with, _stats(observer).hub_busy_at) == (str(me), "hog.py:7 in work")
    observer.watchdog.busy_with = None
    assert _stats(observer).hub_busy_with == "?"


@in_node
def test_a_note_says_what_is_older_than_the_figures() -> None:
    assert Observer().node.figures.stats(Pace(), "sorted 2 s ago").scope == "sorted 2 s ago"


def test_the_settings_name_versions_and_limits() -> None:
    def settings() -> dict[str, str]:
        return Observer().node.figures.settings()

    plain, sliced = run(settings), run(settings, time_slice=0.005)
    assert plain["python"].startswith("3.")
    assert (plain["time slice"], sliced["time slice"]) == ("off", "5 ms")
    assert plain["watchdog limit"].endswith(" ms")
    assert " allowed" in plain["open files"]
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_a_system_without_a_limit_or_a_count_of_files_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = (resource.RLIM_INFINITY,) * 2
    monkeypatch.setattr(resource, "getrlimit", lambda what: unlimited)

    class System:
        def num_fds(self) -> int:
            raise AttributeError

    assert node_figures._open_files(System()) == "any number allowed"  # type: ignore[arg-type]


def test_a_program_that_has_opened_all_the_files_it_may_is_still_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(resource, "getrlimit", lambda what: (40, 40))
    system: Any = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=1_000), num_fds=refuse)
    resident = ResidentMemory()
    resident.system = system
    assert resident.read() == 1_000
    system.memory_info = refuse
    assert resident.read() == 1_000, "what it was last"
    assert node_figures._open_files(system) == "all of 40 allowed"


@in_node
def test_the_system_is_asked_for_memory_and_settings_now_and_then_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    present = 1_000.0
    clock = SimpleNamespace(monotonic=lambda: present, time=time.time, process_time=time.process_time)
    monkeypatch.setattr(node_figures, "time", clock)
    figures = Observer().node.figures
    sizes = iter((1_000, 2_000, 3_000))
    system = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=next(sizes)), num_fds=lambda: 7)
    figures._resident.system = system  # type: ignore[assignment]

    def seen() -> tuple[int, bool]:
        return figures.stats(Pace()).rss, figures.settings()["open files"].startswith("7 ")

    assert [seen(), seen()] == [(1_000, True)] * 2
    system.num_fds = lambda: 8
    present += 1.01 * node_figures.MEMORY_EVERY
    assert [seen(), seen()] == [(2_000, True)] * 2
    present += node_figures.SETTINGS_EVERY
    assert seen() == (3_000, False)
