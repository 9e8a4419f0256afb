"""A program's name stands for all its workers, in the commands that can take several nodes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from observer.cli import past
from observer.node import programs
from runtime.introspection import kept_events, wire
from tests.support.command import EVENTS, Command
from tests.support.fake_endpoint import FakeEndpoint, of_rows

SHOP: dict[str, Any] = {"program": "shop", "run": "7-ab", "parent_pid": 7}


def rows(*memories: int) -> Callable[[wire.Query], Any]:
    return of_rows(
        tuple(
            wire.Row(key=f"<0.{n}.0>", pid=f"<0.{n}.0>", name=f"holds {memory}", memory=memory, messages_in=memory)
            for n, memory in enumerate(memories, 1)
        )
    )


def worker(number: int, respond: Callable[[wire.Query], Any]) -> FakeEndpoint:
    """Return a worker that answers as a function says until that raises OSError: then it is gone."""
    name = f"shop-{number}"

    def answer(query: wire.Query) -> Any:
        try:
            return respond(query)
        except OSError:
            Path(os.environ["OBSERVER_DIR"], f"{name}.sock").unlink()
            raise

    return FakeEndpoint(name, answer, os_pid=1_000_000_000 + number, started_at=float(number), **SHOP)


@contextmanager
def shop(*responds: Callable[[wire.Query], Any]) -> Iterator[list[FakeEndpoint]]:
    with ExitStack() as stack:
        yield [stack.enter_context(worker(n, respond)) for n, respond in enumerate(responds, 1)]


@pytest.mark.parametrize("name", [("shop",), ()], ids=["by name", "the only program"])
def test_processes_of_all_workers_are_one_list(observer: Command, name: tuple[str, ...]) -> None:
    with shop(rows(30, 10), rows(20)):
        listed = observer("ps", *name, "--sort", "memory", "-d", "--json").value
        few = observer("ps", *name, "--sort", "memory", "-d", "-n", "2", "--json").value
        by_pid = observer("ps", *name, "--json").value
        shown = observer("ps", *name)
    assert [(each["node"], each["memory"]) for each in listed] == [("shop-1", 30), ("shop-2", 20), ("shop-1", 10)]
    assert few == listed[:2]
    assert [each["node"] for each in by_pid] == ["shop-1", "shop-1", "shop-2"]
    assert shown.out.split()[0] == "NODE"


@pytest.mark.parametrize("words", [("info", "shop"), ("info", "shop", "g2"), ("kill", "shop", "g2"), ("kill", "shop")])
def test_what_is_about_one_process_asks_which_worker_is_meant(observer: Command, words: tuple[str, ...]) -> None:
    with shop(rows(), rows()), FakeEndpoint("another", rows()):
        refused = observer(*words)
    assert refused.status != 0
    assert "shop has 2 nodes: say which one (shop-1, shop-2)." in refused.err


def test_the_busiest_of_all_workers_stand_first(observer: Command) -> None:
    def counting(*counts: int) -> Callable[[wire.Query], Any]:
        told = iter(counts)

        def respond(query: wire.Query) -> wire.Answer:
            count = next(told)
            row = wire.Row(key="<0.1.0>", pid="<0.1.0>", messages_in=count)
            stats = wire.NodeStats(name="shop", time=float(respond.time), started_at=0.0, os_pid=1)  # type: ignore[attr-defined]
            respond.time += 2  # type: ignore[attr-defined]
            return wire.Window(rows=(row,), offset=0, total=1, stats=stats)

        respond.time = 1  # type: ignore[attr-defined]
        return respond

    with shop(counting(1_000, 1_002), counting(0, 20), counting(5, 5)):
        found = observer("top", "shop", "--interval", "0.1", "-n", "2", "--json").value
    assert [(each["node"], each["messages_in_per_second"]) for each in found] == [("shop-2", 10.0), ("shop-1", 1.0)]


def test_each_worker_has_a_tree(observer: Command) -> None:
    with shop(rows(1), rows(2)):
        trees = observer("tree", "shop", "--json").value
        shown = observer("tree", "shop").out
    assert [(each["node"], each["tree"][0]["pid"]) for each in trees] == [("shop-1", "<0.1.0>"), ("shop-2", "<0.1.0>")]
    assert shown.index("shop-1") < shown.index("holds 1") < shown.index("shop-2") < shown.index("holds 2")


def test_findings_of_all_workers_name_theirs(observer: Command) -> None:
    hog = wire.Lint(kind="hog", weight=3, pids=("<0.1.0>",), sentence="It hogs.")
    with shop(lambda query: wire.Lints(), lambda query: wire.Lints(lints=(hog,))):
        found = observer("diagnose", "shop", "--for", "0", "--json")
        shown = observer("diagnose", "shop", "--for", "0")
    assert found.status == shown.status == 1
    assert [(each["node"], each["kind"]) for each in found.value] == [("shop-2", "hog")]
    assert "observer events shop-2 -n 50" in found.value[0]["next_commands"]
    assert shown.out.split()[0] == "NODE"


def test_a_worker_that_has_gone_meanwhile_is_left_out_and_said_to_be(observer: Command) -> None:
    def gone(query: wire.Query) -> wire.Answer:
        raise OSError

    with shop(rows(1), gone):
        found = observer("ps", "shop", "--json")
    assert [each["node"] for each in found.value] == ["shop-1"]
    assert "shop-2 closed the connection" in found.err
    with shop(gone, gone):
        assert observer("ps", "shop")[0::2][0] == 1


def test_what_is_printed_has_one_form_however_many_workers_answer(observer: Command) -> None:
    said = SHOP | {"parent_pid": os.getpid(), "os_pid": 2}
    with FakeEndpoint("shop-1", rows(1), **said), FakeEndpoint("shop-2", rows(), "garbage", **said):
        (listed,) = observer("ps", "shop", "--json").value
        (tree,) = observer("tree", "shop", "--json").value
    assert listed["node"] == tree["node"] == "shop-1"
    assert len(tree["tree"]) == 1


def test_a_node_that_no_program_has_started_is_meant_by_its_own_name(observer: Command) -> None:
    with FakeEndpoint("shop", rows(1)), FakeEndpoint("shop-9", rows(2), program="shop"):
        (found,) = observer("ps", "shop", "--json").value
    assert (found["node"], found["memory"]) == (None, 1)


def test_a_worker_that_has_the_name_of_its_program_stands_for_all(socket_folder: Path) -> None:
    said: dict[str, Any] = {"program": "shop", "parent_pid": os.getpid()}
    with (
        FakeEndpoint("shop", rows(1), os_pid=2, started_at=1.0, **said),
        FakeEndpoint("shop-3", rows(2), os_pid=3, **said),
        FakeEndpoint("shop-4", rows(3), os_pid=4, started_at=2.0, **{**said, "program": "shop-4"}),
    ):
        assert [each.name for each in programs.workers("shop")] == ["shop", "shop-3"]
        assert programs.workers("shop-3") == programs.workers("shop-4") == programs.workers("other") == []
        assert programs.workers(None) == []


# -- Events -----------------------------------------------------------------------------------------------------------


def telling(*batches: tuple[wire.Event, ...], lives: bool = False) -> Callable[[wire.Query], Any]:
    """Return a node that tells some events at each question, and then dies, or `lives` and tells no more."""
    left = iter(batches)

    def respond(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetEvents)
        events = next(left, None)
        if events is None and not lives:
            raise OSError
        return wire.Events(events=events or (), last=events[-1].id if events else 9)

    return respond


FIRST, SECOND, THIRD = EVENTS


def test_events_of_all_workers_are_one_list_in_their_order(observer: Command) -> None:
    batches = (FIRST, THIRD), (SECOND,)
    with shop(*(telling(batch, lives=True) for batch in batches)):
        listed = observer("events", "shop", "--json").value
    with shop(*(telling(batch, lives=True) for batch in batches)):
        shown = observer("events", "shop", "-n", "2").out
    with shop(rows(), rows()):
        wrong = observer("events", "shop", "--pid", "0.1.0")
    assert [(each["node"], each["id"]) for each in listed] == [("shop-1", 4), ("shop-2", 5), ("shop-1", 6)]
    assert [line.split()[0] for line in shown.splitlines()] == ["shop-2", "shop-1"]
    assert wrong.status == 2
    assert "say which one (shop-1, shop-2)" in wrong.err


def test_following_goes_on_with_workers_that_are_started_later(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(kept_events, "lives", lambda pid: False)  # the process that has started them
    new = worker(3, telling((replace(THIRD, id=1),)))
    other = FakeEndpoint("shop-4", telling(), program="another")
    starting = iter([new])

    def second(query: wire.Query) -> Any:
        for each in starting:
            each.__enter__()
        return rest(query)

    rest = telling((), (replace(SECOND, id=1),))
    with shop(telling((FIRST,)), second), other:
        try:
            result = observer("events", "shop", "--follow", "--json")
        finally:
            new.__exit__(None, None, None)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert [(each["node"], each["name"] or each["kind"]) for each in told] == [
        ("shop-1", "kill"),
        ("shop-2", "exit"),
        ("shop-3", THIRD.name),
    ]
    assert "shop-3: following it too: it was started since." in result.err
    assert "shop-4" not in result.err
    assert result.status == 1
    assert "shop has ended: none of its workers runs any more." in result.err


def test_what_a_worker_has_left_is_told_while_the_others_go_on(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(kept_events, "lives", lambda pid: False)
    with shop(telling((FIRST,)), telling((), (), ())) as (dying, _):
        keeper = kept_events.Keeper(dying.welcome())
        keeper.keep([FIRST, SECOND])
        keeper.close()
        result = observer("events", "shop", "--follow")
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines] == ["shop-1", "shop-1"]
    assert result.err.index("shop-1 closed the connection") < result.err.index("shop-2 closed the connection")


def test_a_worker_whose_name_no_file_can_have_spoils_no_list_of_events(observer: Command) -> None:
    with shop(telling((FIRST,), lives=True)), FakeEndpoint("shop-2", rows(), "hangs_up", **SHOP | {"node": "a\0b"}):
        found = observer("events", "shop", "--json")
    assert [each["node"] for each in found.value] == ["shop-1"]
    assert "shop-2 closed the connection" in found.err


def test_events_that_were_lost_in_between_are_counted_by_worker(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_events, "lives", lambda pid: False)
    with shop(telling((FIRST,), (replace(THIRD, id=9),)), telling(())):
        result = observer("events", "shop", "--follow")
    assert "shop-1: 4 events were lost" in result.err
    assert result.err.count("lost:") == 1
