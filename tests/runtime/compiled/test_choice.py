"""The choice between the compiled kernel and its sources: all of one or all of the other, and why."""

import re
from pathlib import Path

import pytest

from runtime.compiled import choice
from runtime.compiled.choice import Kernel, KernelError, build_number, builds, file_name, unsuited


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without builds, in place of the package's."""
    monkeypatch.setattr(choice, "builds", lambda: builds(tmp_path))
    monkeypatch.setattr(choice, "FOLDER", tmp_path)
    monkeypatch.setattr(choice, "file_name", lambda: f"kernel-now{choice.SUFFIX}")
    monkeypatch.delenv("RUNTIME_KERNEL", raising=False)
    return tmp_path


def test_without_a_build_the_sources_run_and_nothing_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kernel = Kernel()
    assert kernel.load() == {}
    assert "python -m runtime.build" in kernel.why
    assert caplog.messages == []


def test_a_build_of_other_sources_is_left_alone_and_told_of_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / f"kernel-before{choice.SUFFIX}").touch()
    kernel = Kernel()
    assert kernel.load() == kernel.load() == {}
    (line,) = caplog.messages
    assert "other sources" in line
    assert "python -m runtime.build" in line


def test_a_build_that_cannot_be_loaded_is_told_of_and_the_sources_run(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / f"kernel-now{choice.SUFFIX}").write_bytes(b"no library")
    assert Kernel().load() == {}
    (line,) = caplog.messages
    assert "cannot be loaded" in line
    assert "python -m runtime.build" in line


def test_a_build_for_another_interpreter_is_none_of_ours(folder: Path) -> None:
    (folder / "kernel-now.cpython-27-pdp11.so").touch()
    assert builds(folder) == []


@pytest.mark.parametrize("name", ["now", "before"])
def test_required_refuses_to_go_on_without_a_kernel_that_loads(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / f"kernel-{name}{choice.SUFFIX}").touch()
    monkeypatch.setenv("RUNTIME_KERNEL", "required")
    with pytest.raises(KernelError, match=r"python -m runtime\.build"):
        Kernel().load()


def test_python_does_not_even_look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"kernel-before{choice.SUFFIX}").touch()
    monkeypatch.setenv("RUNTIME_KERNEL", "python")
    kernel = Kernel()
    assert kernel.load() == {}
    assert kernel.why == "RUNTIME_KERNEL is python."


def test_another_word_is_refused_and_the_words_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_KERNEL", "fast")
    with pytest.raises(KernelError, match="'fast'; it may be auto, python, required"):
        Kernel().load()


def test_an_interpreter_that_is_not_cpython_and_one_without_the_gil_run_the_sources(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choice.sys, "_is_gil_enabled", lambda: False, raising=False)  # type: ignore[attr-defined]
    assert "free-threaded" in unsuited()
    kernel = Kernel()
    assert kernel.load() == {}
    assert kernel.why == unsuited()
    assert caplog.messages == []  # there is nothing to do about it


def test_the_number_changes_with_any_of_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [*choice.PARTS.values(), *choice.RELIES_ON]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")
    monkeypatch.setattr(choice, "FOLDER", tmp_path / "compiled")
    numbers = set()
    for name in ["", *names]:
        if name:
            (tmp_path / name).write_text("b")
        build_number.cache_clear()
        numbers.add(build_number())
    build_number.cache_clear()
    assert len(numbers) == len(names) + 1


PACKAGE = Path(choice.__file__).parents[1]


def test_a_build_relies_on_every_module_that_the_compiled_sources_import() -> None:
    compiled = [name for name in (*choice.PARTS.values(), *choice.RELIES_ON) if name.endswith((".pyx", ".pxi"))]
    imported = set()
    for name in compiled:
        for module, names in re.findall(r"from runtime\.(\S+) import (.+?)(?:  #.*)?\n", (PACKAGE / name).read_text()):
            path = module.replace(".", "/")
            if (PACKAGE / path).is_dir():
                imported |= {f"{path}/{each.strip()}.py" for each in names.split(",")}
            else:
                imported.add(f"{path}.py")
    assert {"otp/callbacks.py", "otp/returns.py", "distribution/pickled.py"} <= imported
    assert imported - {"terms/_isolation.py"} <= set(choice.RELIES_ON)


def test_a_build_relies_on_what_it_calls_of_connections() -> None:
    called = {f"distribution/{name}.py" for name in ("connection", "remote_node", "remote_process")}
    assert called <= set(choice.RELIES_ON)


def test_a_build_is_named_after_the_sources_and_the_interpreter() -> None:
    assert build_number() in file_name()
    assert file_name().endswith(choice.SUFFIX)
