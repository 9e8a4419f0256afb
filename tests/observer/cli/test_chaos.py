from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observer.chaos.recoveries import Recoveries, Report, percentile
from observer.chaos.run import Chaos, Orders
from observer.cli import main
from observer.node.source import ChildStatus, NodeLostError
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, socket_folder, window

__all__ = ["socket_folder"]


@dataclass
class Mock:
    """A clock that moves with every sleep."""

    moment: float = 1_000.0

    def now(self) -> float:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        self.moment += seconds


def worker(number: int, pid: int | None = None, restart: str = "permanent") -> wire.Row:
    pid = number if pid is None else pid
    return wire.Row(
        key=f"app/w{number}",
        pid=f"<0.{pid}.0>",
        name=f"w{number}",
        child_id=f"w{number}",
        supervisor="<0.1.0>",
        restart=restart,
        started_at=0.0,
    )


@dataclass
class Node:
    """A node in memory: what is killed comes back after `delay` seconds, unless its key is in `doomed`."""

    clock: Mock
    rows: dict[str, wire.Row]
    delay: float = 0.2
    doomed: frozenset[str] = frozenset()
    logs: bool = True
    dies_after: float = 1e9
    refusal: wire.Failed | None = None
    name: str = "node"
    events: list[wire.Event] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    _due: list[tuple[float, str, str]] = field(default_factory=list)
    _next: int = 1_000

    async def connect(self) -> wire.Welcome:
        raise NotImplementedError

    async def close(self) -> None:
        pass

    def child(self) -> ChildStatus | None:
        return None

    async def ask(self, query: wire.Query) -> wire.Answer:
        if self.clock.moment > self.dies_after:
            raise NodeLostError("node is gone.")
        self._restart()
        return self.answer(query)

    def answer(self, query: wire.Query) -> wire.Answer:
        match query:
            case wire.GetEvents(after=after):
                events = tuple(event for event in self.events if event.id > after) if after >= 0 else ()
                return wire.Events(events=events, last=len(self.events))
            case wire.GetProcesses(offset=offset, limit=limit):
                alive = [row for row in self.rows.values() if row.pid is not None]
                return window(*alive[offset : offset + limit], total=len(alive))
            case wire.GetPlaces(keys=keys):
                return window(*(row for row in self.rows.values() if row.key in keys))
            case wire.Exit(pid=pid):
                return self.refusal or self._kill(pid)
            case _:
                return wire.Failed(why="not in the script")

    def _kill(self, pid: str) -> wire.Answer:
        row = next((row for row in self.rows.values() if row.pid == pid), None)
        if row is None:
            return wire.Failed(why="gone", kind="noproc")
        self.killed.append(pid)
        self.rows[row.key] = replace_row(row, None, None)
        if row.key not in self.doomed:
            self._due.append((self.clock.moment + self.delay, row.key, pid))
        return wire.Done()

    def _restart(self) -> None:
        for due in [due for due in self._due if due[0] <= self.clock.moment]:
            self._due.remove(due)
            at, key, old = due
            self._next += 1
            self.rows[key] = replace_row(self.rows[key], f"<0.{self._next}.0>", at)
            if self.logs:
                number = len(self.events) + 1
                self.events.append(
                    wire.Event(id=number, time=at, kind="restart", key=key, pid=self.rows[key].pid, old_pid=old)
                )


def replace_row(row: wire.Row, pid: str | None, started_at: float | None) -> wire.Row:
    import msgspec

    return msgspec.structs.replace(row, pid=pid, started_at=started_at)


def node_of(rows: Iterable[wire.Row]) -> Node:
    return Node(Mock(), {row.key: row for row in rows})


async def unleash(node: Node, orders: Orders, progress: Callable[[Report], None] = lambda report: None) -> Report:
    return await Chaos(node, orders, progress, node.clock, node.clock.sleep).run()


ORDERS = Orders(rate=2, seconds=5, settle=3, seed=1)


async def test_everything_that_comes_back_is_counted_and_timed_by_the_nodes_log() -> None:
    node = node_of(worker(number) for number in range(2, 12))
    report = await unleash(node, ORDERS)
    assert report.kills == report.recovered == 10
    assert report.passed
    assert report.p50 == report.p99 == report.worst == pytest.approx(0.2)
    assert report.pending == ()


async def test_what_it_takes_to_find_the_first_victims_is_not_made_up_for_by_a_burst() -> None:
    class Large(Node):
        def answer(self, query: wire.Query) -> wire.Answer:
            if isinstance(query, wire.GetProcesses):
                self.clock.moment += 3
            return super().answer(query)

    node = Large(Mock(), {row.key: row for row in (worker(number) for number in range(2, 200))})
    kills: list[int] = []
    await unleash(node, ORDERS, lambda report: kills.append(report.kills))
    assert kills[0] == 1
    assert sorted({*kills})[:3] == [1, 2, 3]


async def test_it_keeps_to_its_rate_and_its_time() -> None:
    node = node_of(worker(number) for number in range(2, 200))
    report = await unleash(node, replace(ORDERS, rate=30, seconds=2))
    assert report.kills == 60
    assert report.elapsed == pytest.approx(2.25, abs=0.2)


async def test_a_rate_that_the_node_is_too_busy_for_is_told_and_not_made_up_for_after_the_time() -> None:
    class Busy(Node):
        def answer(self, query: wire.Query) -> wire.Answer:
            if isinstance(query, wire.Exit):
                self.clock.moment += 1
            return super().answer(query)

    node = Busy(Mock(), {row.key: row for row in (worker(number) for number in range(2, 200))})
    told: list[str] = []
    report = await unleash(node, replace(ORDERS, rate=5, seconds=10), lambda report: told.append(report.short))
    assert report.kills == len(node.killed) <= 11
    assert report.due == 50
    assert report.short == f"{report.kills} of 50 kills made: the node is too busy for this rate"
    assert told[0] == ""
    assert "2 of 11 kills made: the node is too busy for this rate" in told
    assert report.elapsed < 14


async def test_kills_for_which_there_was_no_process_are_told_as_such() -> None:
    node = replace(node_of([worker(2), worker(3)]), delay=3.0)
    report = await unleash(node, replace(ORDERS, rate=10, seconds=4))
    assert report.short == "4 of 40 kills made: at times there was nothing to kill"
    kept = await unleash(node_of(worker(number) for number in range(2, 200)), replace(ORDERS, rate=30, seconds=2))
    assert (kept.due, kept.short) == (60, "")


async def test_looking_for_candidates_takes_no_more_than_a_part_of_the_time() -> None:
    class Large(Node):
        def answer(self, query: wire.Query) -> wire.Answer:
            if isinstance(query, wire.GetProcesses):
                self.clock.moment += 2
            return super().answer(query)

    node = Large(Mock(), {row.key: row for row in (worker(number) for number in range(2, 200))})
    report = await unleash(node, replace(ORDERS, rate=5, seconds=20))
    assert report.kills == 100
    assert report.short == ""


async def test_in_a_great_crowd_victims_are_chosen_from_all_of_it() -> None:
    node = node_of(worker(number) for number in range(2, 9_002))
    await unleash(node, replace(ORDERS, rate=30, seconds=2))
    numbers = sorted(int(pid.split(".")[1]) for pid in node.killed)
    assert len(numbers) == 60
    assert numbers[0] < 3_000 < numbers[30] < 6_500 < numbers[-1]


async def test_while_nothing_is_there_to_be_killed_nothing_is_and_the_rate_is_kept_afterwards() -> None:
    node = replace(node_of([worker(2), worker(3)]), delay=3.0)
    report = await unleash(node, replace(ORDERS, rate=10, seconds=4))
    assert len(node.killed) == 4, "two at once, and the same two after three seconds"
    assert report.missed == 0
    assert report.passed


async def test_a_process_that_was_gone_already_is_made_up_for_by_another() -> None:
    node = node_of(worker(number) for number in range(2, 12))
    gone = [replace_row(worker(number), f"<0.{number}00.0>", 0.0) for number in range(2, 12)]

    class Late(Node):
        def answer(self, query: wire.Query) -> wire.Answer:
            match query:
                case wire.GetProcesses():
                    return window(*gone, *(row for row in self.rows.values() if row.pid is not None))
            return super().answer(query)

    report = await unleash(Late(node.clock, node.rows), ORDERS)
    assert report.kills == 10
    assert report.missed > 0


async def test_candidates_of_a_tree_that_fell_are_not_gone_through_one_by_one() -> None:
    node = replace(node_of(worker(number) for number in range(2, 402)), refusal=wire.Failed(why="gone", kind="noproc"))
    report = await unleash(node, replace(ORDERS, rate=100, seconds=1))
    assert report.kills == 0
    assert 0 < report.missed <= 10 * 21, "ten at each of the looks, which are a twentieth of a second apart"


async def test_a_hub_that_is_held_is_waited_for_and_is_the_problem_when_it_stays_held() -> None:
    busy = wire.Failed(why="The hub was busy for more than 3 seconds, so nothing was done.", kind="timeout")
    report = await unleash(replace(node_of([worker(2)]), refusal=busy), ORDERS)
    assert report.kills == 0
    assert report.problem == f"Nothing was killed: {busy.why}"
    assert report.elapsed >= ORDERS.seconds


async def test_what_never_comes_back_fails_the_run_and_is_named() -> None:
    node = replace(node_of(worker(number) for number in range(2, 5)), doomed=frozenset({"app/w3"}))
    report = await unleash(node, replace(ORDERS, seconds=10))
    assert not report.passed
    assert [victim.name for victim in report.pending] == ["w3"]
    assert report.kills == report.recovered + 1


async def test_the_tree_is_asked_where_the_log_is_silent() -> None:
    node = replace(node_of([worker(2)]), logs=False)
    report = await unleash(node, replace(ORDERS, rate=0.1, seconds=1))
    assert (report.kills, report.recovered) == (1, 1)
    assert report.worst == pytest.approx(0.2)


async def test_temporary_children_are_spared_unless_they_are_asked_for() -> None:
    temporary = worker(2, restart="temporary")
    untouched = node_of([temporary])
    report = await unleash(untouched, ORDERS)
    assert report.kills == 0
    assert not report.passed
    assert "nothing was killed" in report.problem
    report = await unleash(node_of([temporary]), replace(ORDERS, target="w2", rate=0.1))
    assert (report.kills, report.not_expected, report.pending) == (1, 1, ())
    assert report.passed


async def test_supervisors_and_the_unsupervised_are_never_victims() -> None:
    supervisor = wire.Row(key="app", pid="<0.1.0>", kind="supervisor", supervisor="<0.0.0>")
    lonely = wire.Row(key="<0.9.0>", pid="<0.9.0>")
    node = node_of([supervisor, lonely, worker(2)])
    await unleash(node, replace(ORDERS, target="anything"))
    assert node.killed[0] == "<0.2.0>"
    assert not {"<0.1.0>", "<0.9.0>"} & set(node.killed)


async def test_a_node_that_is_lost_ends_the_run_with_what_is_known() -> None:
    node = replace(node_of(worker(number) for number in range(2, 12)), dies_after=1_001.0)
    report = await unleash(node, ORDERS)
    assert report.kills > 0
    assert report.problem == "node is gone."
    assert not report.passed


async def test_a_node_that_refuses_kills_ends_the_run() -> None:
    node = replace(node_of([worker(2)]), refusal=wire.Failed(why="Read-only.", kind="read_only"))
    assert "Read-only." in (await unleash(node, ORDERS)).problem


async def test_a_victim_that_was_gone_already_is_no_kill() -> None:
    node = replace(node_of([worker(2)]), refusal=wire.Failed(why="gone", kind="noproc"))
    report = await unleash(node, replace(ORDERS, seconds=1))
    assert report.kills == 0
    assert report.missed > 0


async def test_stopping_early_still_waits_for_what_was_killed() -> None:
    node = node_of(worker(number) for number in range(2, 12))
    chaos = Chaos(node, ORDERS, lambda report: chaos.stop() if report.kills else None, node.clock, node.clock.sleep)
    report = await chaos.run()
    assert (report.kills, report.recovered) == (1, 1)


async def test_a_second_stop_ends_the_waiting_at_once() -> None:
    node = replace(
        node_of(worker(number) for number in range(2, 12)), doomed=frozenset(f"app/w{n}" for n in range(2, 12))
    )

    def stop_twice(report: Report) -> None:
        if report.kills:
            chaos.stop(at_once=chaos.is_waiting)

    chaos = Chaos(node, replace(ORDERS, settle=1e6), stop_twice, node.clock, node.clock.sleep)
    report = await chaos.run()
    assert (report.kills, report.recovered, report.passed) == (1, 0, False)
    assert report.problem == "It was stopped while 1 process was not back yet."
    assert report.elapsed < 1.0


async def test_the_same_seed_chooses_the_same_victims() -> None:
    chosen = []
    for _ in range(2):
        node = node_of(worker(number) for number in range(2, 50))
        await unleash(node, ORDERS)
        chosen.append(node.killed)
    assert chosen[0] == chosen[1]


def test_giving_up_is_reported_by_name() -> None:
    tally = Recoveries()
    tally.happened(wire.Event(id=1, time=0.0, kind="gave_up", pid="<0.1.0>", name="app_sup"))
    tally.happened(wire.Event(id=2, time=0.0, kind="gave_up", pid="<0.2.0>", name="7", key="app/pools/7"))
    assert tally.report(1.0).gave_up == ("app_sup", "app/pools/7")


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        ([], "app above it is gone"),
        ([wire.Row(key="app", pid="<0.1.0>")], "app/pool above it is gone"),
        (
            [wire.Row(key="app", pid="<0.1.0>"), wire.Row(key="app/pool", status="stopped")],
            "app/pool above it is stopped",
        ),
        ([wire.Row(key="app", pid="<0.1.0>"), wire.Row(key="app/pool", pid="<0.2.0>")], "no such child any more"),
        (
            [
                wire.Row(key="app", pid="<0.1.0>"),
                wire.Row(key="app/pool", pid="<0.2.0>"),
                wire.Row(key="app/pool/w2", status="restarting"),
            ],
            "its supervisor has it as restarting",
        ),
        (
            [
                wire.Row(key="app", pid="<0.1.0>"),
                wire.Row(key="app/pool", pid="<0.2.0>"),
                wire.Row(key="app/pool/w2", pid="<0.3.0>"),
            ],
            "it has not ended yet",
        ),
    ],
)
def test_of_what_does_not_come_back_it_is_told_why(standing: list[wire.Row], why: str) -> None:
    tally = Recoveries()
    tally.killed(wire.Row(key="app/pool/w2", pid="<0.3.0>"), 1.0)
    tally.explain(standing)
    assert tally.report(1.0).pending[0].why.endswith(why)


def test_a_place_that_a_new_supervisor_fills_again_has_come_back() -> None:
    tally = Recoveries()
    tally.killed(worker(2), 10.0)
    tally.happened(wire.Event(id=1, time=10.5, kind="spawn", key="app/w2", pid="<0.2.0>"))
    assert tally.report(1.0).recovered == 0, "that is the victim itself"
    tally.happened(wire.Event(id=2, time=11.5, kind="spawn", key="app/w2", pid="<0.77.0>"))
    assert tally.report(1.0).worst == 1.5


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_covers_its_share(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered)
    assert percentile([], share) is None


def served(node: Node) -> Callable[[wire.Query], wire.Answer]:
    """Serve the node in memory over a socket; everything killed is back at the next question."""

    def respond(query: wire.Query) -> wire.Answer:
        node.clock.moment += 1
        node._restart()
        return node.answer(query)

    return respond


@pytest.mark.parametrize(("doomed", "status"), [(False, 0), (True, 1)])
def test_the_command_prints_its_report_and_exits_with_one_when_something_did_not_recover(
    socket_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    doomed: bool,
    status: int,
) -> None:
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: socket_folder / "settings.toml")
    node = node_of([worker(2)])
    node.doomed = frozenset({"app/w2"} if doomed else ())
    arguments = ["--rate", "1/h", "--for", "50ms", "--settle", "200ms"]
    with FakeEndpoint("chat", served(node)):
        for extra in ([], ["--json"]):
            node.rows = {row.key: row for row in [worker(2)]}
            monkeypatch.setattr(sys, "argv", ["observer", "chaos", "chat", *arguments, *extra])
            with pytest.raises(SystemExit) as left:
                main()
            assert (left.value.code or 0) == status
            out = capsys.readouterr().out
            if extra:
                report = json.loads(out)
                assert (report["kills"], report["passed"]) == (1, not doomed)
                assert (report["due"], report["short"]) == (1, None)
                assert [victim["name"] for victim in report["never_came_back"]] == (["w2"] if doomed else [])
            else:
                assert ("never back  w2" in out) is doomed
