from contextlib import nullcontext, suppress
from typing import Any

import pytest

from runtime import (
    Application,
    Pid,
    ProcessExit,
    StartError,
    Stop,
    alive,
    application,
    exit,
    receive,
    run,
    self_,
    send,
    sleep,
    spawn,
    spawn_link,
    whereis,
)
from tests.support.in_node import in_node
from tests.support.recording_application import Base, Top, member_diary
from tests.support.recording_server import crash, diary


@pytest.fixture(autouse=True)
def _new_pages() -> None:
    member_diary.clear()


@in_node
def test_an_application_whose_tree_gives_up_is_over() -> None:
    application.start(Base)
    crash("base_sup", "base_worker")
    assert application.which_applications() == []
    assert [page[0] for page in member_diary] == ["prep_stop", "stop"]
    application.start(Base)
    assert application.which_applications() == ["base"]


@pytest.mark.parametrize(("restart_type", "left"), [("temporary", True), ("transient", False), ("permanent", False)])
def test_the_abnormal_end_of_a_lasting_application_ends_the_node(restart_type: Any, left: bool) -> None:
    @in_node
    def play() -> None:
        application.start(Base)
        application.start(Top, restart_type)
        crash("top_sup", "top_worker")
        assert (whereis("base_sup") is not None) == left

    with nullcontext() if left else pytest.raises(ProcessExit, match="the application top ended"):
        play()


@pytest.mark.parametrize(("restart_type", "left"), [("transient", True), ("permanent", False)])
def test_the_normal_end_of_a_permanent_application_ends_the_node(restart_type: Any, left: bool) -> None:
    class Finishing(Application):
        name = "finishing"

        def start(self, start_type: str, args: Any) -> Any:
            return spawn_link(receive, "finish", name="finishing_top")

    @in_node
    def play() -> None:
        application.start(Base)
        application.start(Finishing, restart_type)
        send("finishing_top", "finish")
        sleep(0.1)
        assert (whereis("base_sup") is not None) == left

    with nullcontext() if left else pytest.raises(ProcessExit, match="the application finishing ended: normal"):
        play()


@in_node
def test_two_that_start_one_application_at_once_start_it_once() -> None:
    class Slow(Base):
        name = "slow"

        def start(self, start_type: str, args: Any) -> Any:
            sleep(1.0)
            return super().start(start_type, args)

    application.load(Slow)
    outcomes: list[Any] = []

    def start() -> None:
        application.start("slow")
        outcomes.append("started")

    for _ in range(2):
        spawn(start)
    sleep(2.0)
    assert outcomes == ["started", "started"]
    assert [page for page in diary() if page[0] == "start"] == [("start", "slow_worker")]


@in_node
def test_a_callback_that_fails_does_not_keep_an_application_from_stopping() -> None:
    class Clumsy(Base):
        name = "clumsy"

        def prep_stop(self, state: Any) -> Any:
            raise KeyError("prep_stop")

        def stop(self, state: Any) -> None:
            member_diary.append(("stop", state))
            raise KeyError("stop")

    class Leaving(Clumsy):
        name = "leaving"

        def prep_stop(self, state: Any) -> Any:
            raise SystemExit(3)

    for kind in (Clumsy, Leaving):
        member_diary.clear()
        application.start(kind)
        application.stop(kind)
        assert member_diary == [("stop", ("normal", ("some", "args")))]
    assert application.which_applications() == []


@in_node
def test_a_master_that_is_killed_in_a_callback_goes_on_to_no_other() -> None:
    class Killed(Base):
        name = "killed"

        def prep_stop(self, state: Any) -> Any:
            exit(self_(), "kill")

        def stop(self, state: Any) -> None:
            member_diary.append(("stop", state))

    application.start(Killed)
    crash("killed_sup", "killed_worker")
    assert application.which_applications() == []
    assert member_diary == []


@in_node
def test_a_start_or_phase_that_raises_what_is_no_exception_is_told_as_a_bad_return() -> None:
    class Leaving(Base):
        name = "leaving"

        def start(self, *args: Any) -> Any:
            raise SystemExit(3)

    class Halfway(Base):
        name = "halfway"
        start_phases = [("go", 1)]

        def start_phase(self, *args: Any) -> Any:
            raise GeneratorExit

    for kind, exception in ((Leaving, "SystemExit"), (Halfway, "GeneratorExit")):
        with pytest.raises(StartError) as caught:
            application.start(kind)
        tag, (where, (kind_of_end, crash_)) = caught.value.reason
        assert (tag[:10], where[0], kind_of_end, crash_.exception) == ("bad_return", kind.__name__, "EXIT", exception)
    assert application.which_applications() == []


@in_node
def test_a_running_application_ends_with_its_node_in_good_order() -> None:
    application.ensure_all_started(Top)
    member_diary.append("main is over")


def test_the_node_stops_its_applications_the_one_started_last_first() -> None:
    test_a_running_application_ends_with_its_node_in_good_order()
    assert [page[:2] for page in member_diary] == [
        "ma",
        ("prep_stop", "top"),
        ("stop", "top"),
        ("prep_stop", "base"),
        ("stop", "base"),
    ]


@in_node
def test_a_master_that_is_killed_takes_its_tree_along() -> None:
    application.start(Base)
    top = whereis("base_sup")
    assert isinstance(top, Pid)
    assert top.process is not None
    assert top.process.parent is not None
    exit(top.process.parent, "kill")
    sleep(0.01)
    assert not alive(top)
    assert application.which_applications() == []


@pytest.mark.parametrize("restart_type", ["permanent", "transient"])
def test_a_lasting_application_that_cannot_start_ends_the_program(restart_type: application.RestartType) -> None:
    class Unlucky(Application):
        applications = (Base,)

        def start(self, start_type: str, args: Any) -> Any:
            raise StartError("no_luck")

    def main() -> None:
        with suppress(StartError):
            application.ensure_all_started(Unlucky, restart_type)
        receive("never")

    with pytest.raises(ProcessExit, match=r"the application Unlucky did not start: .*no_luck") as caught:
        run(main)
    assert caught.value.reason[:2] == ("application_start_failure", "Unlucky")
    assert [page[:2] for page in member_diary] == [("prep_stop", "base"), ("stop", "base")]


@in_node
def test_a_temporary_application_that_cannot_start_leaves_the_others_running() -> None:
    class Unlucky(Application):
        def start(self, start_type: str, args: Any) -> Any:
            return Stop("no_luck")

    application.start(Base, "permanent")
    with pytest.raises(StartError):
        application.start(Unlucky)
    assert application.which_applications() == ["base"]
