from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from observer.node.client import Client
from observer.node.source import NodeLostError
from runtime.introspection import wire
from tests.support.fake_endpoint import socket_folder
from tests.support.welcome import welcome

__all__ = ["socket_folder"]

WELCOME = welcome(node="chat")


@contextmanager
def replying(folder: Path, number: int) -> Iterator[Path]:
    """Run a node that welcomes one client and answers its question with a reply of that number."""
    path = folder / "chat.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1_000)
                client.sendall(wire.frame(WELCOME))
                client.recv(1_000)
                client.sendall(wire.frame(wire.Reply(id=number, answer=wire.Done())))

        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        thread.join(10)


def test_the_reply_to_the_question_is_taken(socket_folder: Path) -> None:
    with replying(socket_folder, 1) as path, Client("chat", path) as client:
        assert client.ask(wire.GetStats()) == wire.Done()


def test_a_reply_to_another_question_is_refused(socket_folder: Path) -> None:
    with (
        replying(socket_folder, 7) as path,
        Client("chat", path) as client,
        pytest.raises(NodeLostError, match="something else than what it was asked"),
    ):
        client.ask(wire.GetStats())
