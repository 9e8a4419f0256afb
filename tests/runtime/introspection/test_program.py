"""The program that a node belongs to, and what nodes are called after it."""

from __future__ import annotations

import os

import pytest

from runtime.introspection.program import (
    PROGRAM,
    RUN,
    SITE,
    Program,
    fit,
    instrumented,
    name_after,
    root_of,
)


def test_a_program_is_what_the_environment_says_and_nothing_without_a_run() -> None:
    assert Program.from_environment({PROGRAM: "shop", RUN: "7-abc"}) == Program("shop", "7-abc")
    for environment in (
        {},
        {PROGRAM: "shop"},
        {RUN: "7-abc"},
        {PROGRAM: "shop", RUN: "abc"},
        {PROGRAM: "", RUN: "7-a"},
    ):
        assert Program.from_environment(environment) is None


def test_a_node_is_called_after_its_worker_or_else_its_process_id() -> None:
    assert list(Program("shop").names("worker-1")) == ["shop-worker-1", f"shop-{os.getpid()}"]
    assert list(Program("shop").names(None)) == [f"shop-{os.getpid()}"]
    assert all(len(name) <= 40 for name in Program("s" * 40).names("w" * 40))


@pytest.mark.parametrize(("run", "root"), [("7-abc", 7), ("7", None), ("", None), ("7-xyz", None), ("-1-abc", None)])
def test_a_run_names_its_first_process(run: str, root: int | None) -> None:
    assert root_of(run) == root


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop", "shop"),
        ("my shop/2", "my-shop-2"),
        ("--", "python"),
        ("", "python"),
        ("x" * 60, "x" * 40),
        ("é", "python"),
    ],
)
def test_any_text_becomes_a_name(text: str, name: str) -> None:
    assert fit(text) == name


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("/srv/shop.py", "shop"),
        ("shop.web.__main__", "web"),
        ("shop.web", "web"),
        ("bin/shop", "shop"),
        ("-c", "python"),
    ],
)
def test_a_node_is_named_after_its_script_or_module(program: str, name: str) -> None:
    assert name_after(program) == name


def test_an_environment_is_made_in_which_all_python_processes_are_observed() -> None:
    made = instrumented({"PYTHONPATH": "/srv/lib", "LANG": "C"}, "shop", pid=7)
    assert made["PYTHONPATH"].split(os.pathsep) == [str(SITE), "/srv/lib"]
    assert (made["LANG"], made["OBSERVER"]) == ("C", "1")
    program = Program.from_environment(made)
    assert program is not None
    assert (program.name, root_of(program.run)) == ("shop", 7)
    assert root_of(instrumented({}, "shop")[RUN]) == os.getpid()
    assert instrumented({}, "shop")["PYTHONPATH"] == str(SITE)
