from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from observer.cli.commands import app
from runtime.introspection import wire
from tests.support.command import Command, scripted
from tests.support.fake_endpoint import FakeEndpoint, Fault


def test_alone_it_says_what_it_can_do(observer: Command) -> None:
    status, out, err = observer()
    assert (status, err) == (0, "")
    assert "observer demo" in out


WRONG_USAGE = [
    (["kill"], "Missing argument"),
    (["suspend", "chat", "0.3.0", "more"], "NODE may be left out"),
    (["tree", "a b"], "cannot name a node"),
    (["attach", "app@127.0.0.1"], "opened by 'observer attach beam:app@127.0.0.1'"),
    (["tree", "beam:app@127.0.0.1"], "start 'observer bridge app@127.0.0.1' first"),
    (["run", "missing.py"], "no file missing.py"),
    (["demo", "chatt-er-box"], "no demo called"),
    (["ps", "--limit", "many"], "it should be a whole number"),
    (["ps", "--limit", "0"], "it should be 1 or more"),
    (["top", "-i", "x"], "'x' is not a length of time"),
    (["ps", "--limits", "1"], "No such option"),
    (["kill", "0.3.0", "--reason", "('a'"], "not a Python literal"),
    (["ps", "--sort", "taste"], "There is no column 'taste' to sort by"),
    (["events", "--kind", "party"], "no kind of event"),
    (["info", "a", "b", "c"], "Say [NODE] [PID]"),
    (["send", "0.3.0", "x", "--call", "--cast"], "not both"),
    (["chaos", "--rate", "0/s"], "'0/s' is not a rate"),
    (["chaos", "--for", "ever"], "'ever' is not a length of time"),
    (["paint"], "No such command"),
    (["completion", "csh"], "csh"),
]


COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_no_types_of_python_and_wraps_its_paragraphs(observer: Command, command: str) -> None:
    status, out, _ = observer(command, "--help")
    assert status == 0
    assert not re.search(r"<(str|int|float|bool|list)", out)


def test_the_lines_of_a_paragraph_of_help_are_those_of_the_terminal(observer: Command) -> None:
    _, out, _ = observer("kill", "--help")
    assert "Usage: observer kill [OPTIONS] [NODE] PID..." in out
    lines = [line.strip() for line in out.splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith("PID is a pid"))
    paragraph = lines[first : lines.index("", first)]
    assert all(len(line) > 60 for line in paragraph[:-1])


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_USAGE)
def test_wrong_usage_exits_with_two(observer: Command, arguments: list[str], sentence: str) -> None:
    with FakeEndpoint("chat", scripted):
        status, out, err = observer(*arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.startswith("observer: ")
    assert len(err.splitlines()) == 1


def test_a_filter_that_the_node_does_not_understand_is_wrong_usage(observer: Command) -> None:
    refusal = wire.Failed(why="a value is missing after mailbox>.", kind="bad_request")
    with FakeEndpoint("chat", lambda query: refusal):
        assert observer("ps", "--filter", "mailbox>") == (2, "", "observer: a value is missing after mailbox>.\n")


def test_a_target_of_chaos_that_the_node_does_not_understand_is_wrong_usage(observer: Command) -> None:
    refusal = wire.Failed(why="a value is missing after mailbox>.", kind="bad_request")
    with FakeEndpoint("chat", lambda query: refusal):
        result = observer("chaos", "--target", "mailbox>")
    assert result == (2, "", "observer: a value is missing after mailbox>.\n")


FAILURES = [
    (["tree", "chta"], "Did you mean chat"),
    (["kill", "0.99.0"], "no process <0.99.0>"),
    (["kill", "nobody"], "no process called 'nobody'"),
    (["info", "0.99.0"], "no process <0.99.0>"),
    (["attach", "chat"], "'observer tree chat' prints what is there"),
    (["attach", "beam:app@127.0.0.1"], "'observer bridge app@127.0.0.1' lets the other commands look at it"),
]


@pytest.mark.parametrize(("arguments", "sentence"), FAILURES)
def test_what_cannot_be_done_is_a_sentence_and_exits_with_one(
    observer: Command, arguments: list[str], sentence: str
) -> None:
    with FakeEndpoint("chat", scripted):
        status, out, err = observer(*arguments)
    assert (status, out) == (1, "")
    assert sentence in err


@pytest.mark.parametrize("fault", ["garbage", "future", "refuses", "closes", "hangs_up", "garbage_later"])
def test_a_node_that_misbehaves_is_a_sentence(observer: Command, fault: Fault) -> None:
    with FakeEndpoint("chat", scripted, fault=fault):
        status, out, err = observer("ps", "chat", "--json")
    assert (status, out) == (1, "")
    assert err.startswith("observer: chat ")


def test_a_name_in_other_letters_is_told_as_it_is_written(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        status, _, err = observer("kill", "LONELY")
    assert status == 1
    assert "There is one called 'lonely'" in err


def test_several_nodes_must_be_told_apart(observer: Command) -> None:
    with FakeEndpoint("chat", scripted), FakeEndpoint("web", scripted):
        status, _, err = observer("tree")
        assert status == 2
        assert "chat, web" in err
        assert observer("attach").status == 2


def test_without_nodes_it_says_how_to_start_one(observer: Command) -> None:
    status, _, err = observer("ps")
    assert status == 1
    assert "observer demo" in err


def test_a_pipe_that_closes_early_is_no_traceback(socket_folder: Path) -> None:
    with FakeEndpoint("chat", scripted):
        command = f"{sys.executable} -m observer ps --json | true"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=300, check=False)
    assert result.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_an_output_that_is_closed_is_no_traceback(socket_folder: Path, closed: str) -> None:
    with FakeEndpoint("chat", scripted):
        command = f"{sys.executable} -m observer nodes {closed}"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_is_full_is_a_sentence(socket_folder: Path) -> None:
    command = f"{sys.executable} -m observer nodes --json > /dev/full"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stderr) == (1, "observer: No space left on device.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_the_status_is_the_same_where_the_sentence_cannot_be_written(socket_folder: Path) -> None:
    command = f"{sys.executable} -m observer nosuch 2> /dev/full"
    assert subprocess.run(command, shell=True, timeout=300, check=False).returncode == 2


def test_help_and_listings_start_without_the_dashboard() -> None:
    code = (
        "import sys; sys.argv = ['observer', 'nodes']\n"
        "from observer.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*{'textual', 'gevent', 'asyncio'} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert result.stderr.strip() == ""


def test_a_command_that_is_misspelt_is_told_the_one_that_was_meant(observer: Command) -> None:
    status, _, err = observer("demos")
    assert status == 2
    offer = "Did you mean 'demo', 'nodes'?"
    assert err == f"observer: No such command 'demos'. {offer} 'observer --help' explains what it takes.\n"
