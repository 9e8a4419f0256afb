"""Real servers, as an operator runs them: observed without a change, named, seen, acted on, and unharmed."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.ports import free_port
from tests.support.recipes import (
    PROGRAMS,
    ROOT,
    SERVERS,
    Server,
    blamed,
    eventually,
    get,
    greenlets,
    in_background,
    needs,
    serving,
    up,
    waiting_at,
)


def kill_the_one_at(server: Server, name: str, words: str) -> None:
    """Kill the greenlet of a node in whose stack some words stand, as an observer does."""
    with server.node(name) as client:
        (pid, *_) = eventually(lambda: waiting_at(client, words))
        assert isinstance(client.ask(wire.Exit(pid=pid)), wire.Done)
        eventually(lambda: pid not in [row.pid for row in greenlets(client)])


# -- gunicorn ---------------------------------------------------------------------------------------------------------


def gunicorn(port: int, *options: str) -> list[str]:
    """Return the command line of a gunicorn with two workers."""
    return ["gunicorn", "-k", "gevent", "-w", "2", "-b", f"127.0.0.1:{port}", *options, "shop:app"]


@needs("gunicorn")
@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preloaded"])
def test_the_workers_of_gunicorn_are_nodes_and_their_requests_greenlets(folder: Path, options: tuple[str, ...]) -> None:
    port = free_port()
    with serving(folder, *gunicorn(port, *options)) as server:
        server.wait_for("gunicorn-worker-1", "gunicorn-worker-2")
        eventually(lambda: up(port))
        slow = in_background(get, port, "/slow")
        name = eventually(lambda: next((each for each in server.names() if _has(server, each, "app")), None))
        kill_the_one_at(server, name, "app")
        slow.join(60)
        assert not slow.is_alive()
        assert {get(port, "/look") for _ in range(20)} == {"you asked for /look\n"}

        in_background(get, port, "/block")
        eventually(lambda: any(_has_blamed(server, each, "in compute") for each in server.names()))
        assert server.end() == 0
        assert server.names() == []


def _has(server: Server, name: str, words: str) -> bool:
    with server.node(name) as client:
        return bool(waiting_at(client, words))


def _has_blamed(server: Server, name: str, words: str) -> bool:
    with server.node(name) as client:
        return blamed(client, words)


@needs("gunicorn")
def test_workers_that_replace_others_are_nodes_in_turn(folder: Path) -> None:
    port = free_port()
    with serving(folder, *gunicorn(port)) as server:
        server.wait_for("gunicorn-worker-1", "gunicorn-worker-2")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("gunicorn-worker-3", "gunicorn-worker-4")
        with server.node("gunicorn-worker-3") as client:
            os.kill(client.welcome.os_pid, signal.SIGKILL)
        server.wait_for("gunicorn-worker-4", "gunicorn-worker-5")
        assert {each["node"] for each in server.told("ps", "gunicorn")} == {"gunicorn-worker-4", "gunicorn-worker-5"}
        assert get(port, "/look") == "you asked for /look\n"
        assert server.end() == 0


@needs("gunicorn")
def test_gunicorn_answers_and_ends_as_it_does_unobserved(folder: Path) -> None:
    seen = []
    for observed in (False, True):
        port = free_port()
        with serving(folder, *gunicorn(port), observed=observed) as server:
            eventually(lambda: up(port))  # noqa: B023
            answers = [get(port, f"/{number}") for number in range(10)]
            seen.append((answers, server.end(signal.SIGINT)))
    assert seen[0] == seen[1]


# -- uWSGI ------------------------------------------------------------------------------------------------------------


def uwsgi(port: int) -> list[str]:
    """Return the command line of a uWSGI with two workers."""
    options = ("--gevent", "20", "--master", "--processes", "2", "--die-on-term", "--module", "shop:app")
    return ["uwsgi", "--http-socket", f"127.0.0.1:{port}", *options]


@pytest.mark.skipif(
    not (SERVERS / "uwsgi").exists(),
    reason="uWSGI is compiled for each machine; 'pip install uwsgi' into .venv-recipes runs its test",
)
def test_the_workers_of_uwsgi_are_nodes_and_answer_and_end_as_they_do_unobserved(folder: Path) -> None:
    seen = []
    for observed in (True, False):
        port = free_port()
        with serving(folder, *uwsgi(port), observed=observed) as server:
            eventually(lambda: up(port))  # noqa: B023
            if observed:
                names = eventually(lambda: found if len(found := server.names()) == 2 else None)
                slow = in_background(get, port, "/slow")
                name = eventually(lambda: next((each for each in names if _has(server, each, "app")), None))  # noqa: B023
                kill_the_one_at(server, name, "app")
                slow.join(60)
                assert not slow.is_alive()
            seen.append(([get(port, f"/{number}") for number in range(10)], server.end()))
    assert seen[0] == seen[1]


# -- celery and huey --------------------------------------------------------------------------------------------------

CELERY = (
    *("celery", "-A", "celery_jobs", "worker", "-P", "gevent", "-c", "4", "-n", "w1@here"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)

HUEY = ("huey_consumer", "huey_jobs.huey", "-k", "greenlet", "-w", "4")


def enqueue(folder: Path, code: str) -> None:
    """Send tasks from another process.

    celery's queue of files is read while a file is still empty, so each is put there when it is written.
    """
    sent = folder / "sent"
    sent.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(folder), "SENT": str(sent)}
    subprocess.run([SERVERS / "python", "-c", code], cwd=folder, env=environment, check=True, timeout=300)
    for message in sorted(sent.iterdir()):
        message.rename(folder / "queue" / message.name)


TASKS = {
    "celery": (CELERY, "from celery_jobs import nap, compute\n", "nap.delay", "compute.delay", "celery-w1-here"),
    "huey": (HUEY, "from huey_jobs import nap, compute\n", "nap", "compute", None),
}


@pytest.mark.parametrize(
    "kind", [pytest.param("celery", marks=needs("celery")), pytest.param("huey", marks=needs("huey_consumer"))]
)
def test_tasks_are_greenlets_that_can_be_killed_one_by_one(folder: Path, kind: str) -> None:
    command, head, nap, compute, name = TASKS[kind]
    (folder / "queue").mkdir()
    with serving(folder, *command) as server:
        (found,) = eventually(server.names)
        assert found == (name or f"huey_consumer-{server.process.pid}")
        enqueue(folder, f"{head}{nap}('long', 600)\n{nap}('short', 0.1)")
        eventually((folder / "short.done").exists)
        kill_the_one_at(server, found, "nap")
        enqueue(folder, f"{head}{compute}('computed', 1.0)\n{nap}('last', 0.1)")
        eventually((folder / "computed.done").exists)
        eventually((folder / "last.done").exists)
        with server.node(found) as client:
            eventually(lambda: blamed(client, "in compute"))
        assert not (folder / "long.done").exists()
        assert server.end(signal.SIGINT if kind == "huey" else signal.SIGTERM) == 0


@pytest.mark.parametrize(
    "kind", [pytest.param("celery", marks=needs("celery")), pytest.param("huey", marks=needs("huey_consumer"))]
)
def test_tasks_give_what_they_give_unobserved(folder: Path, kind: str) -> None:
    command, _, nap, _, _ = TASKS[kind]
    send = nap.replace("nap", "square")
    assert _results(folder / "o", kind, command, send) == _results(folder / "p", kind, command, send, False)


def _results(
    folder: Path, kind: str, command: tuple[str, ...], send: str, observed: bool = True
) -> tuple[dict[str, str], int, int]:
    """Run some tasks, one of which fails. Return what they have written, how often that was logged, and the status."""
    (folder / "queue").mkdir(parents=True)
    with serving(folder, *command, observed=observed) as server:
        enqueue(
            folder,
            f"from {kind}_jobs import square\n{send}('bad', -1)\nfor n in range(20): {send}(str(n), n)",
        )
        eventually(lambda: len([*folder.glob("*.square")]) == 20)
        status = server.end(signal.SIGINT if kind == "huey" else signal.SIGTERM)
    logged = server.log.read_text().count("ValueError: -1 is less than nothing")
    return {path.stem: path.read_text() for path in folder.glob("*.square")}, logged, status


# -- locust -----------------------------------------------------------------------------------------------------------


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every request, and counts them."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


@contextmanager
def page() -> Iterator[int]:
    """Serve pages until the block ends; yield the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@needs("locust")
def test_the_users_of_locust_are_greenlets_and_its_run_ends_as_it_does_unobserved(folder: Path) -> None:
    Page.asked = 0
    with page() as port:
        address = f"http://127.0.0.1:{port}"
        command = ["locust", "-f", "visitors.py", "--headless", "--json", "-u", "3", "-r", "3", "-H", address]
        with serving(folder, *command) as server:
            (name,) = eventually(server.names)
            assert name == f"locust-{server.process.pid}"
            with server.node(name) as client:
                eventually(lambda: waiting_at(client, "run_user") or waiting_at(client, "run"))
                eventually(lambda: blamed(client, "in compute"))
            eventually(lambda: Page.asked > 3)
            status = server.end()
        told = _told(server)
        with serving(folder, *command, observed=False) as server:
            asked = Page.asked
            eventually(lambda: Page.asked > asked + 3)
            assert server.end() == status
        assert _told(server) == told == [("GET", "/look", 0)]


def _told(server: Server) -> list[tuple[str, str, int]]:
    """Return what locust tells of each kind of request: method, path, failures."""
    log = server.log.read_text()
    told = json.loads(log[log.rindex("\n[") :])
    return [(each["method"], each["name"], each["num_failures"]) for each in told]


# -- Flask-SocketIO ---------------------------------------------------------------------------------------------------


@needs("flask")
def test_a_server_of_flask_socketio_is_a_node_whose_requests_are_greenlets(folder: Path) -> None:
    port = free_port()
    with serving(folder, "python", "chat.py", str(port)) as server:
        name = f"chat-{server.process.pid}"
        server.wait_for(name)
        eventually(lambda: up(port))
        in_background(get, port, "/slow")
        kill_the_one_at(server, name, "slow")
        assert get(port, "/socket.io/?EIO=4&transport=polling").startswith('0{"sid"')
        assert get(port, "/block") == "you asked for /block\n"
        with server.node(name) as client:
            eventually(lambda: blamed(client, "in compute"))
        assert server.end(signal.SIGTERM) == -signal.SIGTERM


# -- zerorpc ----------------------------------------------------------------------------------------------------------


def called(folder: Path, port: int, *calls: str) -> list[str]:
    """Call a server of zerorpc's from another process; return what each call gives or fails with."""
    code = f"""
import zerorpc
client = zerorpc.Client("tcp://127.0.0.1:{port}", timeout=60)
for call in {calls!r}:
    try:
        print(eval("client." + call))
    except zerorpc.RemoteError as error:
        print(error.name, error.msg)
    except zerorpc.LostRemote:
        print("lost")
"""
    command = [str(SERVERS / "python"), "-c", code]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True, timeout=90)
    return done.stdout.splitlines()


@needs("zerorpc")
def test_the_calls_of_zerorpc_are_greenlets_and_give_what_they_give_unobserved(folder: Path) -> None:
    seen = []
    for observed in (True, False):
        port = free_port()
        with serving(folder, "python", "lookup.py", str(port), observed=observed) as server:
            eventually(lambda: up(port))  # noqa: B023
            if observed:
                server.wait_for(name := f"lookup-{server.process.pid}")
                in_background(called, folder, port, "slow()")
                kill_the_one_at(server, name, "slow")
            answers = called(folder, port, "block()", "double(-1)", "double(2)")
            if observed:
                with server.node(name) as client:
                    eventually(lambda: blamed(client, "in compute"))
            seen.append((answers, server.end()))
    assert seen[0] == seen[1]
    assert seen[0][0] == ["block", "ValueError -1 is less than nothing", "4"]


# -- redis-py ---------------------------------------------------------------------------------------------------------


@contextmanager
def store(folder: Path) -> Iterator[tuple[int, Callable[..., str]]]:
    """Run a Redis until the block ends; yield its port, and what sends a command and returns its answer of one line."""
    port = free_port()
    folder.mkdir()
    with serving(folder, "python", "store.py", str(port), observed=False):
        eventually(lambda: up(port))
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, connection.makefile() as answers:

            def ask(*words: str) -> str:
                lines = [f"*{len(words)}", *(line for word in words for line in (f"${len(word)}", word)), ""]
                connection.sendall("\r\n".join(lines).encode())
                return answers.readline().rstrip()

            yield port, ask


@pytest.mark.skipif(
    not [*SERVERS.parent.glob("lib/python*/site-packages/fakeredis")],
    reason="fakeredis is not installed in .venv-recipes: .ci/run does that",
)
def test_the_workers_of_a_redis_are_greenlets_and_do_what_they_do_unobserved(folder: Path) -> None:
    with store(folder / "store") as (port, ask):
        for observed in (True, False):
            assert ask("FLUSHALL") == "+OK"
            with serving(folder, "python", "packing.py", str(port), observed=observed) as server:
                if observed:
                    server.wait_for(name := f"packing-{server.process.pid}")
                    with server.node(name) as client:
                        eventually(lambda: len(waiting_at(client, "blpop")) == 3)
                    ask("RPUSH", "orders", "fragile")
                    kill_the_one_at(server, name, "wrap")
                assert ask("RPUSH", "orders", "book", "large", "book", "pen") == ":4"
                for order, number in (("book", 2), ("large", 1), ("pen", 1)):
                    eventually(lambda: ask("INCRBY", f"packed:{order}", "0") == f":{number}")  # noqa: B023
                if observed:
                    with server.node(name) as client:
                        eventually(lambda: blamed(client, "in compute"))
                ask("RPUSH", "orders", "none", "none", "none")
                assert server.process.wait(60) == 0


# -- pyinfra ----------------------------------------------------------------------------------------------------------


@needs("pyinfra")
def test_pyinfra_is_a_node_although_it_knows_nothing_of_this_project(folder: Path) -> None:
    with serving(folder, "pyinfra", "-y", "@local", "exec", "--", "until [ -e go ]; do sleep 0.1; done") as server:
        server.wait_for(f"pyinfra-{server.process.pid}")
        (folder / "go").touch()
        assert server.process.wait(60) == 0


def test_ci_installs_the_servers() -> None:
    assert "recipes/requirements.txt" in (ROOT / ".ci" / "run").read_text()
    assert PROGRAMS.is_dir()
