from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest

from runtime import Down, alive, exit, monitor, processes, receive, self_, send, sleep, whereis
from runtime.introspection.console.console import LABEL, Console, syntax_report
from runtime.kernel.node import this_node
from runtime.kernel.process import Pid
from tests.support.in_node import in_node


@contextmanager
def opened() -> Iterator[Console]:
    console = Console(this_node())
    console.open()
    try:
        yield console
    finally:
        console.close()


def evaluate(console: Console, source: str) -> list[str]:
    """Return what the console shows until the evaluation is over."""
    after = console.transcript.last
    assert console.evaluate(console.compile(source))
    while console.evaluating:
        sleep(0.01)
    settle()
    return "".join(each.text for each in console.transcript.after(after)[2]).splitlines()


def settle() -> None:
    """Let the hub do what it has to do next: another process takes the place of one that has ended."""
    for _ in range(3):
        gevent.sleep(0.001)


def pid_of(console: Console) -> Pid:
    assert console.process is not None
    return console.process.pid


@in_node
def test_values_are_shown_and_stay() -> None:
    with opened() as console:
        assert evaluate(console, "x = 40") == ["40"]
        assert evaluate(console, "x + 2") == ["42"]
        assert evaluate(console, "_ + 1") == ["43"]
        assert evaluate(console, "None") == []
        assert evaluate(console, "'a\\x1b[2Jb'") == ["'a\\x1b[2Jb'"]


@in_node
def test_the_console_is_a_process_with_a_pid_and_a_mailbox() -> None:
    with opened() as console:
        assert evaluate(console, "self_()") == [str(pid_of(console))]
        assert pid_of(console) in processes()
        assert evaluate(console, "register('me', self_()) and send('me', 1) and flush()") == ["[1]"]
        send(pid_of(console), "from outside")
        assert evaluate(console, "receive(timeout=1)") == ["'from outside'"]
        assert console.process is not None
        assert console.process.label == LABEL


@in_node
def test_messages_wait_while_nothing_is_evaluated() -> None:
    with opened() as console:
        for number in range(3):
            send(pid_of(console), number)
        assert evaluate(console, "flush()") == ["[0, 1, 2]"]


@in_node
def test_an_exception_is_shown_with_its_lines_and_the_names_stay() -> None:
    with opened() as console:
        first = pid_of(console)
        evaluate(console, "x = 1\ndef f(n):\n    return x / n")
        shown = evaluate(console, "f(0)")
        assert shown[-1] == "** ZeroDivisionError: division by zero"
        assert "    return x / n" in shown
        assert not any("runtime/" in line for line in shown)
        assert pid_of(console) != first
        assert not alive(first)
        assert evaluate(console, "x") == ["1"]


@in_node
def test_an_exception_ends_what_the_console_is_linked_to() -> None:
    with opened() as console:
        evaluate(console, "import runtime\nchild = spawn_link(receive, name='child')")
        child = whereis("child")
        assert child is not None
        ref = monitor(child)
        evaluate(console, "1 / 0")
        assert receive(Down, timeout=1).ref == ref
        assert evaluate(console, "alive(child)") == ["False"]


@in_node
def test_an_exit_signal_is_told_and_the_console_goes_on() -> None:
    with opened() as console:
        first = pid_of(console)
        after = console.transcript.last
        exit(first, "boom")
        settle()
        (text,) = console.transcript.after(after)[2]
        assert text.text == f"** (EXIT from {first}) boom; the console goes on in {pid_of(console)}\n"
        assert evaluate(console, "1") == ["1"]


@in_node
def test_the_crash_of_a_linked_process_is_told() -> None:
    with opened() as console:
        shown = evaluate(console, "pid = spawn_link(lambda: 1 / 0)\nsleep(1)")
        assert "(EXIT from" in shown[0]
        assert "ZeroDivisionError" in shown[0]


@in_node
def test_a_call_that_fails_is_shown_as_the_exception_that_it_raises() -> None:
    with opened() as console:
        first = pid_of(console)
        shown = evaluate(console, "call('nobody', 1)")
        assert shown[-1].startswith("** runtime.CallError: call to nobody failed: noproc: no process is reg")
        assert "in <module>" in shown[0]
        assert pid_of(console) != first


@in_node
def test_a_second_program_waits_for_nobody() -> None:
    with opened() as console:
        assert console.evaluate(console.compile("sleep(5)"))
        assert not console.evaluate(console.compile("1"))


@in_node
def test_what_its_processes_print_is_the_consoles_and_what_others_print_is_not() -> None:
    from io import StringIO

    before = sys.stdout
    other = sys.stdout = StringIO()
    try:
        with opened() as console:
            shown = evaluate(console, "spawn(lambda: spawn(lambda: print('grandchild')))\nprint('own')\nsleep(0.1)")
            print("another's")
            assert shown == ["own", "grandchild"]
        assert sys.stdout is other
        assert other.getvalue() == "another's\n"
    finally:
        sys.stdout = before


@in_node
def test_closing_ends_the_process_and_leaves_nothing() -> None:
    before = processes()
    stdout = sys.stdout
    with opened() as console:
        evaluate(console, "x = 1")
        names = console.names
    settle()
    assert processes() == before
    assert sys.stdout is stdout
    assert not names
    console.close()


@pytest.mark.parametrize("typed", ["x = 1", "flag(trap_exit=True)"])
@in_node
def test_that_an_observer_has_left_is_no_failure(typed: str) -> None:
    with opened() as console:
        evaluate(console, typed)
        watched = monitor(pid_of(console))
    assert receive(Down, timeout=5) == Down(watched, pid_of(console), "shutdown")


@in_node
def test_names_are_completed() -> None:
    with opened() as console:
        evaluate(console, "word = 'text'")
        assert "spawn_link(" in console.completions("spawn")
        assert [each.rstrip("()") for each in console.completions("word.upp")] == ["word.upper"]
        assert console.completions("nothing_like_it") == []


@in_node
def test_it_does_not_matter_who_else_is_there() -> None:
    with opened() as one, opened() as other:
        assert evaluate(one, "x = 1; print(x)") == ["1"]
        assert evaluate(other, "print('other'); x = 2") == ["other", "2"]
        assert evaluate(one, "x") == ["1"]
        assert self_() not in (pid_of(one), pid_of(other))


def test_source_that_cannot_be_compiled_is_shown_with_the_place() -> None:
    with pytest.raises(SyntaxError) as raised:
        compile("x = = 1", "<console 1:1>", "exec")
    shown = syntax_report(raised.value).splitlines()
    assert shown == ["  x = = 1", "      ^", "** SyntaxError: invalid syntax (line 1)"]
    assert "too deep" in syntax_report(ValueError("it is nested too deeply"))
