from __future__ import annotations

from pathlib import Path

import pytest

from runtime.compiled.choice import kernel
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint


def checks(observer: Command, status: int = 0) -> dict[str, tuple[str, bool, str]]:
    result = observer("doctor", "--json")
    assert result.status == status
    return {each["name"]: (each["found"], each["ok"], each["advice"]) for each in result.value}


def test_doctor_tells_versions_system_sockets_and_terminal(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        found = checks(observer)
    assert {"python", "gevent", "msgspec", "textual", "system", "signals", "settings", "terminal"} <= set(found)
    assert found["node chat"][0].startswith("answers")
    assert all(ok for _, ok, _ in found.values())


def test_a_folder_for_sockets_that_is_open_to_others_is_told_with_its_cure(
    observer: Command, socket_folder: Path
) -> None:
    socket_folder.chmod(0o755)
    _, ok, advice = checks(observer, status=1)["socket folder"]
    assert not ok
    assert "chmod 700" in advice
    assert "✗" in observer("doctor").out


def test_a_folder_for_sockets_that_is_a_file_is_told(
    observer: Command, socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = socket_folder / "file"
    file.touch()
    monkeypatch.setenv("OBSERVER_DIR", str(file))
    found, ok, _ = checks(observer, status=1)["socket folder"]
    assert not ok
    assert "is not a folder" in found


def test_a_path_too_long_for_sockets_is_told(observer: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", "/tmp/" + "x" * 120)
    _, ok, advice = checks(observer, status=1)["socket folder"]
    assert not ok
    assert "too long" in advice


def test_a_node_that_does_not_answer_is_told(observer: Command) -> None:
    with FakeEndpoint("odd", scripted, fault="garbage"):
        _, ok, advice = checks(observer, status=1)["node odd"]
    assert not ok
    assert "protocol" in advice


def test_a_build_of_the_kernel_that_is_not_used_is_told(observer: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "parts", {})
    monkeypatch.setattr(kernel, "is_unused", True)
    monkeypatch.setattr(kernel, "why", "The compiled kernel cannot be loaded (it is damaged).")
    assert checks(observer, status=1)["kernel"] == ("python", False, kernel.why)


def test_settings_that_cannot_be_used_are_told(
    observer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("interval = 'often'")
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: file)
    assert not checks(observer, status=1)["settings"][1]
