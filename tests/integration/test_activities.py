"""What real servers and workers are doing, each started as it usually is. Those that are not installed are skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.introspection import wire
from tests.support.nodes import LAUNCH, RawClient, eventually
from tests.support.ports import free_port
from tests.support.recipes import SERVERS

PYTHON = SERVERS / "python"
"""Runs the servers, in an environment of their own."""

HUEY = """
from gevent import monkey; monkey.patch_all()
import gevent
from huey import MemoryHuey
huey = MemoryHuey()

@huey.task()
def send_mail(to):
    gevent.sleep(60)

send_mail("ada")
huey.create_consumer(workers=1, worker_type="greenlet", periodic=False).run()
"""

CELERY = """
from gevent import monkey; monkey.patch_all()
import gevent
from celery import Celery
app = Celery("shop", broker="memory://", backend="cache+memory://")

@app.task(name="shop.charge")
def charge(order):
    gevent.sleep(60)

gevent.spawn_later(0.5, charge.apply_async, (7,), task_id="order-7")
app.worker_main(["worker", "-P", "gevent", "-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""

LOCUST = """
from gevent import monkey; monkey.patch_all()
import gevent
from locust import User, constant, task
from locust.env import Environment

class Shopper(User):
    wait_time = constant(60)

    @task
    def browse(self):
        gevent.sleep(60)

runner = Environment(user_classes=[Shopper]).create_local_runner()
runner.start(1, spawn_rate=10)
gevent.sleep(60)
"""

SOCKET_IO = """
from gevent import monkey; monkey.patch_all()
import gevent, socket
import socketio
from gevent.pywsgi import WSGIServer
server = socketio.Server(async_mode="gevent")
listener = gevent.socket.create_server(("127.0.0.1", 0))

@server.on("order")
def order(sid, data):
    gevent.sleep(60)

def shop():
    client = socketio.Client()
    client.connect(f"http://127.0.0.1:{listener.getsockname()[1]}", transports=["polling"])
    client.emit("order", {"number": 1})
    gevent.sleep(60)

gevent.spawn(shop)
WSGIServer(listener, socketio.WSGIApp(server), log=None).serve_forever()
"""

GUNICORN = """
import gevent
from runtime import introspection

def app(environ, start):
    introspection.serve("node")
    start("200 OK", [])
    gevent.sleep(60)
    return [b"late"]
"""


def activities(path: Path) -> dict[str, str]:
    """Return what the node's greenlets are doing, each with the function that it is in."""
    try:
        with RawClient(path) as client:
            answer = client.ask(wire.GetProcesses())
    except OSError:
        return {}
    assert isinstance(answer, wire.Window)
    return {row.doing: (row.at or "").rpartition(" ")[2] for row in answer.rows if row.doing is not None}


def skip_without(package: str) -> None:
    """Skip a test where the servers' own environment does not have a package."""
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True).returncode:
        pytest.skip(f"{package} is not installed in .venv-recipes: .ci/run does that")


def told(folder: Path, command: list[str], wanted: str) -> dict[str, str]:
    """Run a program until one of its greenlets does what is wanted; return what all are doing."""
    environment = {**os.environ, "OBSERVER_DIR": str(folder)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        try:

            def look() -> dict[str, str] | None:
                assert program.poll() is None, "the program has ended"
                found = activities(next(folder.glob("*.sock"), folder / "node.sock"))
                return found if any(each.startswith(wanted) for each in found) else None

            return eventually(look)
        finally:
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()


@pytest.mark.parametrize(
    ("package", "program", "wanted", "function"),
    [
        ("huey", HUEY, "send_mail ", "send_mail"),
        ("celery", CELERY, "shop.charge order-7", "charge"),
        ("locust", LOCUST, "Shopper.browse", "browse"),
        ("socketio", SOCKET_IO, "event order", "order"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)
def test_tasks_and_events_are_told_by_name(
    folder: Path, package: str, program: str, wanted: str, function: str
) -> None:
    skip_without(package)
    script = folder / "program.py"
    script.write_text(program)
    found = told(folder, [str(PYTHON), *LAUNCH[1:], str(script)], wanted)
    assert function in {at for doing, at in found.items() if doing.startswith(wanted)}


def test_requests_of_gunicorn_are_told_by_method_and_path(folder: Path) -> None:
    skip_without("gunicorn")
    (folder / "shop.py").write_text(GUNICORN)
    port = free_port()
    command = [str(PYTHON), "-m", "gunicorn", "-k", "gevent", "-w", "1", "-b", f"127.0.0.1:{port}", "shop:app"]
    client = "import socket, sys, time\n"
    client += f"for _ in range(600):\n try: s = socket.create_connection(('127.0.0.1', {port})); break\n"
    client += " except OSError: time.sleep(0.1)\n"
    client += "s.sendall(b'GET /basket/7?token=secret HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); s.recv(1)"
    with subprocess.Popen([sys.executable, "-c", client], stderr=subprocess.DEVNULL) as asking:
        try:
            assert told(folder, command, "GET") == {"GET /basket/7": "app"}
        finally:
            asking.kill()
