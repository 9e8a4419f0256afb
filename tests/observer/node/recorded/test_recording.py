"""A recording asked about its moments: cut, damaged, hostile, and as it was written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from observer.node.recorded.node import RecordedClient, RecordedNode, told
from observer.node.recorded.recording import RecordedFile
from observer.node.recorded.seen import Seen
from runtime.introspection import wire
from runtime.introspection.moment.answers import ONLY_LIVE
from runtime.introspection.recording import frames
from runtime.introspection.recording.entries import ChangedRows, Closer, End, Entry
from runtime.introspection.recording.frames import RecordingError
from tests.support.recordings import WELCOME, figures_at, rows_named, written

CRASH = wire.Event(id=1, time=101.5, kind="exit", pid="<0.2.0>", reason="KeyError", crashed=True)

ENTRIES: list[tuple[float, Entry]] = [
    (100.0, figures_at(100.0)),
    (100.0, rows_named("a", "b")),
    (100.0, Closer(details=(wire.Details(row=wire.Row(key="a", pid="<0.1.0>"), messages=("one",)),))),
    (101.0, figures_at(101.0)),
    (101.0, ChangedRows(rows=(wire.Row(key="a", pid="<0.1.0>", name="a", message_queue_len=9),))),
    (102.0, figures_at(102.0, CRASH)),
    (102.0, ChangedRows(rows=(wire.Row(key="c", pid="<0.3.0>", name="c"),), order=("c", "a"))),
]


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordedFile]:
    """Yield a recording of the entries above."""
    with RecordedFile(written(tmp_path / "a", ENTRIES)) as opened:
        yield opened


def test_each_moment_has_the_rows_of_its_time(recording: RecordedFile) -> None:
    assert recording.times == [100.0, 101.0, 102.0]
    names = {at: [row.name for row in recording.moment(at).rows] for at in (99.0, 100.0, 101.9, 102.0, 500.0)}
    assert names == {
        99.0: ["a", "b"],
        100.0: ["a", "b"],
        101.9: ["a", "b"],
        102.0: ["c", "a"],
        500.0: ["c", "a"],
    }
    assert recording.moment(101.0).rows[0].message_queue_len == 9
    assert [event.id for event in recording.events_until(101.0)] == []
    assert [event.id for event in recording.events_until(102.0)] == [1]
    assert recording.end == "its time was over"
    assert recording.damage == ""


def test_moments_that_are_left_out_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observer.node.recorded.recording.MOST_MOMENTS", 2)
    with RecordedFile(written(tmp_path / "a", ENTRIES)) as opened:
        assert opened.times == [100.0, 101.0]
        assert opened.damage == "It has more than 2 moments: the later ones are left out."


def test_a_process_is_shown_as_it_was_seen_from_near(recording: RecordedFile) -> None:
    node = RecordedNode(recording)
    details = node.answer(wire.GetProcess(pid="<0.1.0>"))
    assert isinstance(details, wire.Details)
    assert details.messages == ("one",)
    assert details.row.message_queue_len == 9
    other = node.answer(wire.GetProcess(pid="<0.3.0>"))
    assert isinstance(other, wire.Details)
    assert "Not recorded" in other.state_note
    gone = node.answer(wire.GetProcess(pid="<0.2.0>"))
    assert isinstance(gone, wire.Failed)
    assert gone.kind == "noproc"


@pytest.mark.parametrize(
    "query", [wire.GetWaits(), wire.GetProcessMemory(pid="<0.1.0>"), wire.StartTrace(), wire.GetCluster()]
)
def test_what_a_recording_does_not_hold_is_not_taken_for_an_action(recording: RecordedFile, query: wire.Query) -> None:
    failed = RecordedNode(recording).answer(query)
    assert isinstance(failed, wire.Failed)
    assert (failed.kind, failed.why) == ("unsupported", ONLY_LIVE)


def test_nothing_can_be_done_to_what_is_over(recording: RecordedFile) -> None:
    node = RecordedNode(recording)
    orders = (
        wire.Exit(pid="<0.1.0>"),
        wire.Send(pid="<0.1.0>", message="1"),
        wire.OpenConsole(),
        wire.GetPlan(pid="x"),
    )
    for order in orders:
        refused = node.answer(order)
        assert isinstance(refused, wire.Failed)
        assert refused.kind == "read_only"
        assert "recording" in refused.why


def test_a_file_that_is_cut_anywhere_opens_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = written(tmp_path / "a", ENTRIES).read_bytes()
    seen = set()
    for length in range(len(whole)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:length])
        try:
            recording = RecordedFile(path)
        except RecordingError:
            continue
        seen.add(len(recording.times))
        assert "cut short" in told_with_damage(recording)
        recording.moment(1e9)
        recording.close()
    assert seen == {0, 1, 2, 3}


def told_with_damage(recording: RecordedFile) -> str:
    """Return all that a person is told of a recording."""
    return f"{told(recording)} {recording.damage}"


@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0xFF])
def test_a_damaged_header_costs_its_own_frame_alone(tmp_path: Path, value: int) -> None:
    whole = written(tmp_path / "a", ENTRIES).read_bytes()
    path = tmp_path / "damaged"
    with (tmp_path / "a").open("rb") as file:
        frames.read_header(file, "it")
        found = [*frames.frames(file, len(whole))]
    for frame in found:
        for at in range(frame.at - frames.PREFIX, frame.at):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ value]) + whole[at + 1 :])
            with RecordedFile(path) as opened:
                assert len(opened.frames) >= len(found) - 1
                assert opened.damage or len(opened.frames) == len(found)  # as with a time a little too late


@pytest.mark.parametrize("place", ["magic", "length", "content"])
def test_a_recording_with_a_damaged_beginning_is_read_from_its_first_whole_frame(tmp_path: Path, place: str) -> None:
    path = written(tmp_path / "a.observed", ENTRIES)
    data = bytearray(path.read_bytes())
    begin = {"magic": 0, "length": len(frames.MAGIC), "content": len(frames.MAGIC) + frames.PREFIX + 10}[place]
    data[begin : begin + 4] = b"\0" * 4
    path.write_bytes(data)
    with RecordedFile(path) as opened:
        assert opened.times == [100.0, 101.0, 102.0]
        assert [row.name for row in opened.moment(100.0).rows] == ["a", "b"]
        about = opened.header.welcome
        assert (about.node, about.os_pid, about.started_at) == ("shop", 7, 90.0)
        assert (about.command, about.python_version) == ("", "?")
        assert opened.damage.startswith("The program's command and why this was written are unknown: its header is dam")


def test_without_a_header_and_without_figures_nothing_is_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.observed"
    path.write_bytes(b"\0" * 9_000)
    with pytest.raises(RecordingError, match="is not a recording"):
        RecordedFile(path)


def test_a_stretch_of_zeros_hides_no_frame_behind_it(tmp_path: Path) -> None:
    data = bytearray(written(tmp_path / "a", ENTRIES).read_bytes())
    with (tmp_path / "a").open("rb") as file:
        frames.read_header(file, "it")
        found = [*frames.frames(file, len(data))]
    start, end = found[3].at - frames.PREFIX, found[4].at + 2
    data[start:end] = bytes(end - start)
    (tmp_path / "a").write_bytes(data)
    with RecordedFile(tmp_path / "a") as opened:
        assert opened.times == [100.0, 102.0]
        assert len(opened.frames) == len(found) - 2


def test_how_far_a_file_is_read_is_told_and_it_can_be_stopped(tmp_path: Path) -> None:
    path, shares = written(tmp_path / "a", ENTRIES), list[float]()
    RecordedFile(path, shares.append).close()
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RecordedFile(path, stop)


def test_how_much_a_damaged_header_has_cost_is_said(tmp_path: Path) -> None:
    data = bytearray(written(tmp_path / "a", ENTRIES).read_bytes())
    with (tmp_path / "a").open("rb") as file:
        frames.read_header(file, "it")
        lost = [*frames.frames(file, len(data))][3]
    start = lost.at - frames.PREFIX
    data[start : start + 4] = b"\xff" * 4
    (tmp_path / "a").write_bytes(data)
    with RecordedFile(tmp_path / "a") as opened:
        assert opened.times == [100.0, 102.0]
        assert opened.end == "its time was over"
        size = frames.PREFIX + lost.length
        assert opened.damage == f"{size} bytes in the middle of it cannot be read: what they held is left out."


def test_what_only_looks_like_frames_is_given_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_TRIED", 3)
    path = written(tmp_path / "a", ENTRIES[:1])
    fake = frames.packed(103.0, End(why="no"))[: frames.PREFIX + 2]
    with path.open("ab") as file:
        file.write(b"\xff" * frames.PREFIX + fake * 5 + frames.packed(103.0, rows_named("late")))
    with RecordedFile(path) as opened:
        assert opened.times == [100.0]
        assert len(opened.frames) == 2


def test_damage_anywhere_is_a_sentence_and_never_a_crash(tmp_path: Path) -> None:
    whole = written(tmp_path / "a", ENTRIES).read_bytes()
    chance = random.Random(5)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(data)
        try:
            client = RecordedClient(path)
        except RecordingError:
            continue
        with client:
            for query in (wire.GetStats(), wire.GetTree(), wire.GetProcesses(), wire.GetEvents(), wire.GetLints()):
                client.ask(query)


@pytest.mark.parametrize("path", ["missing.observed", "."])
def test_what_cannot_be_opened_is_a_sentence(tmp_path: Path, path: str) -> None:
    with pytest.raises(RecordingError, match=r"cannot be read|is a folder"):
        RecordedFile(tmp_path / path)


def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    seen = Seen(WELCOME, largest=30_000)
    for second in range(1_000):
        at = 100.0 + second
        names = [f"{second}-{number}" for number in range(20)]
        seen.add(at, rows_named(*names) if second % 10 == 0 else ChangedRows(rows=rows_named(*names).rows[:1]))
        seen.add(at, figures_at(at))
        assert seen.size <= 30_000
    assert seen.times[0] > 100.0
    assert seen.times[-1] == 1_099.0
    for at in (seen.times[0], seen.times[5], 1_099.0):
        moment = seen.moment(at)
        assert moment.stats.time == at
        assert len(moment.rows) >= 20
