"""What is played between two nodes: links, monitors, signals, calls, names, nodes that go and come back.

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


# -- Calls ------------------------------------------------------------------------------------------------------------


@scenario
def calls_and_casts_reach_a_server(play: Play) -> None:
    pair(play)
    for dest in ("b", "b/other"):
        served = play.begin("b", "serve")
        play.do("a", "call", dest, "question")
        play.end(served)
        play.do("a", "cast", dest, "news")
        play.do("b", "serve")
    served = play.begin("b", "serve")
    play.do("a", "request", "b/other", "question")
    play.end(served)


@scenario
def a_call_ends_with_its_server(play: Play) -> None:
    pair(play)
    play.begin("b", "serve")
    play.do("a", "call", "b", "die")
    play.do("a", "call", "b", "question")
    play.do("a", "call", "b/other", "question")
    play.do("a", "request", "b", "question")
    play.do("a", "empty")


@scenario
def a_call_to_a_free_name(play: Play) -> None:
    pair(play)
    play.do("a", "call", "nobody/other", "question")
    play.do("a", "request", "nobody/other", "question")
    play.do("a", "cast", "nobody/other", "news")
    play.do("a", "empty")


@scenario
def a_call_that_is_given_up_leaves_nothing(play: Play) -> None:
    pair(play)
    served = play.begin("b", "serve")
    play.do("a", "call", "b", "silent", "50")
    play.end(served)
    play.do("a", "empty")
    play.until("b", ("info", "monitored_by"), "[]")


@scenario
def a_call_that_is_passed_on_is_answered(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    passed, served = play.begin("b", "pass_on", "c"), play.begin("c", "serve")
    play.do("a", "call", "b", "question")
    play.end(passed)
    play.end(served)


@scenario
def a_multi_call_answers_in_the_order_of_the_nodes(play: Play) -> None:
    pair(play)
    served = play.begin("b", "serve")
    play.do("a", "multi_call", "b")
    play.end(served)
    play.do("a", "multi_call", "nobody")
    play.do("a", "empty")


@scenario
def a_call_over_a_connection_that_is_cut(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    served, asked = play.begin("b", "serve"), play.begin("a", "call", "b", "silent")
    play.end(served)
    play.do("c", "disconnect")
    play.end(asked)
    play.do("a", "nodes")


# -- Starting processes -----------------------------------------------------------------------------------------------


@scenario
def a_process_is_started_there(play: Play) -> None:
    pair(play)
    play.spawn("a", "spawn", "c")
    play.do("a", "node", "c")
    play.do("a", "monitor", "c")
    play.do("c", "send", "c", "itself")
    play.do("c", "take", "1")
    play.do("c", "die", "boom")
    play.do("a", "take", "1")


@scenario
def a_process_is_started_there_with_a_link(play: Play) -> None:
    pair(play)
    play.spawn("a", "spawn_link", "c")
    play.do("a", "info", "links")
    play.do("c", "die", "boom")
    play.do("a", "take", "1")


@scenario
def a_process_is_started_there_with_a_monitor(play: Play) -> None:
    pair(play)
    play.spawn("a", "spawn_monitor", "c")
    play.do("c", "die", "boom")
    play.do("a", "take", "1")


@scenario
def a_process_is_started_on_a_node_that_is_not_there(play: Play) -> None:
    pair(play)
    play.do("a", "spawn_nowhere", "spawn")
    play.do("a", "monitor", "nobody")
    play.do("a", "take", "1")
    for how in ("spawn_link", "spawn_monitor"):
        play.do("a", "spawn_nowhere", how)
        play.do("a", "take", "1")


# -- Nodes ------------------------------------------------------------------------------------------------------------


@scenario
def a_cut_tells_all_once(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("b", "trap")
    play.do("a", "link", "b")
    play.do("a", "monitor", "b")
    play.do("a", "monitor", "b/other")
    play.until("b", ("info", "links"), "[a]")
    play.do("b", "monitor", "a")
    play.do("c", "disconnect")
    play.do("a", "nodes")
    for actor in ("a", "b"):
        found = play.begin(actor, "take", "3" if actor == "a" else "2")
        role, number, words = found
        lines = play.pair.programs[role].result(number)
        play.lines.append(f"{words}, in any order: {sorted(lines[1:-1].replace('},{', '} {').split())}")
        play.do(actor, "empty")


@scenario
def a_node_that_goes_down_is_told_after_its_processes(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("a", "monitor_nodes")
    play.do("a", "monitor", "b")
    play.do("c", "disconnect")
    play.do("a", "take", "2")
    play.do("a", "empty")


@scenario
def each_side_of_a_cut_has_its_reason(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("a", "monitor_nodes")
    play.do("b", "monitor_nodes")
    play.do("c", "disconnect")
    play.do("a", "take", "1")
    play.do("b", "take", "1")
    play.do("c", "connect")
    play.do("a", "take", "1")
    play.do("b", "take", "1")


@scenario
def each_asking_for_a_node_gives_one_message(play: Play) -> None:
    pair(play)
    play.do("a", "monitor_node")
    play.do("a", "monitor_node")
    play.do("a", "monitor_node")
    play.do("a", "monitor_node_off")
    play.do("a", "disconnect")
    play.do("a", "take", "2")
    play.do("a", "empty")


@scenario
def a_node_that_is_not_there_is_down_at_once(play: Play) -> None:
    pair(play)
    play.do("a", "connect_nowhere")
    play.do("a", "monitor_nowhere")
    play.do("a", "take", "1")
    play.do("a", "monitor_own_node")
    play.do("a", "empty")


@scenario
def a_link_or_a_monitor_connects(play: Play) -> None:
    pair(play)
    for verb in ("link", "monitor", "monitor_node", "send"):
        play.do("a", "disconnect")
        play.do("a", "nodes")
        more = {"link": ("b",), "monitor": ("b",), "monitor_node": (), "send": ("b", "word")}[verb]
        play.do("a", verb, *more)
        play.until("a", ("nodes",), "[far]")


@scenario
def what_was_linked_before_a_cut_is_not_any_more(play: Play) -> None:
    pair(play)
    play.do("a", "link", "b")
    play.do("a", "disconnect")
    play.do("a", "take", "1")
    play.do("a", "connect")
    play.do("a", "info", "links")
    play.do("a", "link", "b")
    play.until("a", ("nodes",), "[far]")
    play.do("a", "info", "links")


@scenario
def a_node_that_is_killed_and_begins_anew(play: Play) -> None:
    pair(play)
    play.new("c", on=NEAR)
    play.do("c", "monitor_nodes")
    play.do("a", "monitor", "b")
    play.kill_far()
    play.do("a", "take", "1")
    play.do("c", "take", "1")
    play.do("a", "call", "b/other", "question")
    play.do("a", "monitor", "b")
    play.do("a", "take", "1")
    play.restart_far()
    play.do("a", "connect")
    play.do("a", "send", "b", "lost")
    play.do("a", "exit", "b", "lost")
    play.do("a", "monitor", "b")
    play.do("a", "take", "1")
    play.do("a", "link", "b")
    play.do("a", "take", "1")
