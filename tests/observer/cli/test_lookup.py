"""Which node and which process the words of a command mean."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, cast

import pytest

from observer.cli import lookup
from observer.cli.errors import CommandError, WrongUsageError
from observer.node import discovery
from observer.node.client import Client
from runtime.introspection import kept_events, wire
from runtime.introspection.recording import frames, kept_boxes
from runtime.introspection.wire import NodeStats, Row, Window
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.recordings import GONE, figures_at, leave_black_box, rows_named, written
from tests.support.welcome import welcome

STATS = NodeStats(name="shop", time=0.0, started_at=0.0, os_pid=1)


class Rows:
    """A client whose node has these rows, and gives them so many at a time."""

    name = "shop"

    def __init__(self, *rows: Row, most: int = 1_000) -> None:
        self.rows = rows
        self.most = most
        self.asked: list[Any] = []

    def expect(self, kind: type, query: Any) -> Window:
        self.asked.append(query)
        size = min(query.limit, self.most)
        return Window(
            rows=self.rows[query.offset : query.offset + size], offset=query.offset, total=len(self.rows), stats=STATS
        )


def _client(*rows: Row, most: int = 1_000) -> Client:
    return cast(Client, Rows(*rows, most=most))


def _row(number: int, **more: Any) -> Row:
    return Row(key=f"<0.{number}.0>", pid=f"<0.{number}.0>", **more)


@pytest.mark.parametrize(("text", "is_pid"), [("<0.17.0>", True), ("0.17.0", True), ("0.17", False), ("shop", False)])
def test_a_pid_is_one_with_and_without_brackets(text: str, is_pid: bool) -> None:
    assert lookup.is_pid(text) is is_pid


def test_the_node_may_be_left_out_of_the_words(socket_folder: Path) -> None:
    assert lookup.split(["0.7.0", "hello"], "PID MESSAGE") == (None, ["0.7.0", "hello"])
    assert lookup.split(["shop", "0.7.0", "hello"], "PID MESSAGE") == ("shop", ["0.7.0", "hello"])
    for words in ([], ["0.7.0"], ["a", "b", "c", "d"]):
        with pytest.raises(WrongUsageError, match=r"Say \[NODE\] PID MESSAGE"):
            lookup.split(words, "PID MESSAGE")


def test_a_node_alone_is_not_taken_for_a_process_of_the_same_name(
    monkeypatch: pytest.MonkeyPatch, socket_folder: Path
) -> None:
    monkeypatch.setattr(discovery, "exists", lambda name: name == "shop")
    with pytest.raises(WrongUsageError, match="shop is a node: say which process of it, as in 'shop PID'"):
        lookup.split_targets(["shop"])
    with pytest.raises(WrongUsageError, match="shop is a node"):
        lookup.split(["shop"], "PID")
    assert lookup.split_targets(["shop", "shop"]) == ("shop", ["shop"])
    assert lookup.split_targets(["cart"]) == lookup.split(["cart"], "PID") == (None, ["cart"])


def test_a_first_word_is_a_node_only_when_one_of_that_name_runs(
    monkeypatch: pytest.MonkeyPatch, socket_folder: Path
) -> None:
    monkeypatch.setattr(discovery, "exists", lambda name: name == "shop")
    assert lookup.split_targets(["shop", "0.7.0"]) == ("shop", ["0.7.0"])
    assert lookup.split_targets(["bank", "till"]) == (None, ["bank", "till"])
    assert lookup.split_targets(["0.7.0", "0.8.0"]) == (None, ["0.7.0", "0.8.0"])


def test_a_process_is_meant_by_its_pid_its_registered_name_or_what_it_alone_is_called() -> None:
    client = _client(_row(1, name="till", label="till"), _row(2, name="bank", registered_name="bank"), _row(3))
    assert lookup.pid_of(client, "0.9.0") == "<0.9.0>"
    assert lookup.pid_of(client, "bank") == "<0.2.0>"
    assert lookup.pid_of(client, "till") == "<0.1.0>"
    assert lookup.pid_of(client, "g7") == "g7"


def test_a_registered_name_goes_before_what_others_are_called() -> None:
    client = _client(_row(1, label="bank"), _row(2, registered_name="bank"))
    assert lookup.pid_of(client, "bank") == "<0.2.0>"


def test_a_name_of_none_or_of_several_is_an_error_that_says_what_to_do() -> None:
    client = _client(_row(1, name="Till"), _row(2, label="w"), _row(3, label="w"))
    with pytest.raises(CommandError, match="There is one called 'Till'"):
        lookup.pid_of(client, "till")
    with pytest.raises(CommandError, match="A pid looks like"):
        lookup.pid_of(client, "bank")
    with pytest.raises(CommandError, match=r"2 processes of shop are called 'w': say which one \(<0.2.0>, <0.3.0>\)"):
        lookup.pid_of(client, "w")


def test_a_name_that_means_something_else_to_a_search_is_not_searched_for() -> None:
    client = _client(_row(1, name="a and b"))
    assert lookup.pid_of(client, "a and b") == "<0.1.0>"
    assert cast(Rows, client).asked[0].filter == ""


def test_a_long_list_is_asked_for_piece_by_piece_and_each_process_comes_once() -> None:
    rows = [_row(number) for number in range(10)]
    client = _client(*rows, most=3)
    assert list(lookup.processes(client)) == rows
    assert [query.offset for query in cast(Rows, client).asked] == [0, 3, 6, 9]
    assert list(lookup.processes(client, limit=4)) == rows[:4]


def test_a_list_that_is_always_said_to_go_on_ends() -> None:
    class Endless(Rows):
        def expect(self, kind: type, query: Any) -> Window:
            return Window(rows=(_row(1),), offset=query.offset, total=9_999, stats=STATS)

    assert len(list(lookup.processes(cast(Client, Endless())))) == 1


def test_memory_is_waited_for_and_no_longer_than_it_may_be() -> None:
    class Slow(Rows):
        def expect(self, kind: type, query: Any) -> Window:
            self.asked.append(query)
            memory = 1_000 if len(self.asked) == 3 else None
            return Window(rows=(_row(1, memory=memory),), offset=0, total=1, stats=STATS)

    slow = Slow()
    answer = lookup.measured(cast(Client, slow), wire.Window, wire.GetProcesses(), time.monotonic() + 60)
    assert answer.rows[0].memory == 1_000
    assert lookup.measured(cast(Client, Slow()), wire.Window, wire.GetProcesses(), 0.0).rows[0].memory is None


def _left_behind(box: bool = False, why: str = "the program failed: boom") -> None:
    if box:
        leave_black_box(why)
        return
    over = wire.Event(id=9, time=1.0, kind="report", message="the program ends: boom", ends_program=True)
    keeper = kept_events.Keeper(welcome(os_pid=GONE))
    keeper.keep([over])
    keeper.close()


def test_of_a_node_that_has_ended_the_black_box_is_looked_at(observer: Command, socket_folder: Path) -> None:
    _left_behind(box=True)
    for name in ("shop", f"shop@{GONE}"):
        status, out, err = observer("tree", name)
        assert status == 0
        assert "ada" in out
        assert f"shop@{GONE} has ended; this is the black box that it has left." in err
        assert "the program ends: boom" in observer("events", name).out
    status, out, err = observer("diagnose", "shop")
    assert (status, out) == (1, "Nothing else looked wrong when it ended.\n")
    assert "the program failed: boom" in err


def test_a_black_box_that_was_asked_for_is_no_failure(observer: Command, socket_folder: Path) -> None:
    _left_behind(box=True, why="asked for with 'observer dump'")
    assert observer("diagnose", "shop")[:2] == (0, "Nothing looks wrong.\n")


def test_of_a_node_that_has_left_only_its_events_it_is_said_what_it_ended_of(
    observer: Command, socket_folder: Path
) -> None:
    _left_behind()
    for command in ("tree", "diagnose", "ps", "memory", "waits"):
        status, _, err = observer(command, "shop")
        assert status == 1
        assert f"shop@{GONE} has ended, " in err
        assert " ago: the program ends: boom. 'observer events shop' prints its last events." in err
    for name in ("shop", f"shop@{GONE}"):
        assert "the program ends: boom" in observer("events", name).out


def test_a_word_alone_is_a_process_while_a_node_runs(observer: Command, socket_folder: Path) -> None:
    _left_behind()
    with FakeEndpoint("chat", scripted):
        assert "chat has no process called 'shop'" in observer("waits", "shop").err


@pytest.mark.parametrize(
    "words", ["info shpo", "waits shpo", "memory shpo", "kill shpo", "suspend shpo", "send shpo hello"]
)
def test_of_several_nodes_a_word_alone_is_none_of_them_or_a_process(
    observer: Command, socket_folder: Path, words: str
) -> None:
    with FakeEndpoint("chat", scripted), FakeEndpoint("shop", scripted):
        status, _, err = observer(*words.split())
        assert status == 2
        assert "There is no node called shpo. For a process of that name, say its node as well: chat, shop." in err
        assert "There are 2 nodes: say which one (chat, shop)." in observer("info", "0.7.0").err


@pytest.mark.parametrize("command", ["tree", "diagnose"])
def test_what_of_a_file_cannot_be_read_is_said_once(observer: Command, tmp_path: Path, command: str) -> None:
    path = written(tmp_path / "cut.observed", [(100.0, figures_at(100.0)), (100.0, rows_named("ada"))])
    assert "cannot be read" not in observer(command, str(path)).err
    data = path.read_bytes()
    with path.open("rb") as file:
        frames.read_header(file, "it")
        rows = next(each for each in frames.frames(file, len(data)) if each.kind == frames.ROWS)
    path.write_bytes(data[: rows.at] + b"\xff" * rows.length + data[rows.at + rows.length :])
    assert observer(command, str(path)).err.count("A part of it cannot be read: ") == 1
    path.write_bytes(data[: rows.at])
    assert observer(command, str(path)).err.count("It was cut short: this is as far as it goes.") == 1


def test_nothing_can_be_done_to_what_has_ended(socket_folder: Path, no_settings: object) -> None:
    _left_behind(box=True)
    with pytest.raises(
        discovery.NodeNotFoundError,
        match=r"has ended. It has left a black box [\dms]+ ago: the program failed: boom. 'observer open shop'",
    ):
        lookup.dial_to_act("shop")
    with pytest.raises(discovery.NodeNotFoundError, match="no node called other"):
        lookup.dial("other")


@pytest.mark.parametrize("command", ["kill", "exit", "suspend"])
def test_of_a_node_that_has_ended_an_order_says_when_and_of_what(
    observer: Command, socket_folder: Path, no_settings: object, command: str
) -> None:
    _left_behind()
    told = r"shop@\d+ has ended, [\dms]+ ago: the program ends: boom. 'observer events shop' prints its last events."
    assert re.search(told, observer(command, "shop", "0.3.0").err)
    for other in ("attach", "chaos", "metrics", "mcp") if command == "kill" else ():
        assert re.search(told, observer(other, "shop").err)
    _left_behind(box=True)
    assert re.search(r"ago: the program ends: boom. 'observer open shop'", observer(command, "shop", "0.3.0").err)


def test_a_name_that_no_process_has_may_be_that_of_a_node_that_has_ended(
    observer: Command, socket_folder: Path, no_settings: object
) -> None:
    _left_behind()
    with FakeEndpoint("chat", scripted):
        err = observer("kill", "shop", "0.3.0").err
    assert "chat has no process called 'shop'" in err
    assert "A node was called so: shop@" in err


def test_a_black_box_of_a_process_that_runs_is_not_taken_for_an_end(
    observer: Command, socket_folder: Path, no_settings: object
) -> None:
    leave_black_box("the hub was held for 10 s", os_pid=os.getpid())
    err = observer("tree", "shop").err
    assert f"shop@{os.getpid()} cannot be reached, although its process runs; this is the black box" in err
    assert re.search(r"runs. It has left a black box [\dms]+ ago: the hub was held", observer("chaos", "shop").err)


def test_of_two_processes_of_one_name_the_later_one_is_meant(observer: Command, socket_folder: Path) -> None:
    _left_behind()
    earlier = time.time() - 60  # files that are written at once may have the same time
    os.utime(kept_events.file_of("shop", GONE), (earlier, earlier))
    leave_black_box(os_pid=GONE + 1)
    assert f"shop@{GONE + 1} has ended; this is the black box" in observer("tree", "shop").err
    os.utime(kept_boxes.boxes()[0].path, (1.0, 1.0))
    assert f"shop@{GONE} has ended, " in observer("tree", "shop").err
