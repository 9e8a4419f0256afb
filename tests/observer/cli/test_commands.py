from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from observer.cli import main
from observer.node import discovery
from runtime.introspection import wire
from tests.support.fake_endpoint import FakeEndpoint, Fault, of_rows, socket_folder, window

__all__ = ["socket_folder"]

SUPERVISOR = wire.Row(
    key="app",
    pid="<0.2.0>",
    kind="supervisor",
    name="app_sup",
    registered_name="app_sup",
    child_count=2,
    strategy="one_for_one",
    max_restarts=3,
    max_seconds=5.0,
    restarts_used=1,
)
WORKER = wire.Row(
    key="app/w",
    pid="<0.3.0>",
    name="evil\x1b[2J\x9bname",
    registered_name="worker",
    child_id="w",
    depth=1,
    parent_key="app",
    supervisor="<0.2.0>",
    restart="permanent",
    restarts=2,
    message_queue_len=1234,
    memory=4000,
    memory_age=0.5,
)
STOPPED = wire.Row(
    key="app/v", name="v", child_id="v", depth=1, parent_key="app", status="stopped", supervisor="<0.2.0>"
)
GROUP = wire.Row(key="others", kind="group", name="under no supervisor", child_count=1)
LONELY = wire.Row(key="<0.9.0>", pid="<0.9.0>", name="lonely", label="lonely", depth=1, parent_key="others")
ROWS = (SUPERVISOR, WORKER, STOPPED, GROUP, LONELY)

EVENTS = (
    wire.Event(id=4, time=1.0, kind="kill", pid="<0.1.0>", reason="kill"),
    wire.Event(id=5, time=2.0, kind="exit", pid="<0.1.0>", reason="killed", cause=4, crashed=True),
    wire.Event(id=6, time=3.0, kind="restart", pid="<0.3.0>", old_pid="<0.1.0>", name="w\x1b[31m", cause=5),
)


class Result(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: tmp_path / "none" / "settings.toml")


@pytest.fixture
def observer(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Give the command: it takes its arguments and gives its exit status and what it printed."""

    def command(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["observer", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        assert not set(out + err) & set("\x1b\x9b\x07\x08\u202e\u200b"), "control characters reached the terminal"
        assert "Traceback" not in out + err
        return Result(int(left.value.code or 0), out, err)

    return command


Command = Callable[..., Result]


def scripted(query: wire.Query) -> wire.Answer:
    """wire.Answer what `of_rows` does not."""
    match query:
        case wire.GetEvents(after=after, limit=limit):
            known = EVENTS[-limit:] if after < 0 else tuple(event for event in EVENTS if event.id > after)
            return wire.Events(events=known, last=6)
        case wire.GetLints():
            return wire.Lints(lints=(wire.Lint(kind="hog", weight=3, pids=("<0.3.0>",), sentence="It\x1b[1m hogs."),))
        case wire.Send(message=message, via=via):
            return wire.Done(sentence="Sent.", value=f"{via} {message}" if via == "call" else None)
        case _:
            return of_rows(ROWS)(query)


def test_alone_it_says_what_it_can_do(observer: Command) -> None:
    status, out, err = observer()
    assert (status, err) == (0, "")
    assert "observer demo" in out


def test_nodes_are_listed_for_people_and_for_programs(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(())) as endpoint:
        assert "chat" in observer("nodes").out
        assert observer("nodes", "--json").value == [
            {
                "name": "chat",
                "os_pid": os.getpid(),
                "socket": str(endpoint.path),
                "started_at": 1_700_000_000.0,
                "runtime_version": "0.1.0",
            }
        ]


def test_no_nodes_are_an_empty_list(observer: Command) -> None:
    assert observer("nodes", "--json").value == []
    assert "observer demo" in observer("nodes").out


def test_a_node_that_does_not_answer_is_named_beside_the_list(
    observer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT", 0.1)
    with FakeEndpoint("stuck", of_rows(()), fault="mute"):
        result = observer("nodes", "--json")
        listed = observer("nodes")
    assert result.value == []
    assert "stuck did not answer" in result.err
    assert listed.out == ""
    assert "stuck did not answer" in listed.err


def test_the_tree_is_nested_with_exactly_the_promised_fields(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)):
        roots = observer("tree", "chat", "--json").value
    supervisor, lonely = roots
    fields = ["pid", "registered_name", "child_id", "type", "status", "restarts", "strategy"]
    fields += ["max_restarts", "max_seconds", "restarts_used", "children"]
    assert list(supervisor) == fields
    assert [child["pid"] for child in supervisor["children"]] == ["<0.3.0>", None]
    assert supervisor["children"][0]["restarts"] == 2
    assert (supervisor["type"], supervisor["strategy"], supervisor["restarts_used"]) == ("supervisor", "one_for_one", 1)
    assert (lonely["pid"], lonely["children"]) == ("<0.9.0>", [])


def test_the_tree_is_drawn_with_budget_and_stopped_children(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)):
        out = observer("tree").out
    assert "1/3 restarts in 5s" in out
    assert "evil␛[2J�name" in out
    assert "v ■ stopped" in out


def test_the_group_under_no_supervisor_is_asked_for_in_full(observer: Command) -> None:
    def respond(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetTree)
        unfolded = GROUP.key in query.unfolded
        folded = wire.Row(key=GROUP.key, kind="group", child_count=1, folded=not unfolded)
        return window(folded, *((LONELY,) if unfolded else ()))

    with FakeEndpoint("chat", respond):
        assert [root["pid"] for root in observer("tree", "--json").value] == ["<0.9.0>"]


def test_processes_have_process_infos_fields(observer: Command) -> None:
    with FakeEndpoint("chat", of_rows(ROWS)):
        records = observer("ps", "--json").value
        assert "evil␛[2J�name" in observer("ps", "--sort", "memory", "-d").out
    assert [record["pid"] for record in records] == ["<0.2.0>", "<0.3.0>", "<0.9.0>"]
    wanted = {"registered_name", "label", "initial_call", "status", "message_queue_len", "messages_in", "messages_out"}
    wanted |= {"memory", "memory_age", "supervisor", "child_id", "restarts", "started_at"}
    for record in records:
        assert wanted <= set(record)
    assert records[1]["supervisor"] == "<0.2.0>"
    assert records[1]["memory_age"] == 0.5


def test_more_processes_than_one_window_holds_are_all_printed_once(observer: Command) -> None:
    rows = tuple(wire.Row(key=f"<0.{number}.0>", pid=f"<0.{number}.0>") for number in range(2 * wire.MAX_ROWS + 1))
    with FakeEndpoint("big", of_rows(rows)):
        records = observer("ps", "--json").value
        assert len(observer("ps", "--json", "--limit", "2500").value) == 2500
    assert [record["pid"] for record in records] == [row.pid for row in rows]


@pytest.mark.parametrize("pid", ["<0.3.0>", "0.3.0", "worker", "w"])
@pytest.mark.parametrize("node", [[], ["chat"]])
def test_kill_takes_a_pid_or_a_name_and_the_node_may_be_left_out(observer: Command, node: list[str], pid: str) -> None:
    with FakeEndpoint("chat", scripted) as endpoint:
        assert observer("kill", *node, pid) == (0, "Done to <0.3.0>.\n", "")
    assert endpoint.asked[-1] == wire.Exit(pid="<0.3.0>", reason="'kill'")


def test_a_name_that_several_processes_have_is_refused_with_their_pids(observer: Command) -> None:
    twins = tuple(wire.Row(key=f"<0.{number}.0>", pid=f"<0.{number}.0>", name="twin") for number in (5, 6))
    with FakeEndpoint("chat", of_rows(twins)) as endpoint:
        status, _, err = observer("kill", "twin")
    assert status == 1
    assert "<0.5.0>, <0.6.0>" in err
    assert not any(isinstance(query, wire.Exit) for query in endpoint.asked)


@pytest.mark.parametrize(
    ("typed", "sent"), [("shutdown", "'shutdown'"), ("('shutdown', 1)", "('shutdown', 1)"), ("7", "7")]
)
def test_a_reason_is_a_word_or_a_literal(observer: Command, typed: str, sent: str) -> None:
    with FakeEndpoint("chat", scripted) as endpoint:
        assert observer("exit", "0.3.0", "--reason", typed).status == 0
    assert endpoint.asked[-1] == wire.Exit(pid="<0.3.0>", reason=sent)


def test_suspend_resume_and_send_ask_the_node(observer: Command) -> None:
    with FakeEndpoint("chat", scripted) as endpoint:
        assert observer("suspend", "0.3.0").status == 0
        assert observer("resume", "chat", "0.3.0", "--json").value["sentence"] == "Done to <0.3.0>."
        assert observer("send", "0.3.0", "('get', 1)", "--call").out == "call ('get', 1)\n"
        assert observer("send", "chat", "0.3.0", "increment").out == "Sent.\n"
    assert endpoint.asked == [
        wire.Suspend(pid="<0.3.0>"),
        wire.Resume(pid="<0.3.0>"),
        wire.Send(pid="<0.3.0>", message="('get', 1)", via="call"),
        wire.Send(pid="<0.3.0>", message="'increment'"),
    ]


def test_info_shows_one_process_or_the_node(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        assert observer("info", "worker", "--json").value["message_queue_len"] == 1234
        assert "1234 messages" in observer("info", "chat", "0.3.0").out
        assert observer("info", "--json").value["process_count"] == len(ROWS)
        assert "processes" in observer("info", "chat").out


def test_events_are_a_list_or_one_a_line(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        listed = observer("events", "chat", "--json").value
        assert [event["id"] for event in listed] == [4, 5, 6]
        assert {"id", "time", "kind", "pid", "reason", "cause"} <= set(listed[0])
        assert [event["id"] for event in observer("events", "--kind", "exit", "--json").value] == [5]
        assert "<0.1.0> → <0.3.0>" in observer("events", "-n", "1").out


def test_the_latest_events_of_a_kind_are_counted_among_their_kind(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        kills = observer("events", "--kind", "kill", "-n", "1", "--json").value
        none = observer("events", "--kind", "kill", "-n", "0", "--json").value
    assert [event["id"] for event in kills] == [4]
    assert none == []


def test_following_events_ends_with_the_node_and_skips_nothing(observer: Command) -> None:
    answers = iter([EVENTS[:1], EVENTS[1:]])
    asked: list[int] = []

    def respond(query: wire.Query) -> wire.Answer:
        assert isinstance(query, wire.GetEvents)
        asked.append(query.after)
        events = next(answers, ())
        if not events:
            raise OSError  # the node dies
        return wire.Events(events=events, last=events[-1].id)

    with FakeEndpoint("chat", respond):
        result = observer("events", "--follow", "--json")
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [4, 5, 6]
    assert asked == [-1, 4, 6]
    assert result.status == 1
    assert "closed the connection" in result.err


def test_diagnose_exits_with_one_when_it_finds_something(observer: Command) -> None:
    with FakeEndpoint("chat", scripted):
        assert "hogs." in observer("diagnose", "--for", "0").out
        status, out, _ = observer("diagnose", "--for", "0", "--json")
    assert status == 1
    assert json.loads(out)[0]["kind"] == "hog"
    with FakeEndpoint("chat", lambda query: wire.Lints()):
        assert observer("diagnose", "--for", "0") == (0, "Nothing looks wrong.\n", "")
        assert observer("diagnose", "--for", "0", "--json").value == []


def test_top_measures_over_an_interval(observer: Command) -> None:
    counts = iter([10, 30])

    def respond(query: wire.Query) -> wire.Answer:
        count = next(counts)
        row = wire.Row(key="<0.3.0>", pid="<0.3.0>", messages_in=count)
        moment = wire.NodeStats(name="chat", time=float(count), started_at=0.0, os_pid=1)
        return wire.Window(rows=(row,), offset=0, total=1, stats=moment)

    with FakeEndpoint("chat", respond):
        (record,) = observer("top", "--interval", "0.1", "--json").value
    assert record["messages_in_per_second"] == 1.0
    assert record["cpu"] is None


WRONG_USAGE = [
    (["kill"], "Missing argument"),
    (["kill", "chat", "0.3.0", "more"], "NODE may be left out"),
    (["kill", "0.3.0", "--reason", "('a'"], "not a Python literal"),
    (["ps", "--sort", "taste"], "no column to sort by"),
    (["events", "--kind", "party"], "no kind of event"),
    (["info", "a", "b", "c"], "Say [NODE] [PID]"),
    (["send", "0.3.0", "x", "--call", "--cast"], "not both"),
    (["chaos", "--rate", "0/s"], "no rate"),
    (["chaos", "--for", "ever"], "no span of time"),
    (["paint"], "No such command"),
    (["completion", "csh"], "csh"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG_USAGE)
def test_wrong_usage_exits_with_two(observer: Command, arguments: list[str], sentence: str) -> None:
    with FakeEndpoint("chat", scripted):
        status, out, err = observer(*arguments)
    assert (status, out) == (2, "")
    assert sentence in err


def test_a_filter_that_the_node_does_not_understand_is_wrong_usage(observer: Command) -> None:
    refusal = wire.Failed(why="a value is missing after mailbox>.", kind="bad_request")
    with FakeEndpoint("chat", lambda query: refusal):
        assert observer("ps", "--filter", "mailbox>") == (2, "", "observer: a value is missing after mailbox>.\n")


FAILURES = [
    (["tree", "chta"], "Did you mean chat"),
    (["tree", "../etc"], "cannot name a node"),
    (["kill", "0.99.0"], "no process <0.99.0>"),
    (["kill", "nobody"], "no process that is called 'nobody'"),
    (["info", "0.99.0"], "no process <0.99.0>"),
    (["run", "missing.py"], "no file missing.py"),
    (["demo", "chatt-er-box"], "no demo called"),
    (["attach", "chat"], "needs a terminal"),
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
    assert "but one that is called 'lonely'" in err


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


def test_a_settings_file_that_is_wrong_is_a_sentence(
    observer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: file)
    assert observer("config", "--path").out == f"{file}\n"
    assert observer("config", "--json").value["exists"] is False
    file.write_text('interval = 2.0\n[keys]\nquit = "z"\n')
    out = observer("config").out
    assert "interval = 2.0" in out
    assert out.endswith('[keys]\nquit = "z"\n')
    file.write_text("interval = 'often'")
    status, _, err = observer("config")
    assert status == 1
    assert str(file) in err


def test_read_only_settings_refuse_every_change(
    observer: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("read_only = true")
    monkeypatch.setattr("observer.model.settings.settings_path", lambda: file)
    with FakeEndpoint("chat", scripted) as endpoint:
        for command in (["kill", "0.3.0"], ["send", "0.3.0", "x"], ["suspend", "0.3.0"], ["chaos"]):
            status, _, err = observer(*command)
            assert status == 1
            assert "read_only" in err
    assert endpoint.asked == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed_for_each_shell(socket_folder: Path, shell: str) -> None:
    command = [sys.executable, "-m", "observer", "completion", shell]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "_OBSERVER_COMPLETE" in result.stdout


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


def test_a_pipe_that_closes_early_is_no_traceback(socket_folder: Path) -> None:
    with FakeEndpoint("chat", scripted):
        command = f"{sys.executable} -m observer ps --json | true"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_an_output_that_is_closed_is_no_traceback(socket_folder: Path, closed: str) -> None:
    with FakeEndpoint("chat", scripted):
        command = f"{sys.executable} -m observer nodes {closed}"
        result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_disk_that_is_full_is_a_sentence(socket_folder: Path) -> None:
    command = f"{sys.executable} -m observer nodes --json > /dev/full"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (1, "observer: No space left on device.\n")


def test_help_and_listings_start_without_the_dashboard() -> None:
    code = (
        "import sys; sys.argv = ['observer', 'nodes']\n"
        "from observer.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*{'textual', 'gevent', 'asyncio'} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr.strip() == ""


def test_memory_that_is_only_being_measured_is_waited_for(observer: Command) -> None:
    figures = iter([None, None, 4096, 4096, 4096, 4096, 4096, 4096])

    def respond(query: wire.Query) -> wire.Answer:
        row = wire.Row(key="<0.9.0>", pid="<0.9.0>", memory=next(figures))
        return wire.Details(row=row) if isinstance(query, wire.GetProcess) else window(row)

    with FakeEndpoint("chat", respond):
        assert [record["memory"] for record in observer("ps", "--json").value] == [4096]
        assert observer("info", "0.9.0", "--json").value["memory"] == 4096
