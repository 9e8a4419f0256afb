"""The hub looks after a node before each wait, but not in a program that is only observed."""

from __future__ import annotations

import subprocess
import sys

OBSERVED = """
import gevent
from runtime import spawn
from runtime.kernel.node import Node, this_node

looks = []
look_after = Node._look_after
Node._look_after = lambda node: (looks.append(None), look_after(node))

def looks_in(waits):
    looks.clear()
    for _ in range(waits):
        gevent.sleep(0.001)
    return len(looks)

this_node()
print(looks_in(100) <= 10)
spawn(int)
print(looks_in(100) >= 100)
"""


def test_the_hub_of_a_program_without_processes_is_left_alone() -> None:
    done = subprocess.run([sys.executable, "-c", OBSERVED], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == ["True", "True"]


LOST = """
import gevent, gevent.event
from runtime.kernel.node import this_node

node = this_node()
called = gevent.event.Event()
node._inbox.calls.append((called.set, ()))  # as if the knock had been lost to an exception
print(called.wait(30))
"""


def test_what_a_thread_has_asked_for_is_found_without_processes_too() -> None:
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "True\n"


STRUCK = """
from runtime import run, sleep
from runtime.kernel.node import Node, this_node

look_after = Node._look_after
strikes = []

def struck(node):
    if strikes:
        strikes.pop()
        node.timers._watcher.stop()  # as where an exception has struck what was to fire
        raise LookupError
    look_after(node)

Node._look_after = struck

def main():
    this_node().hub.print_exception = lambda *error: None
    sleep(0.01)
    strikes.append(True)
    sleep(0.01)

run(main)
print(strikes)
"""


def test_a_wait_ends_although_exceptions_have_struck_a_timer_and_the_look_before_the_wait() -> None:
    done = subprocess.run([sys.executable, "-c", STRUCK], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "[]\n"
