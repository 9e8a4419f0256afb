"""More of what is played between two nodes: calls, processes that are started there, nodes that go and come back."""

from __future__ import annotations

from tests.conformance.nodes.pair import NEAR, Play
from tests.conformance.nodes.scenarios import SCENARIOS as SCENARIOS
from tests.conformance.nodes.scenarios import pair, scenario

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
