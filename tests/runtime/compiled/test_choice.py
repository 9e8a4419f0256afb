"""The choice between the compiled kernel and its sources: all of one or all of the other, and why."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.compiled import choice
from runtime.compiled.choice import Kernel, KernelError, build_number, builds, file_name, fitting, unsuited


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder without builds, in place of the package's."""
    monkeypatch.setattr(choice, "builds", lambda: builds(tmp_path))
    monkeypatch.delenv("RUNTIME_KERNEL", raising=False)
    yield tmp_path
    build_number.cache_clear()


def test_without_a_build_the_sources_run_and_nothing_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    kernel = Kernel()
    assert kernel.load() == {}
    assert "python -m runtime.build" in kernel.why
    assert not kernel.is_unused
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
    (folder / file_name(b"no library")).write_bytes(b"no library")
    assert Kernel().load() == {}
    _told_once(caplog, "cannot be loaded")


def _told_once(caplog: pytest.LogCaptureFixture, why: str) -> None:
    (line,) = caplog.messages
    assert why in line
    assert "python -m runtime.build" in line


@pytest.mark.parametrize("left", [b"", b"a ker", b"a kernel, damaged", b"a colonel"])
def test_a_build_of_which_a_part_is_there_is_not_loaded(
    folder: Path, left: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(choice, "_load", lambda name, path: loaded.append(name))
    path = folder / file_name(b"a kernel")
    path.write_bytes(b"a kernel")
    assert fitting([path]) == path
    path.write_bytes(left)
    kernel = Kernel()
    assert kernel.load() == {}
    assert kernel.is_unused
    assert loaded == []
    _told_once(caplog, "is damaged")


def test_a_build_that_is_damaged_hides_no_other_of_its_number(folder: Path) -> None:
    good = folder / file_name(b"a kernel")
    good.write_bytes(b"a kernel")
    number = good.name[: -len(choice.SUFFIX)].rpartition("-")[0]
    damaged, folders = (folder / f"{number}-{which}{choice.SUFFIX}" for which in ("0" * 16, "f" * 16))
    damaged.write_bytes(b"a ker")
    folders.mkdir()
    assert fitting([damaged, good, folders]) == fitting([folders, damaged, good]) == good
    with pytest.raises(OSError, match="is damaged"):
        fitting([folders, damaged])


def test_where_sources_of_a_build_are_missing_the_others_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / file_name(b"a kernel")).write_bytes(b"a kernel")
    monkeypatch.setattr(choice, "FOLDER", folder / "elsewhere")
    build_number.cache_clear()
    assert Kernel().load() == {}
    _told_once(caplog, "No such file")


def test_a_build_for_another_interpreter_is_none_of_ours(folder: Path) -> None:
    (folder / "kernel-now.cpython-27-pdp11.so").touch()
    assert builds(folder) == []


@pytest.mark.parametrize("contents", [b"", b"damaged", None])
def test_required_refuses_to_go_on_without_a_kernel_that_loads(
    folder: Path, contents: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"kernel-before{choice.SUFFIX}" if contents is None else file_name(b"")
    (folder / name).write_bytes(contents or b"")
    monkeypatch.setenv("RUNTIME_KERNEL", "required")
    with pytest.raises(KernelError, match=r"python -m runtime\.build"):
        Kernel().load()


def test_python_does_not_even_look(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"kernel-before{choice.SUFFIX}").touch()
    monkeypatch.setenv("RUNTIME_KERNEL", "python")
    kernel = Kernel()
    assert kernel.load() == {}
    assert kernel.why == "RUNTIME_KERNEL is python."
    assert not kernel.is_unused


def test_another_word_is_refused_and_the_words_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_KERNEL", "fast")
    with pytest.raises(KernelError, match="'fast'; it may be auto, python, required"):
        Kernel().load()


def test_an_interpreter_that_is_not_cpython_and_one_without_the_gil_run_the_sources(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choice.sys, "abiflags", "td")  # type: ignore[attr-defined]
    assert "free-threaded" in unsuited()
    kernel = Kernel()
    assert kernel.load() == {}
    assert kernel.why == unsuited()
    assert caplog.messages == []  # there is nothing to do about it


def test_the_number_changes_with_any_of_the_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [*choice.PARTS.values(), *choice.WHOLE.values(), *choice.RELIES_ON]
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
    assert file_name(b"a kernel").startswith(f"kernel-{build_number()}-")
    assert file_name(b"a kernel").endswith(choice.SUFFIX)
    assert file_name(b"a kernel") != file_name(b"another")


FIRST_IMPORTS = (
    "runtime.distribution.frames",
    "runtime.distribution.term_encoder",
    "runtime.kernel.signals",
    "runtime.supervision.child",
)

IS_WHOLE = """
from runtime.kernel import mailbox, signals
from runtime.terms import isolation
assert "cython" in type(isolation.isolate).__name__, isolation.isolate
assert mailbox.isolate is isolation.isolate
assert "cython" in type(signals.put).__name__, signals.put
from runtime.supervision import child, children, ordered
for module in (child, children, ordered):
    assert module.__file__.endswith(".so"), module
"""


@pytest.mark.parametrize("first", FIRST_IMPORTS)
def test_the_kernel_is_whole_whatever_is_imported_first(first: str) -> None:
    _run_compiled(f"import {first}\n{IS_WHOLE}")


IN_TWO_THREADS = """
import threading
import time
from runtime.compiled import choice

load, begun, asks = choice._load, threading.Event(), threading.Event()

def load_slowly(name, path):
    begun.set()
    asks.wait()
    time.sleep(0.1)  # the other one asks now
    return load(name, path)

def late():
    begun.wait()
    asks.set()
    found.append(choice.part("runtime.kernel._kernel"))

choice._load, found = load_slowly, []
thread = threading.Thread(target=late)
thread.start()
import runtime.terms.isolation
thread.join()
assert found[0] is choice.part("runtime.kernel._kernel") is not None, found
"""


def test_a_thread_that_asks_while_another_one_loads_the_kernel_gets_it_too() -> None:
    _run_compiled(IN_TWO_THREADS)


def _run_compiled(program: str) -> None:
    if not choice.kernel.load():
        pytest.skip(f"the sources run: {choice.kernel.why}")
    environment = {**os.environ, choice.VARIABLE: "required"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
