"""The command that records a node, on a scripted node."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from runtime.introspection.recording.files import RecordingFile
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint


def test_a_recording_that_could_not_be_written_to_its_end_is_a_failure(
    observer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RecordingFile, "add", full)
    file = tmp_path / "chat.observed"
    with FakeEndpoint("chat", scripted):
        done = observer("record", "chat", "-o", str(file), "--for", "5s")
    assert done.status == 1
    assert "ended: the file could not be written: No space left on device." in done.err
    assert file.exists()
