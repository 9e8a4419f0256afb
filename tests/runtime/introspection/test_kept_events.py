from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import msgspec
import pytest

from runtime.introspection import kept_events, wire
from runtime.introspection.kept_events import Keeper
from tests.support.welcome import welcome

GONE = 2**22 + 1
"""A process id that the system gives to no process."""

WELCOME = welcome(os_pid=GONE, started_at=1.0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OBSERVER_DIR", str(tmp_path))
    return tmp_path


def event(number: int, message: str = "") -> wire.Event:
    return wire.Event(id=number, time=float(number), kind="report", message=message)


def keep(node: str, pid: int, *events: wire.Event) -> Path:
    keeper = Keeper(msgspec.structs.replace(WELCOME, node=node, os_pid=pid))
    keeper.keep(events)
    keeper.close()
    return keeper.path


def ids(name: str) -> list[int]:
    kept = kept_events.find(name)
    assert kept is not None
    return [event.id for event in kept.events()]


def test_events_are_read_in_order_and_of_two_with_one_id_the_later_counts() -> None:
    keeper = Keeper(WELCOME)
    keeper.keep([event(1), event(2, "goes on")])
    keeper.keep([event(2, "is over"), event(3)])
    kept = kept_events.find("shop")
    assert kept is not None
    assert [(each.id, each.message) for each in kept.events()] == [(1, ""), (2, "is over"), (3, "")]
    keeper.close()


def test_only_the_owner_can_read_the_file() -> None:
    assert stat.S_IMODE(keep("shop", GONE, event(1)).stat().st_mode) == 0o600


def test_a_node_without_events_leaves_no_file(folder: Path) -> None:
    keep("shop", GONE)
    assert list(folder.iterdir()) == []


def test_a_file_that_has_grown_is_written_anew_with_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_events, "MOST_BYTES", 5_000)
    monkeypatch.setattr(kept_events, "MOST_EVENTS", 10)
    keeper = Keeper(WELCOME)
    sizes = []
    for number in range(1, 200):
        keeper.keep([event(number, "x" * 100)])
        sizes.append(keeper.path.stat().st_size)
    keeper.close()
    assert max(sizes) < 5_500
    assert ids("shop")[-1] == 199


def test_a_large_event_is_kept_without_its_state() -> None:
    large = wire.Event(id=1, time=1.0, kind="exit", reason="boom", state="s" * 100_000)
    keep("shop", GONE, large, event(2, "m" * 100_000))
    kept = kept_events.find("shop")
    assert kept is not None
    (found,) = kept.events()
    assert (found.reason, found.state) == ("boom", None)


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_what_the_end_of_the_process_has_cut_off_is_left_out(cut: int) -> None:
    path = keep("shop", GONE, event(1), event(2))
    path.write_bytes(path.read_bytes()[:-cut])
    assert ids("shop") == ([1] if cut <= len(wire.frame(event(2))) else [])


def test_what_is_no_event_is_left_out() -> None:
    path = keep("shop", GONE, event(1))
    path.write_bytes(path.read_bytes() + wire.HEADER.pack(3) + b"abc" + wire.frame(event(2)))
    assert ids("shop") == [1, 2]


def test_bytes_that_only_look_like_events_are_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    read = kept_events._event

    def counted(data: bytes) -> wire.Event | None:
        tried.append(len(data))
        return read(data)

    monkeypatch.setattr(kept_events, "_event", counted)
    path = keep("shop", GONE, event(1))
    like = b"\0\0\xff\xff"
    path.write_bytes(path.read_bytes() + bytes(70_000) + like * (2 * kept_events.MOST_TRIED))
    assert ids("shop") == [1]
    assert len(tried) == 1 + kept_events.MOST_TRIED  # and none in what is empty


def test_of_a_file_that_is_too_large_the_end_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    keep("shop", GONE, *(event(number, "x" * 100) for number in range(50)))
    monkeypatch.setattr(kept_events, "MOST_READ", 1_000)
    found = ids("shop")
    assert 0 < len(found) < 10
    assert found[-1] == 49


def test_a_process_that_lives_has_not_ended() -> None:
    keep("shop", os.getpid(), event(1))
    assert kept_events.ended() == []


def test_the_latest_of_a_name_is_found_and_each_by_its_process() -> None:
    older = keep("shop", GONE, event(1))
    keep("shop", GONE + 1, event(2))
    os.utime(older, (1.0, time.time() - 60))
    assert ids("shop") == [2]
    assert ids(f"shop@{GONE}") == [1]
    assert kept_events.find("sho") is None


def test_old_files_and_too_many_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_events, "MOST_FILES", 3)
    for number in range(6):
        path = keep("shop", GONE + number, event(number))
        os.utime(path, (1.0, time.time() - number))
    os.utime(path.with_name(f"shop@{GONE}.events"), (1.0, time.time() - kept_events.LONGEST - 1))
    (folder / "shop.sock").touch()
    kept_events.clean()
    kept = {f"shop@{GONE + number}.events" for number in (1, 2, 3)}
    assert {path.name for path in folder.iterdir()} == {*kept, "shop.sock"}


def test_an_event_that_goes_on_takes_the_room_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_events, "MOST_BYTES", 10_000)
    keeper = Keeper(WELCOME)
    keeper.keep([event(number) for number in range(60)])
    for second in range(500):
        keeper.keep([event(60, f"for {second} s " + "x" * 100)])
    assert ids("shop") == list(range(61))
    assert keeper.path.stat().st_size < 20_000
    keeper.close()


def test_a_write_that_is_cut_short_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:7])))
    keep("shop", GONE, event(1), event(2))
    monkeypatch.setattr(os, "write", write)
    assert ids("shop") == [1, 2]


def test_a_number_that_no_process_can_have_lives_not() -> None:
    assert not kept_events.lives(9_999_999_999)
