from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.introspection import address


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="node", dir="/tmp") as name:
        monkeypatch.setenv("OBSERVER_DIR", name)
        yield Path(name)


def test_the_environment_chooses_the_folder(folder: Path) -> None:
    assert address.socket_dir() == folder
    assert address.socket_path("chat") == folder / "chat.sock"


def test_without_a_choice_the_folder_is_in_the_users_runtime_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OBSERVER_DIR", raising=False)
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    found = address.socket_dir()
    assert found.name == "process-observer"
    assert sys.platform == "darwin" or found.parent == tmp_path


def test_no_runtime_directory_in_the_environment_is_no_reason_to_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OBSERVER_DIR", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert address.socket_dir().is_absolute()


def test_the_folder_is_made_for_its_owner_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", str(folder / "deep" / "er"))
    made = address.make_socket_dir()
    for path in (made, made.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert address.make_socket_dir() == made


def test_a_folder_that_others_may_enter_is_refused_with_what_to_do(folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="chmod 700"):
        address.make_socket_dir()


@pytest.mark.parametrize("name", ["", "a" * 41, "a/b", "..\n", "ä", "a b"])
def test_a_name_that_could_leave_the_folder_or_garble_a_screen_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a node"):
        address.socket_path(name)


def test_a_path_too_long_for_a_socket_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", "/tmp/" + "x" * 100)
    with pytest.raises(ValueError, match="set OBSERVER_DIR"):
        address.socket_path("chat")


def test_importing_it_brings_neither_side_of_the_wire_along() -> None:
    code = "import sys, runtime.introspection.address; print(*{'gevent', 'textual', 'msgspec'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert result.stdout.strip() == ""


# -- Taking a name ------------------------------------------------------------------------------------------------


def test_a_name_is_taken_by_binding_its_socket(folder: Path) -> None:
    reservation = address.reserve(["chat", "chat-2"])
    assert (reservation.name, reservation.path, reservation.passed_over) == ("chat", folder / "chat.sock", ())
    assert stat.S_ISSOCK(reservation.path.stat().st_mode)
    reservation.cancel()
    assert list(folder.iterdir()) == []


def test_a_name_that_another_has_reserved_or_listens_on_is_passed_over(folder: Path) -> None:
    first = address.reserve(["chat"])
    second = address.reserve(["chat", "chat-2"])
    assert second.name == "chat-2"
    assert second.passed_over == ("A node called chat is about to start.",)
    first.path.chmod(address.OPEN)
    first.listener.listen(1)
    third = address.reserve(["chat", "chat-2", "chat-3"])
    assert third.passed_over[0] == "There is a node called chat already."
    with pytest.raises(address.NameTakenError, match="There is a node called chat already"):
        address.reserve(["chat"])
    for each in (first, second, third):
        each.cancel()


def test_what_a_dead_node_has_left_is_cleared_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = address.reserve(["chat"])
    left.path.chmod(address.OPEN)
    left.listener.close()
    again = address.reserve(["chat"])
    assert again.name == "chat"
    again.listener.close()  # a program that was started with it and died before it listened
    monkeypatch.setattr(address, "RESERVED_FOR", -1.0)
    address.reserve(["chat"]).cancel()


def test_a_file_with_the_name_of_a_socket_is_left_alone(folder: Path) -> None:
    file = folder / "notes.sock"
    file.write_text("precious")
    with pytest.raises(address.NameTakenError, match=r"notes\.sock is a file and no socket: move it away"):
        address.reserve(["notes"])
    reservation = address.reserve(["notes", "notes-2"])
    assert reservation.name == "notes-2"
    reservation.cancel()
    link = folder / "link.sock"
    link.symlink_to(file)
    with pytest.raises(address.NameTakenError):
        address.reserve(["link"])
    assert file.read_text() == "precious"
    assert link.is_symlink()


def test_a_program_that_is_stuck_while_it_chooses_a_name_keeps_no_other_from_choosing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "LOCKED_FOR", 0.05)
    stuck = os.open(folder, os.O_RDONLY)
    fcntl.flock(stuck, fcntl.LOCK_EX)
    reservation = address.reserve(["chat"])
    assert reservation.name == "chat"
    reservation.cancel()
    os.close(stuck)


def test_who_chooses_at_the_same_time_waits_for_the_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "LOCKED_FOR", 60.0)  # so that a busy machine cannot use it up
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    chosen: list[address.Reservation] = []
    thread = threading.Thread(target=lambda: chosen.append(address.reserve(["chat"])))
    thread.start()
    thread.join(0.03)
    assert not chosen
    os.close(other)
    thread.join()
    chosen[0].cancel()


CHOSEN_IN_THE_HUB = """
from gevent import monkey; monkey.patch_all()
import fcntl, gevent, os
from runtime.introspection import address
gevent.sleep(0)
address.reserve(["chat"])
links = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
print([os.readlink(each) for each in links if os.path.exists(each)].count(os.environ["OBSERVER_DIR"]))
folder = os.open(os.environ["OBSERVER_DIR"], os.O_RDONLY)
fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc names the files that a process has open")
def test_the_folder_is_closed_at_once_in_a_program_that_gevent_has_patched(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHOSEN_IN_THE_HUB], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
