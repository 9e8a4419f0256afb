from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from observer.node import discovery
from tests.support.fake_endpoint import FakeEndpoint, of_rows, socket_folder

__all__ = ["socket_folder"]


class Later:
    """A clock that is ahead of the files' own times by `seconds`."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._moment = path.stat().st_mtime + seconds

    def now(self) -> float:
        return self._moment


def leave_stale(folder: Path, name: str) -> Path:
    path = folder / f"{name}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    return path


def test_live_nodes_are_found_by_name_with_what_they_say(socket_folder: Path) -> None:
    with FakeEndpoint("web", of_rows(())), FakeEndpoint("chat", of_rows(())):
        found = discovery.nodes()
    assert [(each.name, each.welcome is not None) for each in found] == [("chat", True), ("web", True)]


def test_no_folder_means_no_nodes(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVER_DIR", str(socket_folder / "missing"))
    assert discovery.nodes() == []


def test_a_socket_nobody_listens_on_is_cleared_away(socket_folder: Path) -> None:
    path = leave_stale(socket_folder, "dead")
    assert discovery.nodes(Later(path, discovery.STALE_AFTER + 1)) == []
    assert not path.exists()


def test_a_young_socket_that_refuses_is_left_to_its_node(socket_folder: Path) -> None:
    path = leave_stale(socket_folder, "dead")
    assert discovery.nodes(Later(path, 1)) == []
    assert path.exists()


def test_a_file_that_is_no_socket_is_shown_with_its_problem_and_left_alone(socket_folder: Path) -> None:
    path = socket_folder / "note.sock"
    path.write_text("mine")
    (found,) = discovery.nodes(Later(path, 1))
    assert found.welcome is None
    assert found.problem
    assert path.read_text() == "mine"


def test_a_node_that_does_not_answer_is_listed_with_its_problem(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT", 0.1)
    with FakeEndpoint("stuck", of_rows(()), fault="mute"):
        (found,) = discovery.nodes()
    assert found.welcome is None
    assert "did not answer" in found.problem


def test_without_a_name_the_only_node_is_meant(socket_folder: Path) -> None:
    with FakeEndpoint("chat", of_rows(())) as endpoint:
        assert discovery.find(None).path == endpoint.path
        assert discovery.find("chat").path == endpoint.path


def test_without_a_name_several_nodes_are_named(socket_folder: Path) -> None:
    with (
        FakeEndpoint("chat", of_rows(())),
        FakeEndpoint("web", of_rows(())),
        pytest.raises(discovery.AmbiguousNodeError, match="say which one") as caught,
    ):
        discovery.find(None)
    assert caught.value.names == ("chat", "web")


def test_without_any_node_it_says_how_to_start_one(socket_folder: Path) -> None:
    with pytest.raises(discovery.NodeNotFoundError, match="observer demo"):
        discovery.find(None)


def test_when_the_only_node_does_not_answer_it_is_not_said_that_none_is_running(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PROBE_TIMEOUT", 0.1)
    with (
        FakeEndpoint("stuck", of_rows(()), fault="mute"),
        pytest.raises(discovery.NodeNotFoundError, match=r"^No node answers. stuck did not answer within 0.1"),
    ):
        discovery.find(None)


def test_an_unknown_name_gets_close_names_suggested(socket_folder: Path) -> None:
    with FakeEndpoint("chat", of_rows(())):
        with pytest.raises(discovery.NodeNotFoundError, match="Did you mean chat"):
            discovery.find("chta")
        with pytest.raises(discovery.NodeNotFoundError, match="Running now: chat"):
            discovery.find("zzz")
    with pytest.raises(discovery.NodeNotFoundError, match="no other node"):
        discovery.find("zzz")


def test_a_dead_nodes_name_is_nobodys(socket_folder: Path) -> None:
    path = leave_stale(socket_folder, "dead")
    with pytest.raises(discovery.NodeNotFoundError, match="no other node is running"):
        discovery.find("another")  # although its socket was left a moment ago
    with pytest.raises(discovery.NodeNotFoundError, match="no node called dead"):
        discovery.find("dead", Later(path, discovery.STALE_AFTER + 1))


def test_a_name_that_cannot_be_one_is_refused(socket_folder: Path) -> None:
    with pytest.raises(ValueError, match="cannot name a node"):
        discovery.find("../chat")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("chat", "chat-2"), ("my script!", "my-script"), ("..", "python"), ("é", "python"), ("x" * 50, "x" * 36)],
)
def test_a_name_that_is_reserved_fits_and_was_not_taken(socket_folder: Path, wanted: str, given: str) -> None:
    with FakeEndpoint("chat", of_rows(())):
        reservation = discovery.reserve_name(wanted)
        assert reservation.name == given
        reservation.cancel()


def test_the_name_of_a_dead_node_can_be_reserved(socket_folder: Path) -> None:
    leave_stale(socket_folder, "chat")
    reservation = discovery.reserve_name("chat")
    assert reservation.name == "chat"
    reservation.cancel()


def test_names_that_are_reserved_at_the_same_time_differ(socket_folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        reservations = list(pool.map(discovery.reserve_name, ["chat"] * 8))
    assert len({each.name for each in reservations}) == 8
    for each in reservations:
        each.cancel()
    assert list(socket_folder.iterdir()) == []


def test_a_socket_that_has_taken_the_place_of_a_dead_one_meanwhile_is_left_alone(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = leave_stale(socket_folder, "reborn")
    later = Later(path, discovery.STALE_AFTER + 1)

    def refuses(at: Path) -> bool:
        path.rename(socket_folder / "old")  # so that its inode is not given to the next one
        leave_stale(socket_folder, "reborn")
        return True

    monkeypatch.setattr(discovery, "refuses", refuses)
    assert discovery.clear_when_stale(path, later)
    assert path.exists()


def test_a_node_that_closes_its_sockets_one_after_the_other_has_gone(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "CLOSES_WITHIN", 60.0)  # a thread may take long to begin on a busy machine
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(socket_folder / "killed.sock"))
        listener.listen()
        closes = threading.Timer(0.1, listener.close)
        closes.start()
        assert discovery.has_gone("killed")
        closes.join()


def test_a_node_that_has_only_dropped_its_observer_has_not_gone(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "CLOSES_WITHIN", 0.02)
    with FakeEndpoint("web", of_rows(())):
        assert not discovery.has_gone("web")
    assert discovery.has_gone("no name\0")
