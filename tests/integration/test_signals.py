"""Ctrl-C and SIGTERM on real programs: the tree stops in order, and a second signal is immediate."""

import re
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest

from tests.support.nodes import eventually

TREE = """
    import os, sys, time
    from runtime import *

    class Member(GenServer):
        def init(self, name, slow=0.0):
            flag(trap_exit=True)
            self.name, self.slow = name, slow
        def handle_cast(self, message):
            print("hogging", flush=True)
            while True:
                pass
        def terminate(self, reason):
            print("stopping", self.name, reason, flush=True)
            sleep(self.slow)
            print("stopped", self.name, flush=True)

    def member(name, slow=0.0, shutdown=5.0):
        return ChildSpec(id=name, start=(Member.start_link, name, slow), shutdown=shutdown)

    def main():
        inner = ChildSpec(id="inner", type="supervisor", shutdown="infinity",
                          start=(lambda: Supervisor.start_link([member("b"), member("c", *SLOW)]),))
        top = Supervisor.start_link([member("a"), inner, member("d")])
        try:
            print("ready", flush=True)
            BODY
        finally:
            print("main is over", flush=True)

    run(main)
    print("after run", flush=True)
"""


class Program:
    """A program that runs, and what it printed."""

    def __init__(self, body: str = "receive()", slow: str = "0.0,", before: str = "") -> None:
        lines = textwrap.indent(textwrap.dedent(body).strip(), 8 * " ").lstrip()
        text = textwrap.dedent(TREE).replace("BODY", lines).replace("*SLOW", slow)
        text = text.replace("\ndef main", f"{textwrap.dedent(before)}\ndef main")
        pipe = subprocess.PIPE  # without a buffer: `communicate` would lose the lines in it
        self.process = subprocess.Popen([sys.executable, "-c", text], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)

    def wait_for(self, line: str) -> None:
        """Read until it has printed a line."""
        assert self.process.stdout is not None
        for printed in self.process.stdout:
            if printed.decode().strip() == line:
                return
        raise AssertionError(f"it never printed {line!r}: {self.process.stderr and self.process.stderr.read()!r}")

    def end(self, *signals: signal.Signals) -> tuple[list[str], str, int]:
        """Send signals, then end its input; give what it printed from now on, its errors, and its status at its end."""
        for number in signals:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=300)
        return out.decode().splitlines(), err.decode(), self.process.returncode


IN_ORDER = [
    "main is over",
    *("stopping d shutdown", "stopped d"),
    *("stopping c shutdown", "stopped c"),
    *("stopping b shutdown", "stopped b"),
    *("stopping a shutdown", "stopped a"),
]


def test_sigterm_stops_the_tree_in_order_and_is_the_status_and_says_nothing() -> None:
    program = Program()
    program.wait_for("ready")
    assert program.end(signal.SIGTERM) == (IN_ORDER, "", 128 + signal.SIGTERM)


def test_ctrl_c_stops_the_tree_in_order_and_is_the_status_and_says_nothing() -> None:
    program = Program()
    program.wait_for("ready")
    assert program.end(signal.SIGINT) == (IN_ORDER, "", 128 + signal.SIGINT)


def test_each_child_has_the_time_of_its_spec_and_no_more() -> None:
    program = Program(slow="1_000.0, 0.2")
    program.wait_for("ready")
    out, _, status = program.end(signal.SIGTERM)
    assert out == [line for line in IN_ORDER if line != "stopped c"]
    assert status == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_program_at_once(number: signal.Signals) -> None:
    program = Program(slow='1_000.0, "infinity"')
    program.wait_for("ready")
    program.process.send_signal(number)
    program.wait_for("stopping c shutdown")
    out, err, status = program.end(number)
    assert (out, err, status) == ([], "", -number)


def test_a_second_signal_ends_a_program_whose_hub_is_held() -> None:
    program = Program(body="cast([c.pid for c in which_children(top) if c.id == 'a'][0], 'hog'); receive()")
    program.wait_for("hogging")
    program.process.send_signal(signal.SIGINT)
    while program.process.poll() is None:  # the first may not have been looked at yet, and two at once are one
        program.process.send_signal(signal.SIGINT)
        try:
            program.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    assert program.end() == ([], "", -signal.SIGINT)


def test_a_first_process_that_traps_exits_is_told_and_ends_as_it_likes() -> None:
    program = Program(body="flag(trap_exit=True); print('ready', receive(), flush=True)")
    program.wait_for("ready")
    out, err, status = program.end(signal.SIGTERM)
    assert out == ["ready Exit(pid=<0.0.0>, reason='shutdown')", *IN_ORDER]
    assert (err, status) == ("", 128 + signal.SIGTERM)


@pytest.mark.parametrize(("error", "status"), [("SystemExit(3)", 3), ("ValueError('x')", 1)])
def test_a_handler_of_the_programs_own_that_raises_stops_the_tree_in_order(error: str, status: int) -> None:
    handler = f"lambda *_: (_ for _ in ()).throw({error})"
    program = Program(f"import signal; signal.signal(signal.SIGTERM, {handler}); print('set', flush=True); receive()")
    program.wait_for("set")
    out, err, code = program.end(signal.SIGTERM)
    assert (out, code) == (IN_ORDER, status)
    assert err == "" or err.splitlines()[-1] == "ValueError: x"


def test_a_program_that_catches_the_interrupt_goes_on_after_an_orderly_stop() -> None:
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from runtime import *\n"
            "def main():\n print('ready', flush=True)\n receive()\n"
            "try:\n run(main)\nexcept KeyboardInterrupt:\n print('caught', flush=True)\n"
            "print(run(lambda: 'a second node'))",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=300)[0] == "caught\na second node\n"
    assert program.returncode == 0


# -- One signal is enough -------------------------------------------------------------------------------------------

HOLDS = {
    "a blocking accept": """
            import gevent.socket
            listener = gevent.socket.create_server(("127.0.0.1", 0))
            print("held", flush=True)
            listener.accept()""",
    "a call into C": """
            print("held", flush=True)
            time.sleep(1_000)""",
    "a busy loop": """
            print("held", flush=True)
            while True:
                pass""",
    "a loop that swallows": """
            print("held", flush=True)
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass""",
    "a regular expression": """
            import re
            print("held", flush=True)
            re.match("(a+)+$", 80 * "a" + "b")""",
    "a lock of threading": """
            import threading
            print("held", flush=True)
            threading.Event().wait()""",
    "a handler of logging": """
            import logging
            class Deaf(logging.Handler):
                def emit(self, record):
                    print("held", flush=True)
                    while True:
                        pass
            logging.getLogger().addHandler(Deaf())
            logging.error("x")""",
    "an import": """
            import importlib.abc, importlib.machinery
            class Endless(importlib.abc.Loader):
                def exec_module(self, module):
                    print("held", flush=True)
                    while True:
                        pass
            class Finder(importlib.abc.MetaPathFinder):
                def find_spec(self, name, path, target=None):
                    return importlib.machinery.ModuleSpec(name, Endless()) if name == "endless" else None
            sys.meta_path.insert(0, Finder())
            import endless""",
    "a greenlet that is no process": """
            import gevent
            def hog():
                print("held", flush=True)
                while True:
                    pass
            gevent.spawn(hog)
            receive("nothing")""",
    "a raw greenlet": """
            import gevent
            def hog():
                print("held", flush=True)
                time.sleep(1_000)
            gevent.spawn_raw(hog)
            receive("nothing")""",
    "a callback of the loop": """
            import gevent
            def hog():
                print("held", flush=True)
                while True:
                    pass
            gevent.get_hub().loop.run_callback(hog)
            receive("nothing")""",
    "a busy loop of a child": """
            cast([c.pid for c in which_children(top) if c.id == "a"][0], "hog")
            receive("nothing")""",
}


@pytest.mark.parametrize("hold", HOLDS)
def test_one_sigterm_stops_a_tree_in_order_whatever_holds_the_hub(hold: str) -> None:
    program = Program(HOLDS[hold])
    program.wait_for("hogging" if "child" in hold else "held")
    out, _, status = program.end(signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    assert [line for line in out if line.startswith("stopped")] == [f"stopped {name}" for name in "dcba"]


def test_one_sigterm_stops_a_tree_although_the_first_process_ignores_it() -> None:
    program = Program("flag(trap_exit=True)\nprint('deaf', flush=True)\nwhile True: receive(('job',))")
    program.wait_for("deaf")
    out, err, status = program.end(signal.SIGTERM)
    assert [line for line in out if line.startswith("stopped")] == [f"stopped {name}" for name in "dcba"]
    assert (err, status) == ("", 128 + signal.SIGTERM)


@pytest.mark.parametrize("end", [(signal.SIGTERM,), ()], ids=["at SIGTERM", "when main returns"])
def test_processes_of_high_priority_that_never_wait_keep_no_tree_from_its_stop(end: tuple[signal.Signals, ...]) -> None:
    before = """
        def talk():
            flag(priority="high")
            other = receive()
            print("talking", flush=True)
            while True:
                send(other, 1)
                receive()
    """
    body = """
        pids = [spawn(talk) for _ in range(2)]
        for pid, other in (pids, pids[::-1]):
            send(pid, other)
        """ + ("receive()" if end else "")
    program = Program(body, before=before)
    program.wait_for("talking")
    out, err, status = program.end(*end)
    assert [line for line in out if line.startswith("stopped")] == [f"stopped {name}" for name in "dcba"]
    assert err == ""
    assert status == (128 + signal.SIGTERM if end else 0)


def test_a_sigterm_while_a_tree_starts_ends_what_has_started() -> None:
    late = "ChildSpec(id='late', start=(lambda: print('starts', flush=True) or Late.start_link(),))"
    server = "type('Late', (GenServer,), {'init': lambda self: receive()})"
    body = f"Late = {server}; Supervisor.start_link([member('first'), {late}])"
    program = Program(body)
    program.wait_for("starts")
    out, _, status = program.end(signal.SIGTERM)
    assert "stopped first" in out
    assert status == 128 + signal.SIGTERM


def test_a_sigterm_after_the_end_of_the_first_process_changes_only_the_status() -> None:
    reads = """
        import gevent.os
        def sleep(seconds):
            if seconds:
                gevent.os.tp_read(0, 1)  # until the signal has been sent
    """
    program = Program("pass", slow="1.0, 60.0", before=reads)
    program.wait_for("stopping c shutdown")
    out, _, status = program.end(signal.SIGTERM)
    assert [line for line in out if line.startswith("stopped")] == ["stopped c", "stopped b", "stopped a"]
    assert status == 128 + signal.SIGTERM


def test_what_cannot_be_interrupted_ends_with_the_program_and_is_named() -> None:
    program = Program("print('held', flush=True)\nos.system('exec sleep 1000 > /dev/null 2>&1')")
    program.wait_for("held")
    [sleeper] = eventually(lambda: psutil.Process(program.process.pid).children())
    _, err, status = program.end(signal.SIGTERM)
    sleeper.kill()
    assert status == 128 + signal.SIGTERM
    assert re.search(r"Process <0\.1\.0> has held the hub for \d+ s \(", err)
    assert err.endswith("could not be interrupted; the program ends without an orderly stop.\n")


LEFT = {
    "a thread": ("threading.Thread(target=time.sleep, args=(1000,), name='idler').start()", "threads (idler)"),
    "a thread pool": (
        "held = ThreadPoolExecutor(1); held.submit(time.sleep, 1000)",
        "threads (ThreadPoolExecutor-0_0)",
    ),
    "a function of atexit": ("atexit.register(time.sleep, 1000)", "functions of atexit"),
}


@pytest.mark.parametrize("left", LEFT)
def test_nothing_that_python_waits_for_at_its_end_keeps_a_program_that_was_told_to_stop(left: str) -> None:
    line, named = LEFT[left]
    imports = "import atexit, threading\nfrom concurrent.futures import ThreadPoolExecutor\n"
    program = Program(f"{imports}{line}\nprint('held', flush=True)\nreceive()")
    program.wait_for("held")
    out, err, status = program.end(signal.SIGTERM)
    assert out == IN_ORDER
    assert err == f"The program was told to stop and waits for {named}; after 5 s it ends without them.\n"
    assert status == 128 + signal.SIGTERM


def test_a_program_may_take_its_time_after_the_node_has_stopped() -> None:
    body = """
        import gevent
        run_to_the_end = run
        def run(main):
            try:
                run_to_the_end(main)
            finally:
                gevent.sleep(3)
                time.sleep(3)
                print("cleaned up", flush=True)
    """
    program = Program(before=body)
    program.wait_for("ready")
    out, err, status = program.end(signal.SIGTERM)
    assert out == [*IN_ORDER, "cleaned up"]
    assert (err, status) == ("", 128 + signal.SIGTERM)


def test_a_sigterm_to_a_forked_child_does_not_stop_its_parent() -> None:
    body = """
        begun, begins = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(begins, b"!")
            time.sleep(1000)
        os.read(begun, 1)
        os.kill(child, 15)
        os.waitpid(child, 0)
        sleep(1)
        print("goes on", flush=True)"""
    program = Program(body)
    program.wait_for("goes on")
    out, _, status = program.end()
    assert out[-1] == "after run"
    assert status == 0
