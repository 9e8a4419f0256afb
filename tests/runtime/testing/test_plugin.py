"""The plugin as a project uses it: pytest runs in a process of its own on small test modules."""

from __future__ import annotations

import pytest

from tests.support.copies import Original

PYTEST = Original("pytest", "runtime.testing", "runtime.timer")

pytest_plugins = ["pytester"]

BEGIN = """
import gevent, pytest
from runtime import *
from runtime import timer
from runtime.testing import *

pytest_plugins = ["runtime.testing"]

class Counter(GenServer):
    def init(self, start=0):
        flag(trap_exit=True)
        self.count = start
    def handle_call(self, request, caller):
        if request == "crash":
            raise KeyError("no such customer")
        self.count += 1
        return self.count
    def handle_info(self, message):
        print("still there")
    def terminate(self, reason):
        print("stopped", self.count)
"""


@pytest.fixture(autouse=True)
def without_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load no plugin that happens to be installed here: that takes ten times as long as the tests themselves."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def outcomes(pytester: pytest.Pytester, source: str) -> tuple[dict[str, int], str]:
    """Run a test module and return how its tests ended, and all that was printed."""
    pytester.makepyfile(BEGIN + source)
    base = pytester.mkdir("temporary")
    ended = PYTEST.run("pytest", f"--basetemp={base}", "-q", "-p", "no:cacheprovider", "-W", "error", "-rA")
    return pytest.RunResult.parse_summary_nouns(ended.stdout.splitlines()), ended.stdout


def test_each_test_is_a_process_of_a_fresh_node(pytester: pytest.Pytester) -> None:
    ended, _ = outcomes(
        pytester,
        """
def test_first(): register("me", self_()); assert len(processes()) == 3
def test_second(): register("me", self_()); assert len(processes()) == 3
""",
    )
    assert ended == {"passed": 2}


def test_a_module_that_uses_nothing_of_the_plugin_runs_as_always(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["runtime.testing"]')
    pytester.makepyfile(
        """
import pytest
from runtime import NotInProcessError, run, self_

@pytest.fixture
def clock(): return "another project's clock"

def test_outside(clock):
    with pytest.raises(NotInProcessError): self_()
    assert run(lambda: 7) == 7

@pytest.mark.node
def test_inside(): self_()

class Shy(type):
    def __getattribute__(self, name): raise AssertionError(name)

class Value(metaclass=Shy):
    def __getattribute__(self, name): raise AssertionError(name)

value = type.__call__(Value)
"""
    )
    assert pytester.runpytest_subprocess("-q", "-W", "error").parseoutcomes() == {"passed": 2}


def test_supervised_children_are_stopped_newest_first_before_the_next_test(pytester: pytest.Pytester) -> None:
    ended, printed = outcomes(
        pytester,
        """
def test_two(start_supervised):
    for number in (1, 2):
        start_supervised(ChildSpec(id=number, start=(Counter.start_link, number)))
def test_gone(): assert whereis("counter") is None
""",
    )
    assert ended == {"passed": 2}
    assert printed.index("stopped 2") < printed.index("stopped 1")


def test_a_test_that_is_ended_by_an_exit_signal_fails_with_the_reason(pytester: pytest.Pytester) -> None:
    ended, printed = outcomes(
        pytester,
        """
def fail(): raise KeyError("no such customer")
def test_linked(): spawn_link(fail); receive()
def test_next(): pass
""",
    )
    assert ended == {"failed": 1, "passed": 1}
    assert "an exit signal ended the test's process: KeyError: 'no such customer'" in printed


def test_failures_skips_and_expected_failures_are_what_they_always_are(pytester: pytest.Pytester) -> None:
    ended, printed = outcomes(
        pytester,
        """
def test_fails(): assert 1 + 1 == 3
def test_skips(): pytest.skip("not today")
@pytest.mark.xfail(strict=True)
def test_is_expected_to_fail(): raise ValueError
@pytest.mark.parametrize("n", [1, 2])
def test_takes_arguments(n, tmp_path): assert n and tmp_path.exists()
""",
    )
    assert ended == {"failed": 1, "skipped": 1, "xfailed": 1, "passed": 2}
    assert "assert (1 + 1) == 3" in printed


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('spawn(receive, label="forgotten")', ["'forgotten'", "receive"]),
        ('spawn(receive, name="registered")', ["'registered'"]),
        ("gevent.spawn(gevent.sleep, 1000)", ["greenlet", "sleep"]),
    ],
)
def test_what_a_test_leaves_behind_fails_it(pytester: pytest.Pytester, body: str, named: list[str]) -> None:
    ended, printed = outcomes(pytester, f"def test_leaves(): {body}\ndef test_next(): assert len(processes()) == 3\n")
    assert ended == {"passed": 2, "errors": 1}
    assert "the test left behind:" in printed
    assert [word for word in named if word not in printed] == []


def test_a_timer_that_a_fixture_has_left_fails_the_test(pytester: pytest.Pytester) -> None:
    ended, printed = outcomes(
        pytester,
        """
@pytest.fixture
def late(): send_after(self_(), "late", 1000)
def test_leaves(late): pass
""",
    )
    assert ended == {"passed": 1, "errors": 1}
    assert "timer that will send 'late'" in printed


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('send_after(self_(), "late", 1000)', "set for the test at "),
        ('monitor(start_supervised(Counter.child_spec(name="till")))', "'till' running"),
        ('timer.send_interval(self_(), "often", 1000)', "'timer' running runtime.timer._fire_often, started by"),
    ],
)
def test_a_timer_or_a_monitor_that_a_test_has_left_fails_it(pytester: pytest.Pytester, body: str, named: str) -> None:
    ended, printed = outcomes(pytester, f"def test_leaves(): {body}\ndef test_next(): pass\n")
    assert ended == {"passed": 2, "errors": 1}
    assert named in printed


def test_what_a_test_that_fails_has_left_is_no_second_failure(pytester: pytest.Pytester) -> None:
    ended, _ = outcomes(pytester, 'def test_fails(): send_after(self_(), "late", 1000); assert 0\n')
    assert ended == {"failed": 1}


def test_what_a_fixture_that_fails_has_left_is_gone_before_the_next_test(pytester: pytest.Pytester) -> None:
    ended, _ = outcomes(
        pytester,
        """
@pytest.fixture
def broken(): spawn(receive); gevent.spawn(gevent.sleep, 1000); yield; assert 0
def test_first(broken): pass
def test_next(): assert len(processes()) == 3
""",
    )
    assert ended == {"passed": 2, "errors": 1}


def test_what_is_linked_with_a_test_ends_with_it(pytester: pytest.Pytester) -> None:
    ended, _ = outcomes(pytester, "def test_links(): Counter.start_link(); spawn_link(receive)\n")
    assert ended == {"passed": 1}


def test_the_clock_jumps_and_takes_no_time(pytester: pytest.Pytester) -> None:
    ended, printed = outcomes(
        pytester,
        """
def test_timers(clock):
    before = now()
    for seconds in (3600, 60):
        send_after(self_(), ("after", seconds), seconds)
    clock.advance(3601)
    assert flush() == [("after", 60), ("after", 3600)]
    assert now() == before + 3601
""",
    )
    assert ended == {"passed": 1}, printed
