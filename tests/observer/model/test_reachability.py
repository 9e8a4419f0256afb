"""What is said of a node that cannot be reached."""

from __future__ import annotations

from observer.clock import of_day
from observer.model.reachability import Reachability
from observer.model.remnants import Remnants
from observer.node.source import ChildStatus


def test_before_the_first_answer_it_connects() -> None:
    assert Reachability().sentences() == ["Connecting …"]


def test_while_connected_there_is_nothing_to_say() -> None:
    met = Reachability(lost_at=1.0, why="gone").met()
    assert met.sentences() == []
    assert met.lost_at is None
    assert met.silent(2.5).silent_for == 2.5
    assert met.silent(2.5).connected


def test_the_first_moment_of_a_loss_is_kept_through_every_attempt() -> None:
    lost = Reachability(connected=True).lost(100.0, "The connection was closed.", None)
    again = lost.lost(200.0, "Nothing listens there.", None)
    assert again.lost_at == 100.0
    assert again.sentences() == [f"The node was lost at {of_day(100.0)}; reconnecting. Nothing listens there."]
    assert again.met().lost(300.0, "", None).lost_at == 300.0


def test_a_program_that_has_ended_says_how_and_its_last_words() -> None:
    child = ChildStatus("shop.py", 3, stderr=("one", "", "two", "three", "four", "five"))
    ended = Reachability().lost(100.0, "gone", child)
    assert ended.ended
    assert ended.sentences() == [
        f"The program ended with exit status 3. What you see is from {of_day(100.0)}.",
        "two",
        "three",
        "four",
        "five",
    ]
    known = Reachability().lost(100.0, "gone", ChildStatus("shop.py", 1, ("x",), cause="KeyError: 'port'"))
    assert known.sentences()[1:] == ["KeyError: 'port'"]


def test_an_erlang_node_that_is_gone_says_so_and_when_and_a_bridge_that_was_ended_too() -> None:
    cause = "The connection to app@host has ended: connection_closed."
    gone = Reachability().lost(100.0, "gone", ChildStatus("a bridge", 1, (cause,), cause=cause, bridge_to="app@host"))
    at = of_day(100.0)
    assert gone.sentences() == [f"app@host is gone since {at}. What you see is from then.", cause]
    ended = Reachability().lost(100.0, "gone", ChildStatus("a bridge", -9, bridge_to="app@host"))
    assert ended.sentences() == [f"The bridge to app@host was ended by SIGKILL. What you see is from {at}."]
    assert ended.verdict == "The bridge to app@host was ended by SIGKILL. O shows what it wrote."


def test_a_program_that_still_runs_has_not_ended() -> None:
    lost = Reachability().lost(100.0, "gone", ChildStatus("shop.py"))
    assert not lost.ended
    assert lost.sentences()[0].startswith("The node was lost at ")


def test_a_program_that_has_told_of_its_end_has_ended_also_when_it_was_not_started_from_here() -> None:
    left = Remnants(ended_at=90.0, why="the program ends: KeyError: 'port' (app.py:12 in main)", black_box="shop@7")
    ended = Reachability().lost(100.0, "gone", None, left)
    assert ended.ended
    assert ended.sentences() == [
        f"The program ended at {of_day(90.0)}. What you see is from {of_day(100.0)}.",
        "The program has ended: KeyError: 'port' (app.py:12 in main)",
        "It has left a black box: 'observer open shop@7' shows its processes.",
    ]
    assert ended.verdict == "The program has ended: KeyError: 'port' (app.py:12 in main)"
    assert ended.met().cause == ended.met().verdict == ""
    child = ChildStatus("shop.py", 1, cause="KeyError: 'port'")
    assert Reachability().lost(100.0, "gone", child, left).cause == "KeyError: 'port'"
    lost = Reachability().lost(100.0, "gone", None)
    assert (lost.cause, lost.verdict) == ("", "The node is lost: this is what was known last.")
