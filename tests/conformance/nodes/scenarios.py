"""What is played between two nodes: messages, links, exit signals and monitors.

Most are among the things that were seen between two nodes of OTP 25. A function plays one; its name is the scenario's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tests.conformance.nodes.pair import FAR, NEAR, Play

Scenario = Callable[[Play], None]
F = TypeVar("F", bound=Scenario)

SCENARIOS: dict[str, Scenario] = {}


def scenario(function: F) -> F:
    """Enter a scenario."""
    SCENARIOS[function.__name__] = function
    return function


def pair(play: Play, trap: bool = True) -> None:
    """Begin with an actor on each node."""
    play.new("a", on=NEAR)
    play.new("b", on=FAR)
    if trap:
        play.do("a", "trap")


# -- Messages ---------------------------------------------------------------------------------------------------------


@scenario
def messages_keep_their_order(play: Play) -> None:
    pair(play)
    for word in ("one", "two", "three"):
        play.do("a", "send", "b", word)
        play.do("a", "send", "b/other", word)
    play.do("b", "take", "6")


@scenario
def pids_travel(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("a", "send_pid", "b", "c")
    play.do("a", "send_pid", "b", "b")
    play.do("b", "take", "2")
    play.do("b", "node", "a")
    play.do("a", "node", "b")


@scenario
def messages_to_a_name_that_is_free_are_dropped(play: Play) -> None:
    pair(play)
    play.do("a", "send", "nobody/other", "lost")
    play.do("a", "send", "b/other", "arrives")
    play.do("b", "take", "1")
    play.do("b", "empty")


@scenario
def messages_to_the_dead_are_dropped(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "b")
    play.do("b", "die", "away")
    play.do("a", "take", "1")
    play.do("a", "send", "b", "lost")
    play.do("a", "exit", "b", "lost")
    play.do("a", "empty")


# -- Links ------------------------------------------------------------------------------------------------------------


@scenario
def a_link_tells_of_a_death(play: Play) -> None:
    pair(play)
    play.do("a", "link", "b")
    play.do("b", "die", "boom")
    play.do("a", "take", "1")
    play.do("a", "info", "links")


@scenario
def a_link_ends_who_does_not_trap(play: Play) -> None:
    pair(play, trap=False)
    play.new("watcher", on=NEAR)
    play.do("watcher", "monitor", "a")
    play.do("a", "link", "b")
    play.do("b", "die", "boom")
    play.do("watcher", "take", "1")


@scenario
def a_normal_end_goes_through_a_link(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("a", "link", "b")
    play.do("c", "link", "b")
    play.do("b", "die", "normal")
    play.do("a", "take", "1")
    play.do("c", "empty")


@scenario
def a_link_to_the_dead_gives_noproc(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "b")
    play.do("b", "die", "away")
    play.do("a", "take", "1")
    play.do("a", "link", "b")
    play.do("a", "take", "1")


@scenario
def a_link_to_the_dead_ends_who_does_not_trap(play: Play) -> None:
    pair(play, trap=False)
    play.new("watcher", on=NEAR)
    play.do("a", "monitor", "b")
    play.do("b", "die", "away")
    play.do("a", "take", "1")
    play.do("watcher", "monitor", "a")
    play.do("a", "link", "b")
    play.do("watcher", "take", "1")


@scenario
def an_unlink_is_final(play: Play) -> None:
    pair(play)
    play.do("a", "link", "b")
    play.do("a", "unlink", "b")
    play.do("b", "die", "boom")
    play.do("a", "empty")


@scenario
def an_unlink_counts_for_both(play: Play) -> None:
    pair(play)
    play.do("b", "trap")
    play.do("a", "link", "b")
    play.until("b", ("info", "links"), "[a]")
    play.do("b", "unlink", "a")
    play.do("a", "die", "boom")
    play.do("b", "empty")


@scenario
def links_are_seen_on_both_sides(play: Play) -> None:
    pair(play)
    play.do("a", "link", "b")
    play.do("a", "link", "b")
    play.do("a", "info", "links")
    play.until("b", ("info", "links"), "[a]")


@scenario
def a_kill_goes_along_a_chain_as_killed(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("c", "link", "b")
    play.do("a", "link", "c")
    play.until("b", ("info", "links"), "[c]")
    play.do("a", "exit", "b", "kill")
    play.do("a", "take", "1")


@scenario
def who_kills_itself_dies_of_kill(play: Play) -> None:
    pair(play)
    play.new("c", "watcher", on=NEAR)
    play.do("watcher", "monitor", "c")
    play.do("c", "link", "b")
    play.do("a", "link", "b")
    play.until("a", ("info", "links"), "[b]")
    play.do("b", "die", "kill")
    play.do("a", "take", "1")
    play.do("watcher", "take", "1")


@scenario
def who_sends_itself_a_kill_is_killed(play: Play) -> None:
    pair(play)
    play.do("a", "link", "b")
    play.do("b", "kill_self")
    play.do("a", "take", "1")


# -- Exit signals -----------------------------------------------------------------------------------------------------


@scenario
def an_exit_signal_can_be_trapped(play: Play) -> None:
    pair(play)
    play.do("b", "trap")
    for reason in ("boom", "normal", "shutdown"):
        play.do("a", "exit", "b", reason)
    play.do("b", "take", "3")


@scenario
def a_normal_exit_signal_ends_no_one(play: Play) -> None:
    pair(play)
    play.do("a", "exit", "b", "normal")
    play.do("a", "send", "b", "still")
    play.do("b", "take", "1")


@scenario
def a_kill_cannot_be_trapped(play: Play) -> None:
    pair(play)
    play.do("b", "trap")
    play.do("a", "monitor", "b")
    play.do("a", "exit", "b", "kill")
    play.do("a", "take", "1")


@scenario
def a_monitor_after_an_exit_signal_finds_no_one(play: Play) -> None:
    pair(play)
    play.do("a", "exit", "b", "boom")
    play.do("a", "monitor", "b")
    play.do("a", "take", "1")


# -- Monitors ---------------------------------------------------------------------------------------------------------


@scenario
def a_monitor_tells_of_a_death(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "b")
    play.do("a", "monitor", "b")
    play.do("b", "die", "boom")
    play.do("a", "take", "2")
    play.do("a", "empty")


@scenario
def a_monitor_by_name_tells_the_name(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "b/other")
    play.do("a", "info", "monitors")
    play.do("b", "die", "boom")
    play.do("a", "take", "1")


@scenario
def a_monitor_of_a_free_name(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "nobody/other")
    play.do("a", "take", "1")


@scenario
def a_monitor_that_is_taken_away_says_nothing(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "b")
    play.do("a", "demonitor")
    play.do("b", "die", "boom")
    play.do("a", "empty")


@scenario
def a_remote_watcher_is_seen(play: Play) -> None:
    pair(play)
    play.do("a", "monitor", "b")
    play.until("b", ("info", "monitored_by"), "[a]")
    play.do("a", "info", "monitors")
    play.do("a", "demonitor")
    play.until("b", ("info", "monitored_by"), "[]")
