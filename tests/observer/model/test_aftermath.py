"""What came of a kill is read off the events that followed from it."""

from __future__ import annotations

from observer.model.aftermath import Aftermath, of_signal
from runtime.introspection.wire import Event

KILL = Event(id=7, time=100.0, kind="kill", pid="<0.3.0>", reason="kill")
EXIT = Event(id=8, time=100.001, kind="exit", pid="<0.3.0>", key="top/a", reason="killed", cause=7)
GAVE_UP = Event(id=9, time=100.004, kind="gave_up", pid="<0.2.0>", name="top", cause=8)


def test_without_the_end_in_the_log_it_has_not_ended() -> None:
    assert of_signal([KILL], 7, "<0.3.0>") == Aftermath()
    assert of_signal([], 7, "<0.3.0>") == Aftermath()
    assert not of_signal([KILL, Event(id=8, time=1.0, kind="exit", pid="<0.3.0>")], 7, "<0.3.0>").ended


def test_the_successor_is_the_one_that_was_started_in_its_place() -> None:
    elsewhere = Event(id=9, time=100.002, kind="restart", pid="<0.8.0>", old_pid="<0.4.0>", key="top/b", cause=8)
    restart = Event(id=10, time=100.004, kind="restart", pid="<0.9.0>", old_pid="<0.3.0>", key="top/a", cause=8)
    known = of_signal([KILL, EXIT, elsewhere, restart], 7, "<0.3.0>")
    assert (known.ended, known.reason, known.restarted_as) == (True, "killed", "<0.9.0>")
    assert known.sentence(comes_back=True) == "It was restarted as <0.9.0> in 4 ms."


def test_a_place_that_a_restarted_supervisor_starts_afresh_has_a_successor() -> None:
    afresh = Event(id=10, time=100.5, kind="spawn", pid="<0.11.0>", key="top/a", cause=9)
    known = of_signal([KILL, EXIT, GAVE_UP, afresh], 7, "<0.3.0>")
    assert known.restarted_as == "<0.11.0>"
    assert known.gave_up == ("top",)


def test_an_end_with_no_successor_says_why_there_is_none() -> None:
    ended = of_signal([KILL, EXIT], 7, "<0.3.0>")
    assert ended.sentence(comes_back=False) == "Nothing restarts it."
    assert ended.sentence(comes_back=True) == "It was not restarted within 2 s."
    fallen = of_signal([KILL, EXIT, GAVE_UP], 7, "<0.3.0>")
    assert fallen.sentence(comes_back=True) == "top gave up."
    assert Aftermath().sentence(comes_back=True) == "It has not ended within 0.5 s."


def test_stopping_what_is_left_of_a_dead_process_is_followed_by_nothing() -> None:
    stopped = Event(id=7, time=100.0, kind="action", pid="<0.3.0>", message="stopped the frames of")
    assert of_signal([stopped], 7, "<0.3.0>").ended


def test_the_restart_of_a_process_that_followed_from_something_else_does_not_count() -> None:
    other = Event(id=10, time=100.1, kind="restart", pid="<0.12.0>", old_pid="<0.3.0>", key="top/a", cause=2)
    assert of_signal([KILL, EXIT, other], 7, "<0.3.0>").restarted_as is None


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    early = Event(id=8, time=90.0, kind="exit", pid="<0.3.0>", cause=7)
    assert of_signal([KILL, early], 7, "<0.3.0>").seconds == 0.0


def test_what_started_in_its_place_with_its_own_pid_or_with_none_is_no_successor() -> None:
    same = Event(id=9, time=100.002, kind="restart", pid="<0.3.0>", old_pid="<0.2.0>", key="top/a", cause=8)
    without = Event(id=10, time=100.003, kind="restart", old_pid="<0.3.0>", key="top/a", cause=8)
    assert of_signal([KILL, EXIT, same, without], 7, "<0.3.0>").restarted_as is None


def test_a_place_is_told_by_its_old_process_where_its_key_is_not_known() -> None:
    nowhere = Event(id=8, time=100.001, kind="exit", pid="<0.3.0>", cause=7)
    elsewhere = Event(id=9, time=100.002, kind="restart", pid="<0.8.0>", old_pid="<0.4.0>", cause=8)
    restart = Event(id=10, time=100.004, kind="restart", pid="<0.9.0>", old_pid="<0.3.0>", cause=8)
    assert of_signal([KILL, nowhere, elsewhere, restart], 7, "<0.3.0>").restarted_as == "<0.9.0>"


def test_a_successor_that_has_ended_by_itself_does_not_stand_there() -> None:
    again = Event(id=9, time=100.01, kind="exit", pid="<0.9.0>", reason="KeyError: 'port'", supervisor="<0.2.0>")
    back = Event(id=10, time=100.01, kind="restart", pid="<0.9.0>", old_pid="<0.3.0>", supervisor="<0.2.0>", cause=8)
    known = of_signal([KILL, EXIT, again, back], 7, "<0.3.0>")
    assert known.restarted_as is None
    assert known.sentence(comes_back=True) == "It was restarted as <0.9.0>, which has ended, too: KeyError: 'port'."
    third = Event(id=11, time=100.02, kind="restart", pid="<0.11.0>", old_pid="<0.9.0>", supervisor="<0.2.0>", cause=9)
    known = of_signal([KILL, EXIT, again, back, third], 7, "<0.3.0>")
    assert known.restarted_as == "<0.11.0>"


def test_a_supervisor_that_gives_up_over_the_successors_is_told() -> None:
    again = Event(id=9, time=100.01, kind="exit", pid="<0.9.0>", reason="boom", supervisor="<0.2.0>")
    back = Event(id=10, time=100.01, kind="restart", pid="<0.9.0>", old_pid="<0.3.0>", supervisor="<0.2.0>", cause=8)
    once_more = Event(id=11, time=100.02, kind="exit", pid="<0.11.0>", reason="boom", supervisor="<0.2.0>")
    third = Event(id=12, time=100.02, kind="restart", pid="<0.11.0>", old_pid="<0.9.0>", supervisor="<0.2.0>", cause=9)
    fall = Event(id=13, time=100.03, kind="gave_up", pid="<0.2.0>", name="top", cause=11)
    over = Event(id=14, time=100.03, kind="report", pid="<0.1.0>", ends_program=True)
    known = of_signal([KILL, EXIT, again, back, once_more, third, fall, over], 7, "<0.3.0>")
    assert known.sentence(comes_back=True) == (
        "It was restarted 2 times, and each has ended, the last with boom. top gave up. The program has ended."
    )
    other = Event(id=13, time=100.03, kind="gave_up", pid="<0.50.0>", name="elsewhere", cause=2)
    assert of_signal([KILL, EXIT, other], 7, "<0.3.0>").gave_up == ()


def test_a_supervisor_that_cannot_start_the_child_again_and_gives_up_is_told() -> None:
    ended = Event(id=8, time=100.001, kind="exit", pid="<0.3.0>", supervisor="<0.2.0>", reason="killed", cause=7)
    failed = Event(id=9, time=100.002, kind="restart_failed", pid="<0.2.0>", reason="taken", cause=8)
    fall = Event(id=10, time=100.003, kind="gave_up", pid="<0.2.0>", name="top")
    assert of_signal([KILL, ended, failed, fall], 7, "<0.3.0>").sentence(comes_back=True) == "top gave up."
