"""Pids and places of one node among those of all."""

from __future__ import annotations

import pytest

from observer.node.cluster.translation import Translation, origin
from runtime.introspection import wire

HOME, LEFT, RIGHT = Translation("home@h", 0), Translation("left@h", 2), Translation("right@h", 3)
ALL = {each.node: each for each in (HOME, LEFT, RIGHT)}


@pytest.mark.parametrize("pid", ["<0.17.0>", "g7", "<5.17.0>", "2:g7", "odd", "<0.1>"])
@pytest.mark.parametrize("words", [LEFT, RIGHT])
def test_a_pid_leads_back_to_its_node_and_to_what_it_is_there(pid: str, words: Translation) -> None:
    assert origin(words.pid(pid)) == (words.number, pid)


def test_the_pids_of_the_node_that_was_asked_stay_as_they_are() -> None:
    assert HOME.pid("<0.17.0>") == "<0.17.0>"
    assert origin("<0.17.0>") == (0, "<0.17.0>")
    assert origin("g7") == (0, "g7")


def test_the_pid_of_an_ordinary_process_is_what_the_node_that_was_asked_prints() -> None:
    assert LEFT.pid("<0.17.0>") == "<2.17.0>"


def test_a_place_keeps_its_own_words_behind_the_name_of_its_node() -> None:
    assert LEFT.key("app/pool/left@h/x") == "left@h/app/pool/left@h/x"
    assert LEFT.key_there(LEFT.key("left@h/x")) == "left@h/x"


def test_the_rows_of_a_node_hang_under_its_name() -> None:
    row = wire.Row(key="app", pid="<0.2.0>", depth=0)
    child = wire.Row(key="app/a", pid="<0.3.0>", supervisor="<0.2.0>", parent_key="app", depth=1)
    told = LEFT.row(row)
    assert (told.key, told.parent_key, told.pid, told.depth) == ("left@h/app", "left@h", "<2.2.0>", 1)
    told = LEFT.row(child)
    assert (told.parent_key, told.supervisor, told.depth) == ("left@h/app", "<2.2.0>", 2)


def test_what_a_process_is_related_to_is_told_by_its_own_node() -> None:
    links = (
        wire.Related(pid="<0.4.0>", name="mine"),
        wire.Related(pid="<7.5.0>", name="asker", node="home@h", pid_there="<0.5.0>"),
        wire.Related(pid="<8.6.0>", name="other", node="right@h", pid_there="<0.6.0>"),
        wire.Related(pid="<9.6.0>", name="stranger", node="far@x", pid_there="<0.6.0>"),
    )
    details = wire.Details(row=wire.Row(key="a", pid="<0.3.0>"), links=links)
    told = LEFT.told(details, ALL)
    assert told.row.pid == "<2.3.0>"
    assert [(each.pid, each.node, each.pid_there) for each in told.links] == [
        ("<2.4.0>", "left@h", "<0.4.0>"),
        ("<0.5.0>", "", ""),
        ("<3.6.0>", "right@h", "<0.6.0>"),
        ("<9.6.0>", "far@x", "<0.6.0>"),
    ]


def test_an_event_and_a_finding_name_the_pids_of_all_nodes() -> None:
    event = wire.Event(id=1, time=1.0, kind="restart", pid="<0.4.0>", old_pid="<0.3.0>", key="app/a", supervisor=None)
    told = LEFT.told(event, ALL)
    assert (told.pid, told.old_pid, told.key, told.supervisor) == ("<2.4.0>", "<2.3.0>", "left@h/app/a", None)
    lint = wire.Lint(kind="hog", weight=1, pids=("<0.4.0>", "g1"), sentence="It hogs.")
    assert LEFT.told(lint, ALL).pids == ("<2.4.0>", "2:g1")
