from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import scripted
from tests.support.fake_endpoint import FakeEndpoint


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("observer di", ["diagnose"]),
        ("observer demo cou", ["counter"]),
        ("observer ps --sort me", ["memory", "message_queue_len", "messages", "messages_in", "messages_out"]),
        ("observer tree ch", ["chat"]),
        ("observer kill ch", ["chat"]),
        ("observer kill lo", ["lonely"]),
        ("observer info chat evil", []),
        ("observer send chat wor", ["worker"]),
        ("observer kill chat worker wor", []),
    ],
)
def test_the_bash_completion_offers_what_may_stand_there(
    socket_folder: Path, tmp_path: Path, typed: str, offered: list[str]
) -> None:
    called = tmp_path / "observer"
    called.write_text(f'#!/bin/sh\nPYTHONPATH={os.getcwd()} exec {sys.executable} -m observer "$@"\n')
    called.chmod(0o755)
    words = typed.split()
    script = (
        'source <(observer completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        '_observer_completion observer; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with FakeEndpoint("chat", scripted):
        result = subprocess.run(
            ["bash", "-c", script, "bash", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert sorted(result.stdout.split()) == offered
