"""The endpoint: who is admitted, who is refused, and that both are told."""

from __future__ import annotations

import _socket
import os
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from runtime.introspection import wire
from runtime.introspection.address import reserve
from runtime.introspection.endpoint import listener
from runtime.introspection.endpoint.listener import Endpoint, Refusals
from runtime.introspection.endpoint.session import ClientDroppedError, Session
from tests.support.nodes import RawClient, eventually
from tests.support.welcome import welcome


class Served:
    """An endpoint that greets whom it serves and reads on, and the lines it has logged."""

    def __init__(self, listening: Callable[[Any], Any] = lambda socket: socket) -> None:
        self.lines: list[str] = []
        self.threads = psutil.Process().num_threads()
        self.python_threads = threading.active_count()
        self.endpoint = Endpoint(reserve(["served"]), self._serve, self.lines.append)
        self.endpoint._listener = listening(self.endpoint._listener)
        self.endpoint.start()

    def _serve(self, session: Session) -> None:
        session.read_hello()
        session.send(welcome(node="served"))
        while True:
            session.read_request()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="end", dir="/tmp") as folder:
        monkeypatch.setenv("OBSERVER_DIR", folder)
        served = Served()
        yield served
        served.endpoint.close()
        assert list(Path(folder).iterdir()) == []


def answer_to_hello(path: Path) -> wire.Welcome | wire.Refused:
    """Say hello as an observer does, and return what comes back."""
    with RawClient(path, hello=False) as client:
        client.write(wire.frame(wire.Hello()))
        answer: wire.Welcome | wire.Refused = wire.decode_welcome(client.read_frame())
        return answer


def test_the_socket_is_its_owners_alone(served: Served) -> None:
    assert stat.S_IMODE(served.endpoint.path.stat().st_mode) == 0o600


def test_every_client_that_is_too_many_is_told_so(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_CLIENTS", 1)
    with RawClient(served.endpoint.path):
        for _ in range(300):  # a socket closed too soon lost the sentence nine times out of ten
            refused = answer_to_hello(served.endpoint.path)
            assert isinstance(refused, wire.Refused)
            assert "close one of them" in refused.why


def test_a_refused_client_that_stays_is_hung_up_on(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_CLIENTS", 0)
    monkeypatch.setattr(listener.Refusals, "LONGEST", 0.05)
    monkeypatch.setattr(listener.Refusals, "MOST", 3)
    clients = [RawClient(served.endpoint.path, hello=False) for _ in range(8)]
    for client in clients:
        assert isinstance(wire.decode_welcome(client.read_frame()), wire.Refused)
        assert client.is_hung_up()
        client.close()
    assert served.endpoint.sessions() == []


def test_room_that_becomes_free_is_given_to_the_next(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_CLIENTS", 1)
    with RawClient(served.endpoint.path):
        assert isinstance(answer_to_hello(served.endpoint.path), wire.Refused)
    eventually(lambda: isinstance(answer_to_hello(served.endpoint.path), wire.Welcome))


def test_a_client_of_another_user_is_hung_up_on_before_it_is_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "foreign", lambda self: "it belongs to the user 7")
    with RawClient(served.endpoint.path, hello=False) as client:
        assert client.is_hung_up()
    eventually(lambda: served.lines == ["dropped an observer: it belongs to the user 7"])
    assert served.endpoint.sessions() == []


def test_an_endpoint_that_is_closed_hangs_up_on_all(served: Served) -> None:
    with RawClient(served.endpoint.path) as client:
        served.endpoint.close()
        assert client.is_hung_up()
    assert not served.endpoint.path.exists()
    eventually(
        lambda: threading.active_count() <= served.python_threads and psutil.Process().num_threads() <= served.threads
    )
    assert served.lines == []
    served.endpoint.close()


def test_the_child_of_a_fork_leaves_the_socket_to_its_parent(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    served.endpoint.close()
    assert served.endpoint.path.exists()
    monkeypatch.undo()
    served.endpoint._closed = False


def test_an_accept_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, inner: Any) -> None:
            self.inner = inner
            self.failures = [OSError(24, "Too many open files")]

        def _accept(self) -> Any:
            if self.failures:
                raise self.failures.pop()
            return self.inner._accept()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

    monkeypatch.setattr(listener, "OUT_OF_RESOURCES_PAUSE", 0.01)
    with tempfile.TemporaryDirectory(prefix="end", dir="/tmp") as folder:
        monkeypatch.setenv("OBSERVER_DIR", folder)
        served = Served(Failing)
        assert isinstance(answer_to_hello(served.endpoint.path), wire.Welcome)
        assert served.lines == ["accepting an observer failed: [Errno 24] Too many open files"]
        served.endpoint.close()


def test_two_observers_are_served_side_by_side(served: Served) -> None:
    with RawClient(served.endpoint.path), RawClient(served.endpoint.path):
        assert len(served.endpoint.sessions()) == 2


def test_what_serving_a_client_raises_drops_it_and_is_logged(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(session: Session) -> None:
        raise ClientDroppedError("it asked for too much")

    served.endpoint._serve = fail
    with RawClient(served.endpoint.path, hello=False) as client:
        assert client.is_hung_up()
    eventually(lambda: served.lines == ["dropped an observer: it asked for too much"])


def test_a_socket_that_has_taken_the_place_of_ours_is_not_removed(served: Served) -> None:
    path = served.endpoint.path
    path.unlink()
    other = _socket.socket(_socket.AF_UNIX)
    other.bind(str(path))
    served.endpoint.close()
    other.close()
    assert path.exists()
    path.unlink()


class Refused(Session):
    """A client that was refused and does not close its end until it is told to."""

    def __init__(self) -> None:
        self.is_gone = False
        self.is_hung_up = threading.Event()

    def refuse(self, why: str) -> None:
        """Take it as said."""

    def has_hung_up(self) -> bool:
        return self.is_gone

    def hang_up(self) -> None:
        self.is_hung_up.set()


def test_of_more_refused_clients_than_are_kept_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Refusals, "MOST", 2)
    refusals = Refusals()
    clients = [Refused() for _ in range(4)]
    for client in clients:
        refusals.refuse(client, "full")
    assert [client.is_hung_up.is_set() for client in clients] == [True, True, False, False]
    for client in clients:
        client.is_gone = True
    assert all(client.is_hung_up.wait(60.0) for client in clients)


def test_a_refused_client_that_does_not_go_is_hung_up_on_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Refusals, "LONGEST", 0.01)
    monkeypatch.setattr(Refusals, "PERIOD", 0.001)
    refusals = Refusals()
    for _ in range(2):  # the second is watched anew, since the watch over the first has ended
        client = Refused()
        refusals.refuse(client, "full")
        assert client.is_hung_up.wait(60.0)
        eventually(lambda: not refusals._watched)
