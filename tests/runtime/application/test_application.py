from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    Agent,
    Application,
    ApplicationError,
    StartError,
    Stop,
    Supervisor,
    application,
    flush,
    self_,
    sleep,
    whereis,
)
from tests.support.in_node import in_node
from tests.support.outside import in_thread
from tests.support.recording_application import Base, Top, member_diary
from tests.support.recording_server import crash, diary


class Broken(Application):
    """An application that fails to start, in any way it is told to."""

    applications = (Base,)
    how: Any = None

    def start(self, start_type: str, args: Any) -> Any:
        if isinstance(self.how, Exception):
            raise self.how
        return self.how


@pytest.fixture(autouse=True)
def _new_pages() -> None:
    member_diary.clear()


@in_node
def test_an_application_is_started_after_what_it_needs_and_stopped_in_three_steps() -> None:
    assert application.ensure_all_started(Top) == ["base", "top"]
    assert application.which_applications() == ["base", "top"]
    diary()
    application.stop(Top)
    assert diary() == [("end", "top_worker", "shutdown")]
    assert member_diary == [("prep_stop", "top", ("normal", ("some", "args"))), ("stop", "top", "prepared")]
    assert application.which_applications() == ["base"]


@in_node
def test_what_runs_already_is_not_started_again() -> None:
    application.start(Base)
    assert application.ensure_all_started([Base, Top]) == ["top"]
    application.ensure_started(Base)
    with pytest.raises(StartError) as caught:
        application.start("base")
    assert caught.value.reason == ("already_started", "base")


@in_node
def test_what_it_needs_must_be_running() -> None:
    with pytest.raises(StartError) as caught:
        application.start(Top)
    assert caught.value.reason == ("not_started", "base")
    with pytest.raises(StartError) as caught:
        application.start("unheard of")
    assert caught.value.reason == ("not_loaded", "unheard of")
    with pytest.raises(StartError) as caught:
        application.ensure_all_started("unheard of")
    assert caught.value.reason == ("unheard of", ("not_loaded", "unheard of"))


@in_node
def test_an_application_is_loaded_once_and_unloaded_when_it_does_not_run() -> None:
    application.load(Base)
    refused: list[tuple[Callable[[Any], None], Any, Any]] = [
        (application.load, Base, ("already_loaded", "base")),
        (application.stop, Base, ("not_started", "base")),
        (application.unload, "top", ("not_loaded", "top")),
    ]
    for request, what, reason in refused:
        with pytest.raises(ApplicationError) as caught:
            request(what)
        assert caught.value.reason == reason
    application.start("base")
    with pytest.raises(ApplicationError) as caught:
        application.unload("base")
    assert caught.value.reason == ("running", "base")
    application.stop("base")
    application.unload("base")
    assert application.loaded_applications() == []


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (StartError("no_luck"), ("no_luck", ("Broken", "start", ("normal", ())))),
        ("garbage", ("bad_return", (("Broken", "start", ("normal", ())), "garbage"))),
    ],
)
def test_a_start_that_fails_is_told_and_rolled_back(how: Any, reason: Any) -> None:
    @in_node
    def play() -> None:
        Broken.how = how
        with pytest.raises(StartError) as caught:
            application.ensure_all_started(Broken)
        assert caught.value.reason == ("Broken", reason)
        assert application.which_applications() == []

    play()


@in_node
def test_start_is_given_the_args_that_init_has_set() -> None:
    given: list[Any] = []

    class Configured(Application):
        def __init__(self) -> None:
            self.args = ("port", 8080)

        def start(self, start_type: str, args: Any) -> Any:
            given.append((start_type, args))
            return Supervisor.start_link([])

    application.start(Configured)
    assert given == [("normal", ("port", 8080))]


@in_node
def test_a_start_that_raises_is_told_with_its_exception() -> None:
    application.start(Base)
    Broken.how = KeyError("gone")
    with pytest.raises(StartError) as caught:
        application.start(Broken)
    tag, (_, (exit_tag, crash_)) = caught.value.reason
    assert (tag, exit_tag, crash_.exception) == ("bad_return", "EXIT", "KeyError")


@in_node
def test_applications_that_need_each_other_cannot_start() -> None:
    class Left(Application):
        applications = ("Right",)

    class Right(Application):
        applications = ("Left",)

    application.load(Left)
    application.load(Right)
    with pytest.raises(StartError) as caught:
        application.ensure_all_started("Left")
    assert caught.value.reason == ("Left", ("circular_dependency", ["Left", "Right", "Left"]))


@in_node
def test_what_was_started_for_one_that_cannot_start_is_stopped_again() -> None:
    class Needy(Application):
        applications = (Base, "missing")

    with pytest.raises(StartError) as caught:
        application.ensure_all_started(Needy)
    assert caught.value.reason == ("missing", ("not_loaded", "missing"))
    assert application.which_applications() == []


@in_node
def test_the_reason_of_a_failed_start_is_kept_when_what_it_needed_has_ended_by_itself() -> None:
    class Fatal(Application):
        applications = (Base,)

        def start(self, start_type: str, args: Any) -> Any:
            crash("base_sup", "base_worker")
            raise StartError("no_luck")

    with pytest.raises(StartError) as caught:
        application.ensure_all_started(Fatal)
    assert caught.value.reason == ("Fatal", ("no_luck", ("Fatal", "start", ("normal", ()))))


@pytest.mark.parametrize("fields", [{"applications": "base"}, {"applications": (5,)}, {"applications": 5}, {"env": 5}])
def test_what_the_controller_cannot_use_is_refused_at_the_call(fields: dict[str, Any]) -> None:
    @in_node
    def play() -> None:
        application.start(Base)
        with pytest.raises(TypeError):
            application.load(type("Wrong", (Application,), fields))
        with pytest.raises(TypeError, match="takes a subclass of Application"):
            application.load("base")  # type: ignore[arg-type]
        assert application.which_applications() == ["base"]

    play()


@in_node
def test_settings_can_be_read_and_changed_and_are_copies() -> None:
    assert application.get_env("base", "port", 1) == 1
    application.load(Base)
    application.get_env(Base, "hosts").append("b")
    assert application.get_all_env("base") == {"port": 4000, "hosts": ["a"]}
    application.put_env("base", "port", 5000)
    application.delete_env("base", "hosts")
    assert application.get_all_env("base") == {"port": 5000}
    assert Base.env["port"] == 4000
    with pytest.raises(ApplicationError, match="the application controller refused"):
        application.put_env("top", "port", 1)


@pytest.mark.parametrize("what", [7, Supervisor])
def test_what_is_no_application_is_refused_at_the_call(what: Any) -> None:
    with pytest.raises(TypeError, match="is not an application"):
        application.stop(what)
    with pytest.raises(ValueError, match="allowed are 'permanent'"):
        application.start(Base, "sometimes")  # type: ignore[arg-type]


class Shop(Application):
    env = {"port": [80]}

    def start(self, start_type: Any, args: Any) -> Any:
        return Supervisor.start_link([Agent.child_spec(application.get_application, name="agent")])


@in_node
def test_a_setting_that_must_be_there_is_fetched() -> None:
    application.load(Shop)
    application.fetch_env(Shop, "port").append(1)
    assert application.fetch_env("Shop", "port") == [80]
    application.put_env("Shop", "host", None)
    assert application.fetch_env("Shop", "host") is None
    for name, key in (("Shop", "colour"), ("nothing", "port")):
        with pytest.raises(KeyError, match="has no setting"):
            application.fetch_env(name, key)


@in_node
def test_a_process_knows_its_application() -> None:
    assert application.get_application() is None
    application.start(Shop)
    agent = whereis("agent")
    assert agent is not None
    assert Agent.get("agent", lambda at_start: (at_start, application.get_application())) == ("Shop", "Shop")
    assert application.get_application(agent) == "Shop"
    assert application.get_application(self_()) is None
    with pytest.raises(TypeError, match="takes a Pid, not 'agent'"):
        application.get_application("agent")  # type: ignore[arg-type]
    application.stop(Shop)
    assert application.get_application(agent) is None


class Phased(Application):
    start_phases = ("init",)  # type: ignore[assignment]

    def start(self, start_type: str, args: Any) -> Any:
        return Supervisor.start_link([])


@in_node
def test_start_phases_are_pairs_and_need_a_callback() -> None:
    with pytest.raises(TypeError, match="give a list of"):
        application.load(Phased)
    unprepared = type("Unprepared", (Phased,), {"start_phases": [("init", 1)]})
    with pytest.raises(StartError, match="no start_phase"):
        application.start(unprepared)
    assert application.which_applications() == []


class Diary(Application):
    """Writes down when it is being started and when it has; `before` is what it waits for."""

    before: tuple[str, ...] = ()
    lines: list[str] = []

    def start(self, start_type: str, args: Any) -> Any:
        self.lines.append(f"{self.name} begins")
        for line in self.before:
            while line not in self.lines:
                sleep(0.001)
        if self.name == "bad":
            return Stop("bad luck")
        self.lines.append(f"{self.name} runs")
        return Supervisor.start_link([])

    def stop(self, state: Any) -> None:
        self.lines.append(f"{self.name} is over")


def _diary(name: str, *needs: Any, before: tuple[str, ...] = ()) -> type[Diary]:
    fields = {"name": name, "applications": needs, "before": before, "lines": Diary.lines}
    return type(name, (Diary,), fields)


@in_node
def test_applications_start_at_the_same_time_as_soon_as_what_they_need_runs() -> None:
    Diary.lines.clear()
    slow = _diary("slow", before=("top begins",))
    base = _diary("base", before=("other begins",))
    other = _diary("other", before=("base begins",))
    top = _diary("top", base, other)
    started = application.ensure_all_started([slow, top], mode="concurrent")
    assert sorted(started) == ["base", "other", "slow", "top"]
    assert started.index("top") > max(started.index("base"), started.index("other"))
    for needed in ("base runs", "other runs"):
        assert Diary.lines.index(needed) < Diary.lines.index("top begins")
    assert application.ensure_all_started([slow, top], mode="concurrent") == []
    assert flush() == []


@in_node
def test_when_one_fails_to_start_those_that_started_meanwhile_are_stopped_again() -> None:
    Diary.lines.clear()
    bad = _diary("bad", before=("good begins",))
    good = _diary("good", before=("bad begins",))
    needy = _diary("needy", bad)
    with pytest.raises(StartError) as caught:
        application.ensure_all_started([good, needy], mode="concurrent")
    assert caught.value.reason == ("bad", ("bad luck", ("bad", "start", ("normal", ()))))
    assert application.which_applications() == []
    assert Diary.lines[-1] == "good is over"
    assert "needy begins" not in Diary.lines
    for mode in ("concurrent", "serial"):
        with pytest.raises(StartError) as caught:
            application.ensure_all_started(["unheard of"], mode=mode)
        assert caught.value.reason == ("unheard of", ("not_loaded", "unheard of"))
    with pytest.raises(ValueError, match="allowed are 'serial' and 'concurrent'"):
        application.ensure_all_started([], mode="parallel")  # type: ignore[arg-type]


@in_node
def test_applications_are_started_from_outside() -> None:
    Diary.lines.clear()
    kinds = [_diary("one"), _diary("two")]
    assert in_thread(lambda: application.ensure_all_started(kinds, "temporary", "concurrent")) == ["one", "two"]


@in_node
def test_settings_are_those_of_the_class_before_anything_is_started() -> None:
    assert application.get_env(Base, "port") == Base.env["port"]
    application.put_env(Base, "port", 1)
    assert application.fetch_env("base", "port") == 1


@in_node
def test_an_application_that_stops_reads_settings() -> None:
    class Reads(Application):
        env = {"port": 80}

        def start(self, start_type: str, args: Any) -> Any:
            return Supervisor.start_link([])

        def stop(self, state: Any) -> None:
            seen.append(application.get_env(Reads, "port"))

    seen: list[Any] = []
    application.start(Reads)
    application.stop(Reads)
    assert seen == [80]
