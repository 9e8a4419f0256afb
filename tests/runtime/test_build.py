"""The build of the compiled kernel: what it leaves behind, and what it says where it cannot."""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from runtime import build
from runtime.compiled import choice


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler that takes no time."""

    def compiled(folder: Path) -> Path:
        made = folder / "kernel.so"
        made.write_bytes(b"a kernel")
        return made

    monkeypatch.setattr(build, "_compile", compiled)


@pytest.mark.usefixtures("compiles")
def test_a_build_replaces_older_ones_of_this_interpreter_alone(tmp_path: Path) -> None:
    old = tmp_path / f"kernel-before{choice.SUFFIX}"
    other = tmp_path / "kernel-before.cpython-27-pdp11.so"
    old.touch()
    other.touch()
    path = build.build(tmp_path)
    assert path.read_bytes() == b"a kernel"
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


@pytest.mark.usefixtures("compiles")
def test_of_two_builds_at_a_time_neither_removes_what_the_other_has_just_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / f"kernel-other{choice.SUFFIX}"
    write = build._write

    def written(contents: bytes, target: Path) -> None:
        other.touch()
        write(contents, target)

    monkeypatch.setattr(build, "_write", written)
    path = build.build(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


@pytest.mark.usefixtures("compiles")
def test_what_cannot_be_removed_stays(tmp_path: Path) -> None:
    other = tmp_path / f"kernel-other{choice.SUFFIX}"
    other.mkdir()
    path = build.build(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([path, other])


def test_a_source_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice, "RELIES_ON", ("no such file",))
    choice.build_number.cache_clear()
    with pytest.raises(build.BuildError, match=r"A source cannot be read: .*no such file"):
        build.build(tmp_path)


def test_a_lack_of_room_for_temporary_files_is_told_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_compile", lambda folder: pytest.fail("compiled"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000))
    with pytest.raises(build.BuildError, match="has too little room"):
        build.build(tmp_path)
    assert [*tmp_path.iterdir()] == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(build.BuildError, match="no folder for temporary files"):
        build.build(tmp_path)


STOPPED = """
import importlib, runpy, signal, tempfile

def compile(name):  # in the place of Cython
    signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGTERM)

def cleanup(folder):
    signal.raise_signal(signal.SIGINT)
    clean(folder)

signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as below nohup
importlib.import_module = compile
clean, tempfile.TemporaryDirectory.cleanup = tempfile.TemporaryDirectory.cleanup, cleanup
runpy.run_module("runtime.build", run_name="__main__")
"""


def test_a_build_that_a_signal_stops_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == "No kernel was built. It was stopped by SIGTERM.\n"
    assert done.returncode == 128 + signal.SIGTERM
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_compile", lambda folder: pytest.fail("compiled"))
    (tmp_path / "file").touch()
    with pytest.raises(build.BuildError, match="cannot be written to"):
        build.build(tmp_path / "file")


@pytest.mark.usefixtures("compiles")
def test_a_build_that_cannot_be_put_in_place_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*paths: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build.os, "replace", is_full)  # type: ignore[attr-defined]
    with pytest.raises(build.BuildError, match="No space left"):
        build.build(tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("compiles")
def test_a_build_during_which_the_sources_change_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(folder: Path) -> Path:
        assert choice.build_number.cache_info().currsize == 1
        return made(folder)

    made = build._compile
    monkeypatch.setattr(build, "_compile", compiled)
    choice.build_number.cache_clear()
    build.build(tmp_path)


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named {name!r}", name="Cython")

    monkeypatch.setattr(importlib, "import_module", missing)
    assert build.main([]) == 1
    said = capsys.readouterr().err
    assert "Cython is not installed" in said
    assert "pip install" in said
    assert "Traceback" not in said


def _with_tools(monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    def cythonize(*args: Any, **options: Any) -> None:
        raise fault

    fake = SimpleNamespace(cythonize=cythonize, Extension=lambda *a, **k: None, __file__=__file__)
    monkeypatch.setattr(importlib, "import_module", lambda name: fake)


def test_headers_that_are_missing_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _with_tools(monkeypatch, AssertionError())
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(tmp_path)})
    with pytest.raises(build.BuildError, match="headers are not installed"):
        build.build(tmp_path)


def test_a_compiler_that_is_missing_is_told_with_the_command_that_installs_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(build.BuildError, match=r"no C compiler \(no-such-compiler\).*apt install gcc"):
        _built_with(monkeypatch, tmp_path, AssertionError())


def test_a_compiler_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", sys.executable)
    with pytest.raises(build.BuildError, match=r"does not compile: .*cc"):
        _built_with(monkeypatch, tmp_path, FileNotFoundError(2, "No such file or directory", "cc"))


def _built_with(monkeypatch: pytest.MonkeyPatch, folder: Path, fault: BaseException) -> None:
    (folder / "Python.h").touch()
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": str(folder)})
    _with_tools(monkeypatch, fault)
    build.build(folder)


def test_check_says_whether_the_kernel_is_up_to_date(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    assert build.main(["--check"]) == 1
    path = tmp_path / choice.file_name(b"a kernel")
    path.write_bytes(b"a kernel")
    assert build.main(["--check"]) == 0
    assert "fits the sources" in capsys.readouterr().out
    path.write_bytes(b"a ker")
    assert build.main(["--check"]) == 1
    assert "is damaged" in capsys.readouterr().out
