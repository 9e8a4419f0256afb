"""Threads, programs and forks that a process starts."""

import subprocess
import threading
from typing import Any

import gevent
import gevent.local
import gevent.subprocess
import gevent.threadpool
import pytest

from runtime import (
    Down,
    exit,
    receive,
    run,
    sleep,
    spawn_monitor,
)
from tests.support.contained import end_of, script


def test_the_work_of_a_thread_pool_outlives_its_process_and_tells_nobody() -> None:
    done: list[int] = []

    def main() -> list[Any]:
        pool = gevent.threadpool.ThreadPool(1)
        begun = gevent.get_hub().loop.async_()
        event = gevent.event.Event()
        begun.start(event.set)
        blocker = threading.Event()

        def work() -> int:
            begun.send()
            blocker.wait(30)
            done.append(1)
            return 1

        pid, _ = spawn_monitor(pool.apply, work)
        event.wait()
        exit(pid, "kill")
        first = receive(Down).reason
        blocker.set()
        others = [end_of(sleep, 0.001) for _ in range(5)]
        pool.join()
        begun.close()
        pool.kill()
        return [first, *others]

    assert run(main) == ["killed"] + ["normal"] * 5
    assert done == [1]


def test_a_killed_process_ends_the_program_it_has_started_and_leaves_no_zombie() -> None:
    children: list[Any] = []

    def work() -> None:
        child = gevent.subprocess.Popen(["sleep", "60"])
        children.append(child)
        try:
            child.wait()
        finally:
            child.kill()

    def main() -> Any:
        pid, _ = spawn_monitor(work)
        while not children:
            sleep(0.001)
        exit(pid, "kill")
        reason = receive(Down).reason
        children[0].wait()
        return reason

    assert run(main) == "killed"
    assert children[0].returncode == -9


def test_a_process_may_run_programs() -> None:
    def main() -> Any:
        return gevent.subprocess.check_output(["echo", "hello"]), subprocess.check_output(["echo", "again"])

    assert run(main) == (b"hello\n", b"again\n")


FORKS = """
    import os, sys
    import gevent
    from runtime import *

    class Forker(GenServer):
        def handle_call(self, request, caller):
            child = os.fork()
            return child if child else in_child(request)
        def handle_cast(self, message):
            print("cast", os.getpid() == parent, flush=True)

    def in_child(what):
        match what:
            case "return":
                return None
            case "raise":
                raise ValueError("in the child")
            case "exit":
                sys.exit(7)
            case "wait":
                gevent.sleep(0.2)
                print("waited", flush=True)
            case "send":
                send("main", "from the child")
                cast("forker", "from the child")
            case "receive":
                try:
                    receive()
                except RuntimeFault as fault:
                    print(fault, flush=True)
            case "spawn":
                print(alive(spawn(print, "it runs")), flush=True)

    def ticker():
        while True:
            gevent.sleep(0.01)
            sleep(0.01)
            if os.getpid() != parent:
                print("the ticker runs in the child", flush=True)

    def main():
        register("main", self_())
        forker = Forker.start_link(name="forker")
        spawn(ticker)
        sleep(0.03)
        cast(forker, "x") if sys.argv[2] == "queued" else None
        child = call(forker, sys.argv[1]) if sys.argv[2] != "plain" else os.fork() or in_child(sys.argv[1])
        if os.getpid() != parent:
            return print("main goes on in the child", flush=True) if sys.argv[2] != "plain" else None
        _, status = os.waitpid(child, 0)
        sleep(0.05)
        print("status", os.waitstatus_to_exitcode(status), receive(timeout=0, default="no message"), flush=True)

    parent = os.getpid()
    run(main)
    print("over", os.getpid() == parent, flush=True)
"""


@pytest.mark.parametrize("where", ["server", "plain"])
@pytest.mark.parametrize(
    ("what", "printed", "status"),
    [
        ("return", "", 0),
        ("raise", "", 1),
        ("exit", "", 7),
        ("wait", "waited\n", 0),
        ("send", "", 0),
        ("receive", "the child of os.fork() has no processes; start programs with subprocess instead\n", 0),
        ("spawn", "False\n", 0),
    ],
)
def test_the_child_of_a_fork_runs_the_code_that_forked_and_nothing_else_of_the_node(
    where: str, what: str, printed: str, status: int
) -> None:
    assert script(FORKS, what, where) == f"{printed}status {status} no message\nover True\n"


def test_a_child_that_was_forked_outside_any_process_may_have_a_node_of_its_own() -> None:
    printed = script(
        """
        import os
        import gevent
        from runtime import *

        def hold():
            spawn(receive)
            gevent.sleep(0)
            child = os.fork()
            if not child:
                print(processes(), run(lambda: len(processes())), flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            print(len(processes()))

        hold()
        """
    )
    assert printed == "[] 1\n1\n"
