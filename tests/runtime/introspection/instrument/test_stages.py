"""What answers observers is loaded in stages, between which the program goes on."""

from __future__ import annotations

import gc
import subprocess
import sys

import gevent

from runtime.introspection.instrument import stages
from runtime.kernel import plain_greenlet

MOST_AT_ONCE = 50
"""Modules that one stage may bring along: some of them are loaded in a few milliseconds."""

BROUGHT = """
import importlib, sys
import gevent
from runtime.introspection.instrument.stages import STAGES
for name in STAGES:
    before = len(sys.modules)
    importlib.import_module(name)
    print(name, len(sys.modules) - before)
"""

BUSY = """
import gevent
from runtime.introspection.instrument import stages
stages.AT_FIRST = stages.EACH = 0.0
hub = gevent.get_hub()
turns = []

def tick():
    while True:
        turns.append(None)
        gevent.sleep(0)

def done():
    print("loaded after", len(turns), "turns of", len(stages.STAGES))
    waiting.kill(block=False)

waiting = gevent.spawn(gevent.sleep, 60)
gevent.spawn(tick)
gevent.sleep(0)
turns.clear()
hub.loop.run_callback(stages.Loading(hub, lambda step: step(), done).begin)
waiting.join()
"""

ENDING = """
import gevent
from runtime.introspection.instrument import stages
stages.AT_FIRST = stages.EACH = 0.0
hub = gevent.get_hub()
hub.loop.run_callback(stages.Loading(hub, lambda step: step(), lambda: print("loaded")).begin)
gevent.wait()
print("end")
"""

TIMED = """
import gevent, time
from gevent import socket
from runtime.introspection.instrument import stages

here, there = socket.socketpair()
stages.STAGES = ("slow",)
stages.importlib.import_module = lambda name: time.sleep(2)
hub = gevent.get_hub()
hub.loop.run_callback(stages.Loading(hub, lambda step: step(), lambda: print("loaded")).begin)
with gevent.Timeout(1.8):
    gevent.spawn_later(0.01, there.send, b"an answer")
    print(here.recv(9))
"""

STRUCK = """
import gevent, random, signal
from runtime.introspection.instrument import stages

class Struck(Exception): pass

def strike(number, frame): raise Struck

signal.signal(signal.SIGALRM, strike)
loop = gevent.get_hub().loop
timers = [loop.timer(600) for _ in range(5)]
for timer in timers:
    timer.start(print)
stages.gc.get_objects = lambda: timers  # the search for them takes long, and there a strike does no harm
struck = lost = 0
while struck < 200:
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 6e-5))
        with stages._timers_held(loop): pass
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Struck:
        struck += 1
    lost += sum(not timer.active for timer in timers)
print(lost, "lost")
"""


def output_of(code: str) -> str:
    """Run Python code and return its output."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300).stdout


def test_no_stage_brings_along_much() -> None:
    brought = dict(line.split() for line in output_of(BROUGHT).splitlines())
    assert {name: count for name, count in brought.items() if int(count) > MOST_AT_ONCE} == {}


def test_on_a_busy_machine_the_program_goes_on_between_stages() -> None:
    words = output_of(BUSY).split()
    assert int(words[2]) >= int(words[5]) - 2


def test_loading_does_not_keep_a_program_that_has_nothing_left_to_do() -> None:
    assert output_of(ENDING) == "end\n"


def test_a_timeout_of_the_programs_does_not_run_out_while_it_is_loaded() -> None:
    assert output_of(TIMED).splitlines() == ["loaded", "b'an answer'"]


def test_no_timer_is_lost_wherever_the_handler_of_a_signal_raises() -> None:
    assert output_of(STRUCK) == "0 lost\n"


class Nameless(type):
    def __getattribute__(cls, name: str) -> object:
        if name == "__name__":
            raise SystemExit("no name")
        return type.__getattribute__(cls, name)


class Odd(metaclass=Nameless):
    def __init__(self) -> None:
        self.loop = self


class Loop:
    def update_now(self) -> None:
        """Do nothing."""


def test_an_object_of_the_programs_whose_class_cannot_be_asked_for_its_name_does_no_harm() -> None:
    odd = Odd()
    with stages._timers_held(Loop()):
        assert gc.is_tracked(odd)
    greenlet = gevent.Greenlet(lambda kept: None, odd)
    assert plain_greenlet._timer_of(greenlet) is None
