"""The commands' connection to a node: blocking, one question after the other, and quick to start."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

from observer.node import replies
from observer.node.source import NodeLostError
from observer.text.safe_text import safe
from runtime.introspection import wire

_A = TypeVar("_A")


class NodeRefusedError(Exception):
    """The node answered that it cannot or will not do what was asked. Not raised when it does not answer at all."""

    def __init__(self, failed: wire.Failed) -> None:
        super().__init__(safe(failed.why))
        self.kind = failed.kind
        """What kind of failure, as `wire.Failed` has them."""


class Client:
    """A connection to the node at `path`, open from the start; a context manager that closes it.

    Opening it and every question raise `NodeLostError` when the node is gone, does not answer in time, or sends what no
    node would send. The time is for the whole answer, so a node that sends a byte now and then is cut off too.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        connect_timeout: float = replies.CONNECT_TIMEOUT,
        answer_timeout: float = replies.ANSWER_TIMEOUT,
    ) -> None:
        self.name = name
        self.is_recorded = False
        """Whether it answers out of a recording, where nothing changes any more."""
        self._answer_timeout = answer_timeout
        self._numbers = itertools.count(1)
        replies.check_owner(name, path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(connect_timeout)
            try:
                self._socket.connect(str(path))
            except OSError as error:
                raise replies.unreachable(name, path, error) from error
            self.welcome: wire.Welcome = replies.read_welcome(name, self._exchange(wire.Hello(), connect_timeout))
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def with_their_nodes(self, rows: Sequence[wire.Row]) -> tuple[list[str] | None, list[wire.Row]]:
        """Return the node of each process, and its row as that node has it; no nodes where there is only one."""
        return None, [*rows]

    def close(self) -> None:
        """Let the connection go. May be called twice."""
        self._socket.close()

    def ask(self, query: wire.Query) -> wire.Answer:
        """Return the node's answer, whatever it is. Raises `NodeLostError`."""
        number = next(self._numbers)
        request = wire.Request(id=number, query=cast(wire.GetStats, query))  # the union is what callers know as Query
        answered, answer = replies.read_reply(self.name, self._exchange(request, self._answer_timeout))
        if answered != number:
            raise NodeLostError(f"{self.name} answered something else than what it was asked.")
        return answer

    def expect(self, kind: type[_A], query: wire.Query) -> _A:
        """Return the node's answer, which must be a `kind`.

        Raises `NodeLostError`, and `NodeRefusedError` when the node refuses.
        """
        answer = self.ask(query)
        if isinstance(answer, wire.Failed):
            raise NodeRefusedError(answer)
        if not isinstance(answer, kind):
            raise NodeLostError(f"{self.name} answered something else than what it was asked.")
        return answer

    def _exchange(self, value: wire.Frozen, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        try:
            self._socket.settimeout(timeout)
            self._socket.sendall(wire.frame(value))
            header = self._read(wire.HEADER.size, deadline)
            return self._read(replies.frame_length(self.name, header), deadline)
        except TimeoutError as error:
            raise replies.silent(self.name, timeout) from error
        except OSError as error:
            raise replies.closed(self.name) from error

    def _read(self, length: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < length:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._socket.settimeout(remaining)
            chunk = self._socket.recv(min(length - len(data), 1 << 20))
            if not chunk:
                raise replies.closed(self.name)
            data += chunk
        return bytes(data)
