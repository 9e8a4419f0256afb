from __future__ import annotations

import sys
from pathlib import Path

import pytest

import runtime
from runtime import GenServer, Supervisor, child_spec, spawn
from runtime.introspection.console import vocabulary
from tests.support.in_node import in_node


class Worker(GenServer):
    def init(self) -> None:
        pass


def test_it_has_the_public_names_and_the_helpers() -> None:
    names = vocabulary.vocabulary()
    assert set(runtime.__all__) <= set(names)
    assert {"i", "pid", "tree", "recompile"} <= set(names)
    assert names["spawn"] is spawn
    assert names["spans"] is runtime.spans
    assert "sys" not in names, "it would be taken for Python's own"


def test_the_tree_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    @in_node
    def draw() -> None:
        inner = Supervisor.child_spec([Worker.child_spec(name="deep")], name="inner")
        pid = Supervisor.start_link([inner, child_spec(Worker, id="last")], name="top")
        vocabulary.tree()
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == f"top {pid}"
        assert [line.rsplit(" ", 1)[0] for line in lines[1:]] == ["├─ inner", "│  └─ deep", "└─ last"]

    draw()


def test_a_process_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    @in_node
    def show() -> None:
        pid = spawn(runtime.receive, name="waiter", label="waits")
        runtime.sleep(0.01)
        for what in (pid, "waiter", str(pid)[1:-1]):
            vocabulary.i(what)
            text = capsys.readouterr().out
            assert f"Process {pid}" in text
            assert "'waiter'" in text
            assert "'waits'" in text
        vocabulary.i("nobody")
        assert "is dead" in capsys.readouterr().out

    show()


def test_a_process_is_shown_at_the_lines_of_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    def waits() -> None:
        runtime.receive()

    @in_node
    def show() -> None:
        pid = spawn(waits)
        runtime.sleep(0.01)
        vocabulary.i(pid)
        at = [line.split() for line in capsys.readouterr().out.splitlines() if line.split()[0] == "at"]
        assert at == [["at", f"{__file__}:{waits.__code__.co_firstlineno + 1}", "in", "waits"]]

    show()


def test_a_pid_is_read_with_and_without_brackets() -> None:
    assert vocabulary.pid("0.17.0") == vocabulary.pid("<0.17.0>")
    with pytest.raises(ValueError, match="pid"):
        vocabulary.pid("17")


def test_a_module_is_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "recompiled_for_a_test.py"
    source.write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert vocabulary.recompile("recompiled_for_a_test").value == 1
    source.write_text("value = 22\n")
    assert vocabulary.recompile(sys.modules["recompiled_for_a_test"]).value == 22
    del sys.modules["recompiled_for_a_test"]
