"""`run`: what it returns and raises, and that a program which fails says what failed, and where."""

from __future__ import annotations

import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from runtime import (
    ChildSpec,
    Crash,
    Exit,
    GenServer,
    Instrument,
    RuntimeFault,
    Stop,
    Supervisor,
    application,
    cast,
    exit,
    flag,
    install_instrument,
    receive,
    remove_instrument,
    run,
    self_,
    sleep,
    spawn,
    spawn_link,
)
from runtime import (
    node as node_name,
)
from runtime.boot.run import COLLECT_AFTER
from runtime.terms.errors import ProcessExit
from tests.support.other_nodes import new_name

HERE = "tests/runtime/boot/test_run.py"


class Fragile(GenServer):
    """A server that fails where it is told to."""

    def init(self, fails: bool = False) -> None:
        flag(trap_exit=True)
        if fails:
            raise KeyError("port")

    def handle_cast(self, message: object) -> None:
        raise KeyError("port")


def failing(*arguments: object) -> type[ProcessExit]:
    raise KeyError(*arguments)


def test_it_returns_what_the_first_process_returns_and_passes_the_arguments_on() -> None:
    assert run(lambda *args, **kwargs: (args, kwargs), 1, 2, x=3) == ((1, 2), {"x": 3})


def test_it_raises_what_the_first_process_raises() -> None:
    error = ValueError("x")

    def main() -> None:
        raise error

    with pytest.raises(ValueError, match="x") as caught:
        run(main)
    assert caught.value is error


def test_a_system_exit_of_the_first_process_keeps_its_status() -> None:
    with pytest.raises(SystemExit) as caught:
        run(sys.exit, 7)
    assert caught.value.code == 7


@pytest.mark.parametrize("reason", ["normal", "shutdown", ("shutdown", "enough")])
def test_an_orderly_exit_of_the_first_process_is_no_failure(reason: object) -> None:
    assert run(exit, reason) is None


def test_an_exit_with_another_reason_is_raised_with_it() -> None:
    with pytest.raises(ProcessExit) as caught:
        run(exit, ("no", "disk"))
    assert caught.value.reason == ("no", "disk")


def test_it_refuses_what_is_no_function_and_a_call_within_a_process() -> None:
    with pytest.raises(TypeError, match="takes the function"):
        run(7)  # type: ignore[arg-type]
    with pytest.raises(RuntimeFault, match="inside a process use spawn"):
        run(lambda: run(lambda: None))


# -- What a program died of -------------------------------------------------------------------------------------------


def test_the_crash_of_a_linked_process_is_raised_and_named_with_its_place() -> None:
    def main() -> None:
        spawn_link(failing, "port")
        receive()

    with pytest.raises(ProcessExit) as caught:
        run(main)
    assert caught.value.reason == Crash("KeyError", "'port'")
    assert str(caught.value).startswith("KeyError: 'port' (")
    assert f"{HERE}:" in str(caught.value)
    assert str(caught.value).endswith(" in failing)")


def test_a_process_that_sends_a_reason_ends_the_first_one_with_it() -> None:
    def main() -> None:
        spawn(exit, self_(), "boom")
        receive()

    with pytest.raises(ProcessExit) as caught:
        run(main)
    assert caught.value.reason == "boom"
    assert re.fullmatch(r"boom: the first process was ended by process <0\.\d+\.0>", str(caught.value))


def failing_port() -> None:
    failing("port")


def told_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    receive()


@pytest.mark.parametrize(
    ("main", "why"),
    [
        (lambda: 1, "its first process is over"),
        (lambda: sys.exit(3), r"sys\.exit\(3\) was called"),
        (failing_port, r"KeyError: 'port' \(.*\)"),
        (lambda: exit(("no", "disk")), r"\(no, disk\)"),
        (told_to_stop, "it was told to stop by SIGTERM"),
    ],
)
def test_instruments_are_told_that_the_program_ends_and_why(main: Callable[[], object], why: str) -> None:
    class Ends(Instrument):
        def event(self, kind: str, fields: dict[str, object]) -> None:
            if kind == "program_ended":
                seen.append(fields["why"])

    seen: list[object] = []
    instrument = Ends()
    install_instrument(instrument)
    try:
        with suppress(BaseException):
            run(main)
    finally:
        remove_instrument(instrument)
    assert len(seen) == 1
    assert re.fullmatch(why, str(seen[0])), seen


def test_a_signal_that_comes_while_a_failed_program_stops_does_not_hide_the_failure() -> None:
    stopped = []

    def lingers() -> None:
        flag(trap_exit=True)
        receive(Exit)
        os.kill(os.getpid(), signal.SIGTERM)
        stopped.append(self_())

    def main() -> None:
        spawn(lingers)
        sleep(0)
        failing_port()

    with pytest.raises(KeyError, match="port"):
        run(main)
    assert len(stopped) == 1


def test_a_process_that_orders_a_shutdown_ends_the_program_without_a_failure() -> None:
    def main() -> None:
        spawn(exit, self_(), "shutdown")
        receive()

    assert run(main) is None


def test_a_linked_process_that_has_shut_down_is_no_failure() -> None:
    def main() -> None:
        spawn_link(exit, "shutdown")
        receive()

    assert run(main) is None


def test_a_tree_that_cannot_start_is_raised_with_the_child_and_the_place() -> None:
    def main() -> None:
        inner = ChildSpec(id="inner", start=(Supervisor.start_link, [(Fragile, True)]), type="supervisor")
        Supervisor.start_link([inner])
        receive()

    with pytest.raises(ProcessExit) as caught:
        run(main)
    text = str(caught.value)
    assert text.startswith("child inner did not start: child Fragile did not start: KeyError: 'port' (")
    assert text.endswith(" in init)")


def test_a_tree_that_gives_up_is_raised_with_the_child_and_the_place() -> None:
    def main() -> None:
        spec = Fragile.child_spec(name="fragile")
        Supervisor.start_link([spec], name="top", max_restarts=0)
        cast("fragile", "fail")
        receive()

    with pytest.raises(ProcessExit) as caught:
        run(main)
    assert caught.value.reason == "shutdown"
    text = str(caught.value)
    assert text.startswith(
        "supervisor top gave up (no restart is allowed): its child Fragile ended with KeyError: 'port' ("
    )
    assert text.endswith(" in handle_cast)")


def test_a_failure_that_climbs_through_supervisors_is_told_from_the_top_to_its_cause() -> None:
    def main() -> None:
        spec = Fragile.child_spec(name="fragile")
        start = (lambda: Supervisor.start_link([spec], name="inner", max_restarts=0),)
        inner = ChildSpec(id="inner", start=start, type="supervisor")
        Supervisor.start_link([inner], name="top", max_restarts=0)
        cast("fragile", "fail")
        receive()

    with pytest.raises(ProcessExit, match=r"top gave up .* its child inner failed: supervisor inner gave up"):
        run(main)


def test_a_child_that_does_not_start_again_is_told_with_what_its_start_failed_of() -> None:
    starts = iter([False, True])

    def main() -> None:
        spec = ChildSpec(id="fragile", start=(lambda: Fragile.start_link(next(starts, True), name="fragile"),))
        Supervisor.start_link([spec], max_restarts=1)
        cast("fragile", "fail")
        receive()

    with pytest.raises(ProcessExit, match=r"child fragile did not start again: KeyError: 'port' \(.* in init\)"):
        run(main)


def test_a_first_process_that_traps_exits_hears_of_its_tree_and_goes_on() -> None:
    def main() -> object:
        flag(trap_exit=True)
        top = Supervisor.start_link([Fragile.child_spec(name="fragile")], max_restarts=0)
        assert top is not None
        cast("fragile", "fail")
        return receive(Exit).reason

    assert run(main) == "shutdown"


# -- Applications -----------------------------------------------------------------------------------------------------


class Shop(application.Application):
    def start(self, start_type: str, args: object) -> object:
        return Supervisor.start_link([Fragile.child_spec(name="fragile")], name="shop", max_restarts=0)


class Closing(GenServer):
    """Ends normally when it is told to."""

    def handle_cast(self, message: object) -> Stop:
        return Stop("normal")


class Kiosk(application.Application):
    def start(self, start_type: str, args: object) -> object:
        return Closing.start_link(name="kiosk")


@pytest.mark.parametrize("restart_type", ["permanent", "transient"])
def test_an_application_that_must_not_end_ends_the_program(restart_type: application.RestartType) -> None:
    def main() -> None:
        application.ensure_all_started(Shop, restart_type)
        cast("fragile", "fail")
        receive()

    with pytest.raises(ProcessExit, match=r"the application Shop ended: supervisor shop gave up .* KeyError") as caught:
        run(main)
    assert caught.value.reason == ("application_terminated", "Shop", "shutdown")


def test_it_ends_the_program_also_when_the_first_process_traps_exits() -> None:
    def main() -> None:
        flag(trap_exit=True)
        application.ensure_all_started(Shop, "permanent")
        cast("fragile", "fail")
        receive(Exit)

    with pytest.raises(ProcessExit, match="the application Shop ended"):
        run(main)


def test_a_permanent_application_that_ends_normally_ends_the_program_too() -> None:
    def main() -> None:
        application.start(Kiosk, "permanent")
        cast("kiosk", "close")
        receive()

    with pytest.raises(ProcessExit, match="the application Kiosk ended: normal"):
        run(main)


@pytest.mark.parametrize(
    ("cls", "restart_type"), [(Shop, "temporary"), (Kiosk, "transient"), (Kiosk, "temporary")], ids=str
)
def test_an_application_that_may_end_leaves_the_program_alone(
    cls: type[application.Application], restart_type: application.RestartType
) -> None:
    def main() -> str:
        application.start(cls, restart_type)
        name = "fragile" if cls is Shop else "kiosk"
        cast(name, "end")
        while cls.name in application.which_applications():
            sleep(0.001)
        return "goes on"

    assert run(main) == "goes on"


# -- What is put back ------------------------------------------------------------------------------------------------


def test_the_collector_is_patient_while_the_node_runs_and_as_before_afterwards() -> None:
    before = gc.get_threshold()
    assert run(gc.get_threshold)[0] == max(COLLECT_AFTER, before[0])
    assert gc.get_threshold() == before


def test_signals_are_the_programs_again_when_it_is_over() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGURG)
    before = [signal.getsignal(number) for number in numbers]
    assert run(lambda: [signal.getsignal(number) for number in numbers]) != before
    assert [signal.getsignal(number) for number in numbers] == before


# -- As a program -----------------------------------------------------------------------------------------------------

README = """
from runtime import GenServer, Supervisor, cast, receive, run

class Counter(GenServer):
    def init(self, start=0):
        self.count = start
        INIT

    def handle_cast(self, message):
        self.count += message

def main():
    Supervisor.start_link([Counter.child_spec(0, name="counter")], name="top", max_restarts=0)
    cast("counter", "increment")
    receive()

run(main)
"""


@pytest.mark.parametrize(
    ("init", "last"),
    [
        ("{}['port']", "ProcessExit: child Counter did not start: KeyError: 'port' (app.py:7 in init)"),
        (
            "pass",
            "ProcessExit: supervisor top gave up (no restart is allowed): its child Counter ended with TypeError: "
            "unsupported operand type(s) for +=: 'int' and 'str' (app.py:10 in handle_cast)",
        ),
    ],
    ids=["cannot start", "gives up"],
)
def test_a_program_whose_tree_fails_ends_with_status_1_and_says_why_in_its_last_line(
    tmp_path: Path, init: str, last: str
) -> None:
    (tmp_path / "app.py").write_text(README.replace("INIT", init))
    done = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(last)


def test_a_main_that_leaves_by_sys_exit_is_no_failure_for_what_is_linked_to_it() -> None:
    heard: list[object] = []

    def linked() -> None:
        flag(trap_exit=True)
        heard.append(receive(Exit).reason)

    def main() -> None:
        spawn_link(linked)
        sleep(0.01)
        raise SystemExit(3)

    with pytest.raises(SystemExit) as left:
        run(main)
    assert left.value.code == 3
    assert heard == ["shutdown"]


def test_a_run_that_does_not_begin_leaves_its_node_without_a_name() -> None:
    name = new_name("begins")
    options: list[dict[str, Any]] = [{"black_box": 1}, {"time_slice": -1.0}]
    for wrong in options:
        with pytest.raises((TypeError, ValueError)):
            run(self_, node=name, cookie="of-a-test", **wrong)
        assert run(node_name) == "nonode@nohost"
    assert run(node_name, node=name, cookie="of-a-test") == name
