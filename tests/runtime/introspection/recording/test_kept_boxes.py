"""Where nodes leave their black boxes, and how many are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.introspection.black_box.settings import BlackBoxSettings, seconds_of, signal_of
from runtime.introspection.recording import kept_boxes


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", str(tmp_path))


def test_a_box_is_found_by_its_node_and_its_process() -> None:
    for number, (node, pid) in enumerate([("shop", 7), ("shop", 8), ("jobs", 9)]):
        path = kept_boxes.place(node, pid, None)
        path.write_bytes(b"x")
        os.utime(path, (number, number))
    (kept_boxes.folder() / "else.observed").write_bytes(b"x")
    found = [kept_boxes.find(name) for name in (None, "shop", "shop@7", "other")]
    assert [each and (each.node, each.os_pid) for each in found] == [("jobs", 9), ("shop", 8), ("shop", 7), None]
    assert kept_boxes.folder().stat().st_mode & 0o777 == 0o700


def test_two_of_one_second_have_two_names() -> None:
    first = kept_boxes.place("shop", 7, None)
    first.write_bytes(b"x")
    second = kept_boxes.place("shop", 7, None)
    assert second != first
    second.write_bytes(b"x")
    assert len(kept_boxes.boxes()) == 2


def test_the_oldest_of_too_many_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_boxes, "MOST_FILES", 2)
    for number in range(4):
        path = kept_boxes.place("shop", number, None)
        path.write_bytes(b"x")
        os.utime(path, (number, number))
    kept_boxes.clean()
    assert [box.os_pid for box in kept_boxes.boxes()] == [3, 2]
    monkeypatch.setattr(kept_boxes, "MOST_BYTES", 1)
    kept_boxes.clean()
    assert [box.os_pid for box in kept_boxes.boxes()] == [3]


def test_a_folder_that_was_asked_for_is_kept_small_too_and_nothing_else_in_it_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_boxes, "MOST_FILES", 2)
    mine = tmp_path / "mine"
    for number in range(4):
        path = kept_boxes.place("shop", number, f"{mine}/")
        path.write_bytes(b"x")
        os.utime(path, (number, number))
    others = [mine / name for name in ("shop.observed", "notes@7.observed", ".draft.observed.swp")]
    for other in others:
        other.write_bytes(b"x")
        os.utime(other, (1, 1))
    kept_boxes.clean(mine)
    assert [box.os_pid for box in kept_boxes.boxes(mine)] == [3, 2]
    assert all(other.exists() for other in others)


def test_what_a_process_left_that_ended_while_writing_is_removed() -> None:
    path = kept_boxes.place("shop", 7, None)
    old, new = (path.with_name(f".{path.name}.{number}") for number in (7, 8))
    for each in (old, new):
        each.write_bytes(b"x")
    os.utime(old, (1, 1))
    kept_boxes.clean()
    assert [old.exists(), new.exists()] == [False, True]


def test_a_file_or_a_folder_may_be_asked_for(tmp_path: Path) -> None:
    assert kept_boxes.place("shop", 7, str(tmp_path / "mine.observed")) == tmp_path / "mine.observed"
    assert kept_boxes.place("shop", 7, str(tmp_path)).parent == tmp_path
    assert kept_boxes.place("shop", 7, f"{tmp_path}/new/").parent == tmp_path / "new"


def test_what_the_environment_asks_for() -> None:
    assert BlackBoxSettings.from_environment({}) == BlackBoxSettings()
    assert BlackBoxSettings.from_environment({"OBSERVER_BLACK_BOX": "0"}) is None
    asked = BlackBoxSettings.from_environment({"OBSERVER_BLACK_BOX": "/x", "OBSERVER_BLACK_BOX_HANG": "2.5"})
    assert asked == BlackBoxSettings("/x", 2.5)
    assert seconds_of("0") == float("inf")
    assert signal_of("usr2").name == "SIGUSR2"
    for wrong in ("-1", "nan", "inf", "soon"):
        with pytest.raises(ValueError, match="number of seconds"):
            seconds_of(wrong)
    for wrong in ("KILL", "TERM", "7"):
        with pytest.raises(ValueError, match="USR2"):
            signal_of(wrong)
