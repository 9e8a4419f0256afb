from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
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
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == ""
