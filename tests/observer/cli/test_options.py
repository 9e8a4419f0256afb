from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint, of_rows


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
        ("observer kill chat lonely wor", ["worker"]),
        ("observer suspend chat worker wor", []),
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
            timeout=300,
            check=True,
        )
    assert sorted(result.stdout.split()) == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("my:n", "my:name"),
        ("two", "two words"),
        ("'two w", "two words"),
        ("\"it's", "it's"),
        ("cost", "cost $5"),
        ("quo", 'quo"te'),
    ],
)
def test_a_name_of_any_signs_is_completed_by_a_real_bash(
    socket_folder: Path, tmp_path: Path, typed: str, completed: str
) -> None:
    called = tmp_path / "observer"
    called.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = kill ] && {{ shift; printf "<%s>" "$@" > {tmp_path}/out; exit; }}\n'
        f'PYTHONPATH={os.getcwd()} exec {sys.executable} -m observer "$@"\n'
    )
    called.chmod(0o755)
    names = ("my:name", "two words", "it's", "cost $5", 'quo"te')
    rows = tuple(wire.Row(key=name, pid=f"<0.{number}.0>", name=name) for number, name in enumerate(names))
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PS1": "$ ", "HOME": str(tmp_path)}
    with FakeEndpoint("chat", of_rows(rows)):
        shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "dumb"},
            start_new_session=True,
        )
        try:
            os.write(ours, b"source <(observer completion bash)\n")
            os.write(ours, f"observer kill chat {typed}\t\nexit\n".encode())
            shell.wait(60)
        finally:
            shell.kill()
            shell.wait()
            os.close(theirs)
            os.close(ours)
    assert (tmp_path / "out").read_text() == f"<chat><{completed}>"


TIMED = [
    ("trace", "--for"),
    ("chaos", "--for"),
    ("chaos", "--settle"),
    ("record", "--for"),
    ("record", "--every"),
    ("diagnose", "--for"),
    ("dump", "--for"),
    ("memory", "--for"),
    ("top", "--interval"),
    ("run", "--time-slice"),
]


@pytest.mark.parametrize(("command", "option"), TIMED)
def test_every_command_takes_a_length_of_time_in_the_same_forms(
    observer: Command, socket_folder: Path, command: str, option: str
) -> None:
    program = ["nowhere.py"] if command == "run" else []
    for wrong, says in (("soon", "'soon' is not a length of time. Write something like 90s"), ("400d", "at most")):
        status, _, err = observer(command, option, wrong, *program)
        assert status == 2
        assert says in err
    for form in ("1", "600ms"):
        err = observer(command, option, form, *program).err
        assert "no file nowhere.py" in err or "No node is running" in err
