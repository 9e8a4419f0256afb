from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from observer.cli.metrics import _Reader
from runtime.introspection import wire
from tests.support.command import ROWS, WORKER, Command, scripted
from tests.support.fake_endpoint import FakeEndpoint, of_rows
from tests.support.recordings import leave_black_box


def fullest_first(query: wire.Query) -> wire.Answer:
    """Answer like `scripted`, and sort by the length of the mailbox."""
    if isinstance(query, wire.GetProcesses) and query.sort == "message_queue_len" and query.descending:
        return of_rows((WORKER,))(query)
    return scripted(query)


def test_the_figures_are_printed_once(observer: Command) -> None:
    with FakeEndpoint("chat", fullest_first):
        status, out, err = observer("metrics", "chat")
    assert (status, err) == (0, "")
    assert f'runtime_processes{{node="chat"}} {len(ROWS)}.0' in out
    assert 'runtime_mailbox_longest_messages{node="chat"} 1234.0' in out
    assert 'runtime_findings{kind="hog",node="chat"} 1.0' in out
    assert out.endswith("# EOF\n")


def test_events_are_read_once(observer: Command) -> None:
    with FakeEndpoint("chat", scripted) as node:
        observer("metrics")
    asked = [query for query in node.asked if isinstance(query, wire.GetEvents)]
    assert [query.after for query in asked] == [-1]


def test_the_black_box_of_a_node_that_has_ended_is_not_taken_for_a_node_that_is_up(
    observer: Command, socket_folder: Path
) -> None:
    leave_black_box()
    assert _Reader("shop").read() is None


def test_a_node_that_is_not_there_is_an_error(observer: Command) -> None:
    status, out, err = observer("metrics", "chat")
    assert (status, out) == (1, "")
    assert "no node called chat" in err


@pytest.mark.parametrize("address", ["", "9400", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:99999", "1:²"])
def test_an_address_that_is_none_is_wrong_usage(observer: Command, address: str) -> None:
    with FakeEndpoint("chat", scripted):
        status, _, err = observer("metrics", "--listen", address)
    assert status == 2
    assert "HOST:PORT" in err


def test_a_port_that_is_taken_is_an_error(observer: Command) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, FakeEndpoint("chat", scripted):
        status, _, err = observer("metrics", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert status == 1
    assert "can listen on 127.0.0.1" in err


def test_metrics_are_served_until_the_command_is_interrupted(observer: Command) -> None:
    with FakeEndpoint("chat", scripted) as node:
        command = [sys.executable, "-m", "observer", "metrics", "chat", "--listen", "127.0.0.1:0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            where = next(word for word in process.stderr.readline().split() if word.startswith("http")).rstrip(";")
            assert 'runtime_up{node="chat"} 1.0' in _read(where)
            node.stop()
            assert 'runtime_up{node="chat"} 0.0' in _read(where)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stderr.read() == ""


def _read(where: str) -> str:
    with urllib.request.urlopen(where, timeout=300) as answer:
        text: str = answer.read().decode()
    return text
