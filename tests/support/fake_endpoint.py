"""A node's endpoint with scripted answers: a real Unix socket, served by threads, that can also misbehave."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec
import pytest

from runtime.introspection import wire

Fault = Literal["", "mute", "garbage", "future", "refuses", "huge", "closes", "mute_later", "garbage_later", "hangs_up"]
"""How it misbehaves: towards every client from the start, or (``..._later``, ``hangs_up``) at the first question."""

Raw = dict[str, object]
"""An answer as it is encoded: it may be one that no real node can give."""


class FakeEndpoint:
    """Listens as a node called `name` in the folder that OBSERVER_DIR names, and answers with `respond`.

    `said` are fields of its welcome. What it was asked is kept in `asked`. A context manager; its threads end with it.
    """

    def __init__(
        self, name: str, respond: Callable[[wire.Query], wire.Answer | Raw], fault: Fault = "", **said: Any
    ) -> None:
        self.name = name
        self._said = said
        self.path = Path(os.environ["OBSERVER_DIR"]) / f"{name}.sock"
        self.asked: list[wire.Query] = []
        self._respond = respond
        self._fault = fault
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._clients: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._listener.bind(str(self.path))
        self._listener.listen(8)
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.path.unlink(missing_ok=True)

    def stop(self) -> None:
        """End as a node that dies does: connections break, and the socket stays behind."""
        for each in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def welcome(self) -> wire.Welcome:
        """Return what it says to a client first."""
        welcome = wire.Welcome(
            protocol=wire.PROTOCOL,
            node=self.name,
            os_pid=os.getpid(),
            started_at=1_700_000_000.0,
            runtime_version="0.1.0",
            python_version="3.11.0",
            gevent_version="26.9.0",
        )
        return msgspec.structs.replace(welcome, **self._said)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self._threads.append(thread)  # not before: `stop` may come in between, and joins none that has not started

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), client:
            wire.decode_hello(_read_frame(client))
            client.sendall(self._first_frame())
            if self._fault in ("garbage", "future", "refuses", "huge", "closes"):
                return
            while True:
                request = wire.decode_request(_read_frame(client))
                self.asked.append(request.query)
                match self._fault:
                    case "mute" | "mute_later":
                        continue
                    case "hangs_up":
                        return
                    case "garbage_later":
                        client.sendall(wire.HEADER.pack(3) + b"\xc1\xc1\xc1")
                    case _:
                        body = msgspec.msgpack.encode({"id": request.id, "answer": self._respond(request.query)})
                        client.sendall(wire.HEADER.pack(len(body)) + body)

    def _first_frame(self) -> bytes:
        match self._fault:
            case "mute" | "closes":
                return b""
            case "garbage":
                return wire.HEADER.pack(5) + b"\xff\x00\x1b[2"
            case "huge":
                return wire.HEADER.pack(wire.MAX_REPLY + 1)
            case "refuses":
                return wire.frame(wire.Refused(why="There are too many\x1b[2J observers."))
            case "future":
                return wire.frame(wire.Refused(why="Versions differ.", protocol=wire.PROTOCOL + 1))
            case _:
                return wire.frame(self.welcome())


def _read_frame(client: socket.socket) -> bytes:
    (length,) = wire.HEADER.unpack(_read(client, wire.HEADER.size))
    return _read(client, length)


def _read(client: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        chunk = client.recv(length - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


@pytest.fixture
def socket_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty folder for sockets, with a path short enough for them, and point OBSERVER_DIR at it."""
    with tempfile.TemporaryDirectory(prefix="obs", dir="/tmp") as folder:
        monkeypatch.setenv("OBSERVER_DIR", folder)
        yield Path(folder)


def stats(name: str = "chat", process_count: int = 0) -> wire.NodeStats:
    """Return the figures of a node."""
    return wire.NodeStats(
        name=name, time=1_700_000_100.0, started_at=1_700_000_000.0, os_pid=os.getpid(), process_count=process_count
    )


def window(*rows: wire.Row, offset: int = 0, total: int | None = None) -> wire.Window:
    """Return an answer with these rows."""
    return wire.Window(rows=rows, offset=offset, total=len(rows) if total is None else total, stats=stats())


def of_rows(rows: tuple[wire.Row, ...]) -> Callable[[wire.Query], wire.Answer]:
    """Return a `respond` for a node with these rows: windows are cut out of them, and everything else fails.

    A process's details are its row; a command is done when its pid is among them.
    """

    def respond(query: wire.Query) -> wire.Answer:
        match query:
            case wire.GetTree(offset=offset, limit=limit):
                return window(*rows[offset : offset + limit], offset=offset, total=len(rows))
            case wire.GetProcesses(offset=offset, limit=limit, filter=text):
                found = [
                    row
                    for row in rows
                    if row.pid is not None
                    and text.casefold() in f"{row.registered_name} {row.name} {row.child_id}".casefold()
                ]
                return window(*found[offset : offset + limit], offset=offset, total=len(found))
            case wire.GetStats():
                return wire.Stats(stats=stats(process_count=len(rows)))
            case wire.GetProcess(pid=pid) | wire.Exit(pid=pid) | wire.Suspend(pid=pid) | wire.Resume(pid=pid):
                row = next((row for row in rows if row.pid == pid), None)
                if row is None:
                    return wire.Failed(why=f"There is no process {pid} any more.", kind="noproc")
                if isinstance(query, wire.GetProcess):
                    return wire.Details(row=row)
                return wire.Done(sentence=f"Done to {pid}.")
            case _:
                return wire.Failed(why="Not in the script.", kind="unsupported")

    return respond
