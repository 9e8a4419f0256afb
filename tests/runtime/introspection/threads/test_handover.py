from __future__ import annotations

from runtime.introspection.threads.handover import Handover
from runtime.kernel.threads import start_thread


def test_what_another_thread_settles_is_waited_for() -> None:
    outcome = Handover()

    def work() -> None:
        if outcome.begin():
            outcome.settle(42)

    start_thread(work, ())
    assert outcome.wait_on(10)
    assert outcome.value == 42


def test_what_was_given_up_before_it_was_begun_is_never_done() -> None:
    outcome = Handover()
    assert not outcome.give_up()
    assert not outcome.begin()


def test_what_was_begun_may_still_be_done_after_it_was_given_up() -> None:
    outcome = Handover()
    assert outcome.begin()
    assert not outcome.give_up()
    outcome.settle("late")
    assert outcome.give_up()
    assert outcome.value == "late"
