from typing import Any

import pytest

from runtime import (
    IGNORE,
    CallError,
    GenStatem,
    Instrument,
    Keep,
    NamedTimeout,
    Next,
    NextEvent,
    Pid,
    Postpone,
    Reply,
    StartError,
    StateTimeout,
    Stop,
    Supervisor,
    alive,
    call,
    cast,
    exit,
    install_instrument,
    receive,
    remove_instrument,
    self_,
    send,
    sleep,
    spawn,
    sys,
    whereis,
)
from tests.support.in_node import in_node


class Door(GenStatem):
    """A door with a code, in the style of one method for each state."""

    def init(self, code: Any) -> Any:
        if isinstance(code, (Stop, type(IGNORE))):
            return code
        self.code = code
        return "locked"

    def locked(self, kind: Any, event: Any) -> Any:
        match kind, event:
            case "call", ("enter", self.code):
                assert self.caller is not None
                return Next("open", Reply(self.caller, "welcome"), StateTimeout(10.0, "close"))
            case "call", ("enter", _):
                assert self.caller is not None
                return Keep(Reply(self.caller, "wrong"))
        return Keep(Postpone())

    def open(self, kind: Any, event: Any) -> Any:
        match kind, event:
            case "state_timeout", "close":
                return Next("locked")
            case "call", "walk through":
                assert self.caller is not None
                return Keep(Reply(self.caller, "inside"))
            case "call", "break":
                return Stop("broken", "you broke it")
            case "cast", "fail":
                raise KeyError("hinge")
        return None


def door(code: Any = 1234) -> Pid:
    pid = Door.start(code)
    assert pid is not None
    return pid


@in_node
def test_the_method_called_like_the_state_handles_the_event() -> None:
    pid = door()
    assert call(pid, ("enter", 1)) == "wrong"
    assert call(pid, ("enter", 1234)) == "welcome"
    assert call(pid, "walk through") == "inside"


@in_node
def test_a_state_timeout_ends_the_state_and_a_postponed_call_waits_for_the_next() -> None:
    pid = door()
    call(pid, ("enter", 1234))
    sleep(11.0)
    with pytest.raises(CallError):
        call(pid, "walk through", timeout=1.0)
    me = self_()

    class Walker(GenStatem):
        def init(self) -> Next:
            return Next("walking", NextEvent("internal", "go"))

        def walking(self, kind: Any, event: Any) -> Any:
            send(me, call(pid, "walk through"))
            return Stop("normal")

    Walker.start()
    sleep(1.0)
    assert call(pid, ("enter", 1234)) == "welcome"
    assert receive("inside", timeout=1.0) == "inside"


@in_node
def test_a_stop_can_reply() -> None:
    pid = door()
    call(pid, ("enter", 1234))
    assert call(pid, "break") == "you broke it"
    assert not alive(pid)


@in_node
def test_a_machine_starts_as_a_server_does() -> None:
    assert Door.start(IGNORE) is None
    with pytest.raises(StartError) as caught:
        Door.start(Stop("no wood"))
    assert caught.value.reason == "no wood"


@in_node
def test_a_machine_stands_under_a_supervisor_and_comes_back_in_its_first_state() -> None:
    Supervisor.start_link([Door.child_spec(1234, name="door")])
    call("door", ("enter", 1234))
    cast("door", "fail")
    sleep(0.01)
    assert call("door", ("enter", 1)) == "wrong"
    old = whereis("door")
    assert old is not None
    exit(old, "kill")
    sleep(0.01)
    assert whereis("door") not in (None, old)


@in_node
def test_what_is_shown_of_a_machine_is_its_state_and_its_data() -> None:
    pid = door()
    cast(pid, "early")
    assert sys.get_state(pid) == {"state": "locked", "code": 1234}
    *_, misc = sys.get_status(pid)[3]
    assert misc["header"] == f"Status for state machine {pid}"
    assert misc["machine_state"] == "locked"
    assert misc["postponed"] == [("cast", "early")]
    call(pid, ("enter", 1234))
    *_, misc = sys.get_status(pid)[3]
    assert (misc["machine_state"], misc["timeouts"]) == ("open", {"state_timeout": "close"})


@in_node
def test_what_replaces_the_state_keeps_postponed_events_and_timers() -> None:
    pid = door()
    cast(pid, "early")
    call(pid, ("enter", 1234))
    sys.replace_state(pid, lambda state: {**state, "code": 1})
    sleep(11.0)
    assert call(pid, ("enter", 1)) == "welcome"


@in_node
def test_a_named_timeout_is_known_by_its_name_and_replaced_by_another_of_that_name() -> None:
    me = self_()

    class Clock(GenStatem):
        def init(self) -> Next:
            return Next("on", NamedTimeout("bell", 1.0, "first"), NamedTimeout("bell", 2.0, "second"))

        def on(self, kind: Any, event: Any) -> None:
            send(me, (kind, event))

    Clock.start()
    sleep(5.0)
    assert receive(timeout=0) == (("timeout", "bell"), "second")
    assert receive(timeout=0, default="no more") == "no more"


@in_node
def test_a_state_without_a_method_ends_the_machine_with_a_sentence() -> None:
    class Lost(GenStatem):
        def init(self) -> str:
            return "nowhere"

    pid = Lost.start()
    with pytest.raises(CallError) as caught:
        call(pid, "hello")
    assert "Lost has neither handle_event() nor a method for 'nowhere'" in caught.value.reason.message


@in_node
def test_a_state_that_is_called_as_something_every_machine_has_ends_it_with_a_sentence() -> None:
    class Clash(GenStatem):
        def init(self) -> str:
            return "stop"

    pid = Clash.start()
    with pytest.raises(CallError) as caught:
        call(pid, "hello")
    assert "Clash is in the state 'stop'" not in str(caught.value)  # `stop` is a function, not a method
    assert "method for 'stop'" in caught.value.reason.message

    class Start(Clash):
        def init(self) -> str:
            return "start"

    pid = Start.start()
    with pytest.raises(CallError) as caught:
        call(pid, "hello")
    assert "Start is in the state 'start', and every GenStatem has something else" in caught.value.reason.message


@in_node
def test_a_machine_that_inserts_event_after_event_lets_others_run() -> None:
    class Endless(GenStatem):
        def init(self) -> Next:
            self.count = 0
            return Next("on", NextEvent("internal", "again"))

        def on(self, kind: Any, event: Any) -> Keep:
            self.count += 1
            return Keep(NextEvent("internal", "again")) if self.count < 1000 else Keep()

    pid = Endless.start()
    counts = set()
    while (count := pid.process.body.count) < 1000:  # type: ignore[union-attr]
        counts.add(count)
        receive(spawn(lambda me: send(me, self_()), self_()))  # all that are ready have a turn meanwhile
    assert len(counts) > 5


@in_node
def test_an_entering_that_raises_leaves_the_state_that_was() -> None:
    class Trap(GenStatem):
        state_enter = True

        def init(self) -> str:
            return "outside"

        def handle_event(self, kind: Any, event: Any, state: Any) -> Any:
            if (kind, state) == ("enter", "inside"):
                raise ValueError("it snapped")
            return Next("inside") if kind == "cast" else None

        def terminate(self, reason: Any) -> None:
            send(me, self.state)

    me = self_()
    cast(Trap.start(), "in")
    assert receive(timeout=1.0) == "outside"


@in_node
def test_the_report_of_a_machine_that_ends_names_its_state_the_event_and_what_waited() -> None:
    class Last(Instrument):
        def reported(self, report: Any) -> None:
            reports.append(report)

    reports: list[Any] = []
    watching = Last()
    install_instrument(watching)
    try:
        pid = door()
        cast(pid, "early")
        call(pid, ("enter", 1234))
        cast(pid, "fail")
        sleep(0.1)
    finally:
        remove_instrument(watching)
    fields = next(report.fields for report in reports if report.kind == "server_terminated")
    assert (fields["machine_state"], fields["event"]) == ("open", ("cast", "fail"))
    assert (fields["timeouts"], fields["postponed"]) == ({"state_timeout": "close"}, [])
