"""The demos' trees: under an observer they work, fail and heal as their pages say."""

from demos import counter, crash_loop, deadlock, leak, overload, strategies, swarm
from demos._stage import figure, hold, kill
from runtime import Exit, alive, call, exit, flag, receive, sleep, spawn, spawn_link, whereis, which_children
from tests.support.demo_trees import children
from tests.support.in_node import in_node


@in_node
def test_the_supervised_counter_comes_back_and_the_lonely_one_does_not() -> None:
    counter.tree()
    sleep(30)
    old = whereis("counter")
    assert figure(old, "messages_in") > 30
    kill("lonely")
    kill("counter")
    sleep(30)
    assert whereis("counter") not in (None, old)
    assert whereis("lonely") is None
    assert figure(whereis("counter"), "messages_in") > 30


@in_node
def test_the_leaking_cache_grows_and_the_reader_survives_its_death() -> None:
    leak.tree()
    sleep(5)
    small = figure(whereis("cache"), "memory")
    sleep(5)
    assert figure(whereis("cache"), "memory") > small > 0
    kill("cache")
    sleep(5)
    assert 0 < figure(whereis("cache"), "memory") <= small + leak.PAGE


@in_node
def test_the_overloaded_mailbox_grows_and_the_polite_one_does_not() -> None:
    overload.tree()
    sleep(10)
    assert figure(whereis("consumer"), "message_queue_len") > 100
    assert figure(whereis("other_consumer"), "message_queue_len") <= 1


@in_node
def test_the_deadlocked_accounts_are_freed_by_the_death_of_one() -> None:
    deadlock.tree()
    sleep(deadlock.PEACE + 60)
    before = children("bank")
    assert all(figure(before[name], "message_queue_len") == 1 for name in deadlock.OTHER)
    kill("savings")
    sleep(1)
    after = children("bank")
    assert {name for name in before if before[name] != after[name]} == {"savings", "cheque"}
    assert figure(after["savings"], "message_queue_len") == 0


@in_node
def test_accounts_that_are_asked_a_little_apart_wait_for_each_other_too() -> None:
    for name in deadlock.OTHER:
        deadlock.Account.start_link(name=name)
    for name, other in deadlock.OTHER.items():
        spawn(call, name, ("move", 10, other), None)
        sleep(0.1)
    sleep(60)
    assert all(figure(whereis(name), "message_queue_len") == 1 for name in deadlock.OTHER)


@in_node
def test_the_crash_loop_stays_within_its_budget_until_the_burst() -> None:
    crash_loop.tree()
    burst = crash_loop.BURST * crash_loop.EVERY
    sleep(burst * 0.8)
    top, kitchen = whereis("restaurant"), whereis("kitchen")
    assert figure(whereis("orders"), "messages_in") < 10
    sleep(burst * 0.4)
    assert whereis("kitchen") not in (None, kitchen)
    assert whereis("restaurant") == top


@in_node
def test_the_dealer_gives_work_to_servers_in_every_corner() -> None:
    swarm.tree(300)
    sleep(30)
    servers = [child.pid for group in which_children("servers") for child in which_children(group.pid)]
    assert len(servers) == 300
    assert all(figure(pid, "messages_in") > 0 for pid in servers)


@in_node
def test_a_tree_that_gave_up_is_built_again() -> None:
    holder = spawn_link(hold, strategies.tree)
    sleep(1)
    top = whereis("strategies")
    assert top is not None
    exit(top, "kill")
    sleep(10)
    assert whereis("strategies") not in (None, top)
    assert alive(holder)
    flag(trap_exit=True)
    exit(holder, "shutdown")
    assert receive(Exit(holder, str)).reason == "shutdown"
    sleep(10)
    assert whereis("strategies") is None
