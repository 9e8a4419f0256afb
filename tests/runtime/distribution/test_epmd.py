"""epmd: the client with ours and with the real one, and what ours does with clients that misbehave."""

import _socket
import contextlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.distribution import epmd
from runtime.distribution.epmd_server import LONGEST_REQUEST, Server
from runtime.distribution.errors import DistributionError
from runtime.distribution.registration import KeptRegistration
from runtime.distribution.transport import Transport
from tests.support.kernels import wait_until
from tests.support.ports import free_port


@pytest.fixture(params=["ours", "real"])
def any_epmd(request: pytest.FixtureRequest, epmd_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "ours":
        monkeypatch.setenv("ERL_EPMD_PORT", str(epmd_port))
        yield
        return
    program = shutil.which("epmd")
    if program is None:
        pytest.skip("epmd is not installed; Debian has it in erlang-base")
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    process = subprocess.Popen([program, "-port", str(port)])
    try:
        wait_until(_answers)
        yield
    finally:
        process.kill()
        process.wait()


def _answers() -> bool:
    try:
        epmd.names("localhost")
    except epmd.NoEpmdError:
        return False
    return True


def test_a_name_is_found_while_its_registration_is_held(any_epmd: None) -> None:
    registration = epmd.register("shop", 4711, hidden=True)
    assert registration.creation > 0
    assert epmd.find("shop", "localhost") == epmd.Found(4711, 6)
    assert epmd.names("localhost")["shop"] == 4711
    with pytest.raises(DistributionError, match="'shop' runs on this host already; choose another name"):
        epmd.register("shop", 4712, hidden=False)
    registration.transport.close()
    wait_until(lambda: "shop" not in epmd.names("localhost"))
    again = epmd.register("shop", 4713, hidden=False)
    assert again.creation != registration.creation
    again.transport.close()


def test_a_name_that_is_not_registered_is_named_with_those_that_are(any_epmd: None) -> None:
    held = epmd.register("here", 1, hidden=True)
    with pytest.raises(DistributionError, match=r"no node 'absent' runs on localhost; registered there: .*here"):
        epmd.find("absent", "localhost")
    held.transport.close()


TAKEN, GIVEN = bytes((epmd.ALIVE2_X_RESP, 1)), bytes((epmd.ALIVE2_X_RESP, 0)) + b"\0\0\0\7"


@pytest.mark.parametrize(("answers", "creation"), [([TAKEN, GIVEN], 7), ([TAKEN, TAKEN], None)])
def test_a_name_that_is_taken_is_asked_for_once_more(
    monkeypatch: pytest.MonkeyPatch, answers: list[bytes], creation: int | None
) -> None:
    """A busy epmd may see a new node before the end of the old one, which it does see before it is asked again."""
    asked = iter(answers)

    def ask(host: str, request: bytes) -> Transport:
        ours, theirs = _socket.socketpair()
        theirs.sendall(next(asked))
        theirs.close()
        return Transport(ours)

    monkeypatch.setattr(epmd, "_ask", ask)
    if creation is None:
        with pytest.raises(DistributionError, match="'shop' runs on this host already"):
            epmd.register("shop", 1, hidden=True)
    else:
        registration = epmd.register("shop", 1, hidden=True)
        assert registration.creation == creation
        registration.transport.close()
    assert next(asked, None) is None


def test_where_no_epmd_runs_ours_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", str(free_port()))
    with pytest.raises(epmd.NoEpmdError, match="no epmd answers on localhost"):
        epmd.names("localhost")
    started: list[list[str]] = []
    monkeypatch.setattr(epmd, "_spawn_detached", started.append)
    monkeypatch.setattr(epmd, "STARTING", 0.05)
    with pytest.raises(DistributionError, match="none could be started"):
        epmd.register("shop", 1, hidden=True)
    assert started[0][1:3] == ["-m", "runtime.distribution.epmd_server"]


@pytest.mark.parametrize("value", ["x", "0", "70000"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", value)
    with pytest.raises(DistributionError, match="it must be a port"):
        epmd.names("localhost")


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(DistributionError, match=r"the host 'nowhere\.invalid' is not found"):
        epmd.find("shop", "nowhere.invalid")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\0\0",
        (LONGEST_REQUEST + 1).to_bytes(2, "big"),
        b"\0\1\xff",
        b"\0\3\x78\0\0",
        b"\0\x10\x78\0\1\x4d\0\0\6\0\5\0\3a b\0\0",
        b"\xff\xff" + b"x" * 70_000,
    ],
)
def test_a_request_that_is_none_ends_only_its_own_connection(
    epmd_port: int, monkeypatch: pytest.MonkeyPatch, request_bytes: bytes
) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", str(epmd_port))
    with socket.create_connection(("127.0.0.1", epmd_port)) as client:
        client.settimeout(60)
        try:
            client.sendall(request_bytes)
            while client.recv(1000):
                pass
        except ConnectionError:
            pass
    assert isinstance(epmd.names("localhost"), dict)


def test_a_name_is_registered_again_when_epmd_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    monkeypatch.setattr(epmd, "_spawn_detached", lambda command: None)
    monkeypatch.setattr(epmd, "STARTING", 0.05)
    with serving(port):
        kept = KeptRegistration("shop", 4711, True, False)
        creation = kept.creation
    wait_until(lambda: kept._transport.recv() is None)
    kept.look_after()  # while none runs, in vain
    wait_until(lambda: not kept._is_busy)
    with serving(port):

        def is_there_again() -> bool:
            kept.look_after()
            return "shop" in epmd.names("localhost")

        wait_until(is_there_again)
        assert kept.creation == creation
        kept.close()
        wait_until(lambda: not epmd.names("localhost"))


@contextlib.contextmanager
def serving(port: int) -> Iterator[None]:
    server = Server(["127.0.0.1"], port, lonely=600)
    goes_on = [True]
    thread = threading.Thread(target=server.run, args=(lambda: goes_on[0], 0.02))
    thread.start()
    yield
    goes_on[0] = False
    thread.join()


def test_an_epmd_without_nodes_ends_by_itself() -> None:
    server = Server(["127.0.0.1"], 0, lonely=0.05)
    server.run(period=0.01)  # returns


IN_A_THREAD = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from runtime.distribution.epmd import _spawn_detached
from runtime.kernel.threads import start_thread
ended = []
def start():
    try:
        _spawn_detached(["/bin/sh", "-c", "echo there > " + sys.argv[1]])
    finally:
        ended.append(True)
start_thread(start, ())
while not ended:
    gevent.sleep(0.01)
"""


def test_an_epmd_is_started_from_any_thread_of_a_program_that_gevent_has_patched(tmp_path: Path) -> None:
    path = tmp_path / "file"
    subprocess.run([sys.executable, "-c", IN_A_THREAD, str(path)], check=True, timeout=300)
    wait_until(path.exists)
